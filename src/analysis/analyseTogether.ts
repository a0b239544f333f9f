import type { Pixels } from '../model/frame.ts';
import { type RoiExtent, reaches, roiExtent } from './roiExtent.ts';
import { createRoiAnalysis, type FrameAnalysis, type RoiPiece } from './roiPiece.ts';
import type { RoiQueue } from './roiQueue.ts';

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
