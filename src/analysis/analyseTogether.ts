import type { Pixels } from '../model/frame.ts';
import type { Roi } from '../model/roi.ts';
import { createRoiAnalysis, type FrameAnalysis, type RoiPiece } from './roiPiece.ts';
import type { RoiQueue } from './roiQueue.ts';
import { roiWalk } from './roiWalk.ts';

/** What one of the threads that share a frame has made of it. */
export interface Share {
  pieces: RoiPiece[];
  /** Made without the frame's saturation level: good where no other piece has the ROI. */
  provisional: RoiPiece[];
}

/**
 * Analyses ROIs of a frame together with other threads that do the same, until none is left; also while the frame is still
 * being decoded, by another thread: a ROI is taken when the rows it needs are there.
 *
 * A ROI's result depends on the saturation level only if one of its pixels is as bright as that. So those that come before
 * the level is known are analysed without, and again if need be. All shares together have every ROI; `joinShares` takes what
 * counts.
 *
 * Returns early, with a share of no use, when the queue is closed before the level is known.
 */
export function analyseTogether(pixels: Pixels, job: FrameAnalysis, queue: RoiQueue): Share {
  const analyse = createRoiAnalysis(job);
  const places = roiPlaces(pixels, job);
  const share: Share = { pieces: [], provisional: [] };
  for (let range = queue.take(); range !== null; range = queue.take()) {
    for (const { roi, extent } of places.slice(range.first, range.end)) {
      if (!queue.waitForRows(extent.bottom)) return share;
      const saturation = queue.saturation();
      const piece = analyse(pixels, saturation ?? Number.POSITIVE_INFINITY, roi, roi + 1);
      (saturation === null ? share.provisional : share.pieces).push(piece);
    }
  }
  const saturation = queue.waitForSaturation();
  if (saturation === null || saturation === Number.POSITIVE_INFINITY) return share;
  for (let place = queue.takeAgain(); place !== null; place = queue.takeAgain()) {
    const { roi, extent } = places[place];
    if (reaches(pixels, extent, saturation)) share.pieces.push(analyse(pixels, saturation, roi, roi + 1));
  }
  return share;
}

/** The ROIs by the rows that they need; the same in every thread. */
function roiPlaces(
  pixels: Pixels,
  { rois: { rois, imageAngle } }: FrameAnalysis,
): { roi: number; extent: RoiExtent }[] {
  return rois
    .map((roi, place) => ({ roi: place, extent: roiExtent(pixels, roi, imageAngle) }))
    .sort((a, b) => a.extent.bottom - b.extent.bottom || a.roi - b.roi);
}

/** The upright rectangle of a frame in which all lies that a turned ROI is sampled from; ends are not included. */
interface RoiExtent {
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
