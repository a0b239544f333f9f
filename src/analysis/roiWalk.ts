import type { Pixels } from '../model/frame.ts';
import type { Roi, RoiManifest } from '../model/roi.ts';
import { RoiOutsideFrameError } from './roiOutsideFrameError.ts';

/**
 * The way through a turned frame along which the pixels of a ROI lie: row by row, and in each row in equal steps, which begin
 * at the row's right end where the ROI is mirrored. Lengths in pixels of the frame.
 */
export interface RoiWalk {
  stepX: number;
  stepY: number;
  /** Where a row of the ROI begins. */
  startX(row: number): number;
  startY(row: number): number;
}

/** @throws RoiOutsideFrameError when the frame has not the size that the ROI manifest was made for */
export function requireSize({ width, height }: Pixels, { madeFor }: RoiManifest): void {
  if (madeFor === undefined || (madeFor.width === width && madeFor.height === height)) return;
  throw new RoiOutsideFrameError(
    '',
    `the frame has ${width}×${height} pixels; the ROI manifest was made for images of another size, ` +
      `${madeFor.width}×${madeFor.height}. Make one for these frames with "phorest locate"`,
  );
}

/**
 * @param angle `image_angle` of the ROI manifest, degrees
 * @throws RoiOutsideFrameError when a part of the rectangle lies outside the frame
 */
export function roiWalk({ width, height }: Pixels, roi: Roi, angle: number): RoiWalk {
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
  const startColumn = (roi.flip ? left + cols - 1 : left) - centreX;
  return {
    stepX: roi.flip ? -cos : cos,
    stepY: roi.flip ? -sin : sin,
    startX: row => centreX + cos * startColumn - sin * (top + row - centreY),
    startY: row => centreY + sin * startColumn + cos * (top + row - centreY),
  };
}

/** Whether all four neighbours of every point between two lie in the frame. */
export function isInside(
  { width, height }: Pixels,
  startX: number,
  startY: number,
  endX: number,
  endY: number,
): boolean {
  return (
    Math.min(startX, endX) >= 0 &&
    Math.max(startX, endX) < width - 1 &&
    Math.min(startY, endY) >= 0 &&
    Math.max(startY, endY) < height - 1
  );
}

/** Bilinear sample where neighbours may lie outside the frame and count as black. */
export function sampleAtBorder({ width, height, data }: Pixels, x: number, y: number): number {
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
