import type { Pixels } from '../model/frame.ts';
import type { Roi } from '../model/roi.ts';
import { isInside, roiWalk, sampleAtBorder } from './roiWalk.ts';

/**
 * Samples the pixels of one ROI straight from a frame that is still turned: only the ROI's pixels are computed.
 *
 * The derotated frame is the one that OpenCV's `warpAffine` gives with
 * `M = getRotationMatrix2D((⌊w/2⌋, ⌊h/2⌋), −angle, 1)`, destination = M·source, bilinear, black outside, pixel centres at
 * whole numbers (`reference/README.md`). M is a rotation about that centre, so its inverse, which is what sampling
 * needs, is the rotation back. At angle 0 the result is an exact copy.
 *
 * @param angle `image_angle` of the ROI manifest, degrees
 * @param out receives rows × columns values, row by row, mirrored where the ROI says so; counts of the frame
 * @throws RoiOutsideFrameError when a part of the rectangle lies outside the frame
 */
export function sampleRoi(pixels: Pixels, roi: Roi, angle: number, out: Float64Array): void {
  const { width, data } = pixels;
  const [rows, cols] = roi.size;
  const walk = roiWalk(pixels, roi, angle);
  const { stepX, stepY } = walk;

  for (let row = 0, to = 0; row < rows; row++) {
    const startX = walk.startX(row);
    const startY = walk.startY(row);
    if (isInside(pixels, startX, startY, startX + stepX * (cols - 1), startY + stepY * (cols - 1))) {
      for (let k = 0; k < cols; k++) {
        const x = startX + stepX * k;
        const y = startY + stepY * k;
        const x0 = x | 0;
        const y0 = y | 0;
        const fx = x - x0;
        const fy = y - y0;
        const at = y0 * width + x0;
        const upper = data[at] + fx * (data[at + 1] - data[at]);
        const lower = data[at + width] + fx * (data[at + width + 1] - data[at + width]);
        out[to++] = upper + fy * (lower - upper);
      }
    } else {
      for (let k = 0; k < cols; k++) out[to++] = sampleAtBorder(pixels, startX + stepX * k, startY + stepY * k);
    }
  }
}
