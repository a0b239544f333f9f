import type { Pixels } from '../model/frame.ts';
import type { Roi } from '../model/roi.ts';
import { roiWalk } from './roiWalk.ts';

/** The upright rectangle of a frame in which all lies that a turned ROI is sampled from; ends are not included. */
export interface RoiExtent {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** A sample takes the pixel after its own too, and rounding may take it to the one after that. */
const reach = 2;

/** @throws RoiOutsideFrameError */
export function roiExtent(pixels: Pixels, roi: Roi, angle: number): RoiExtent {
  const [rows, cols] = roi.size;
  const walk = roiWalk(pixels, roi, angle);
  const { width, height } = pixels;
  const ends = [0, Math.max(0, rows - 1)].flatMap(row =>
    [0, Math.max(0, cols - 1)].map(k => ({
      x: walk.startX(row) + walk.stepX * k,
      y: walk.startY(row) + walk.stepY * k,
    })),
  );
  const [xs, ys] = [ends.map(({ x }) => Math.floor(x)), ends.map(({ y }) => Math.floor(y))];
  const within = (place: number, end: number): number => Math.min(Math.max(place, 0), end);
  return {
    top: within(Math.min(...ys) - 1, height),
    bottom: within(Math.max(...ys) + 1 + reach, height),
    left: within(Math.min(...xs) - 1, width),
    right: within(Math.max(...xs) + 1 + reach, width),
  };
}

/** Whether a pixel of a rectangle is as bright as that. */
export function reaches({ data, width }: Pixels, { top, bottom, left, right }: RoiExtent, level: number): boolean {
  for (let row = top; row < bottom; row++) {
    const end = row * width + right;
    for (let i = row * width + left; i < end; i++) if (data[i] >= level) return true;
  }
  return false;
}
