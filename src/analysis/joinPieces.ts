import type { AnalysedFrame } from '../model/analysisJob.ts';
import type { Share } from './analyseTogether.ts';
import type { RoiPiece } from './roiPiece.ts';

/** What is said of a frame as a whole. */
export type FrameHead = Pick<
  AnalysedFrame,
  'width' | 'height' | 'depth' | 'statistics' | 'chipShift' | 'decodeMs' | 'analyseMs'
>;

/**
 * A frame's result from its pieces, whoever made them and in whatever order they came: byte for byte what one piece of all
 * ROIs gives.
 *
 * @throws Error when pieces are missing or double: the threads that made them are at fault
 */
export function joinPieces(head: FrameHead, pieces: readonly RoiPiece[], rois: number): AnalysedFrame {
  const inOrder = pieces.toSorted((a, b) => a.first - b.first);
  const positions = new Float64Array(rois);
  const rowsRejected: Record<string, number> = {};
  let rowsFitted = 0;
  let next = 0;
  for (const piece of inOrder) {
    if (piece.first !== next) throw new Error(`the pieces of a frame do not join: ROI ${next}, then ${piece.first}`);
    positions.set(piece.positions, next);
    next += piece.positions.length;
    rowsFitted += piece.rowsFitted;
    for (const [reason, count] of Object.entries(piece.rowsRejected)) {
      rowsRejected[reason] = (rowsRejected[reason] ?? 0) + count;
    }
  }
  if (next !== rois) throw new Error(`the pieces of a frame hold ${next} ROIs of ${rois}`);
  const json = [JSON.stringify(head.statistics), ...inOrder.map(piece => piece.json)].filter(text => text !== '');
  return {
    ...head,
    imageAnalysis: new TextEncoder().encode(`[${json.join(',')}]`),
    rois,
    positions,
    seen: inOrder.flatMap(piece => piece.seen),
    rowsFitted,
    rowsRejected,
  };
}

/**
 * One piece for each ROI: one made with the saturation level where there is one. A ROI whose thread was told the level just
 * before it began may have been done again by another: both pieces are the same.
 */
export function joinShares(shares: readonly Share[]): RoiPiece[] {
  const pieces = [...shares.flatMap(share => share.provisional), ...shares.flatMap(share => share.pieces)];
  return [...new Map(pieces.map(piece => [piece.first, piece])).values()];
}
