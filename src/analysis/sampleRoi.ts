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
      sampleRow(data, width, startX, startY, stepX, stepY, cols, out, to);
      to += cols;
    } else {
      for (let k = 0; k < cols; k++) out[to++] = sampleAtBorder(pixels, startX + stepX * k, startY + stepY * k);
    }
  }
}

/**
 * Samples a row all of which lies in the frame. As long as the way stays within a row of pixels and goes on by one of them
 * with each step, which a small turn lets it do for long, the shares of the four neighbours change evenly.
 */
export function sampleRow(
  data: Uint8Array | Uint16Array,
  width: number,
  startX: number,
  startY: number,
  stepX: number,
  stepY: number,
  cols: number,
  out: Float64Array,
  first: number,
): void {
  const direction = stepX < 0 ? -1 : 1;
  const slip = stepX - direction;
  for (let k = 0; k < cols; ) {
    const x = startX + stepX * k;
    const y = startY + stepY * k;
    const x0 = x | 0;
    const y0 = y | 0;
    let fx = x - x0;
    let fy = y - y0;
    // Rounding may put the last one just outside, where the same plane goes on.
    const end = k + Math.min(cols - k, stepsWithin(fx, slip), stepsWithin(fy, stepY));
    for (let at = (y0 * width + x0) | 0; k < end; k++, at += direction) {
      const below = at + width;
      const upper = data[at] + fx * (data[at + 1] - data[at]);
      const lower = data[below] + fx * (data[below + 1] - data[below]);
      out[first + k] = upper + fy * (lower - upper);
      fx += slip;
      fy += stepY;
    }
  }
}

/** Steps from a share on that stay between 0 and 1, the first included. */
function stepsWithin(share: number, step: number): number {
  if (step === 0) return Number.POSITIVE_INFINITY;
  return step < 0 ? Math.floor(share / -step) + 1 : Math.max(1, Math.ceil((1 - share) / step));
}
