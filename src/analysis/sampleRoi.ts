import type { Pixels } from '../model/frame.ts';
import type { Roi } from '../model/roi.ts';
import { RoiOutsideFrameError } from './roiOutsideFrameError.ts';

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
  const { width, height, data } = pixels;
  const [top, left] = roi.coords;
  const [rows, cols] = roi.size;
  if (top < 0 || left < 0 || top + rows > height || left + cols > width) {
    throw new RoiOutsideFrameError(
      roi.label,
      `ROI ${roi.label} (rows ${top} to ${top + rows - 1}, columns ${left} to ${left + cols - 1}) is outside the frame ` +
        `of ${width}×${height} pixels: the ROI manifest belongs to images of another size`,
    );
  }

  const turn = (-angle * Math.PI) / 180;
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  const centreX = Math.floor(width / 2);
  const centreY = Math.floor(height / 2);
  // One step along a row of `out`, in the frame; a mirrored row starts at its right end.
  const stepX = roi.flip ? -cos : cos;
  const stepY = roi.flip ? -sin : sin;
  const startColumn = (roi.flip ? left + cols - 1 : left) - centreX;

  for (let row = 0, to = 0; row < rows; row++) {
    const fromCentre = top + row - centreY;
    const startX = centreX + cos * startColumn - sin * fromCentre;
    const startY = centreY + sin * startColumn + cos * fromCentre;
    const endX = startX + stepX * (cols - 1);
    const endY = startY + stepY * (cols - 1);
    const inside =
      Math.min(startX, endX) >= 0 &&
      Math.max(startX, endX) < width - 1 &&
      Math.min(startY, endY) >= 0 &&
      Math.max(startY, endY) < height - 1;
    if (inside) {
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

/** Bilinear sample where neighbours may lie outside the frame and count as black. */
function sampleAtBorder({ width, height, data }: Pixels, x: number, y: number): number {
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const fx = x - x0;
  const fy = y - y0;
  const value = (column: number, row: number): number =>
    column >= 0 && column < width && row >= 0 && row < height ? data[row * width + column] : 0;
  const upper = value(x0, y0) + fx * (value(x0 + 1, y0) - value(x0, y0));
  const lower = value(x0, y0 + 1) + fx * (value(x0 + 1, y0 + 1) - value(x0, y0 + 1));
  return upper + fy * (lower - upper);
}
