import type { FrameStatistics, ResultLine, RoiResult } from './result.ts';

/**
 * Combined standard errors that a position must differ by from the one before to be flagged: by chance it happens to one in
 * two million.
 */
const movedFrom = 5;

/** A position and its standard error, px. */
type Found = Pick<RoiResult, 'position' | 'uncertainty'>;

/** Whether a resonance has moved since the frame before by more than the two errors allow; never where either is missing. */
export function hasMoved(before: Found, now: Found): boolean {
  if (before.position === null || now.position === null) return false;
  if (before.uncertainty === null || now.uncertainty === null) return false;
  return Math.abs(now.position - before.position) > movedFrom * Math.hypot(before.uncertainty, now.uncertainty);
}

/**
 * A result line with the flag `moved` on every ROI that has moved since the line of the frame before.
 *
 * It is no part of the analysis: a frame is analysed alone, in any order, by any process, and its numbers may not depend
 * on what happened to be analysed before. It is for whoever reads results in the order of collection.
 *
 * @param before the line that counts of the entry before, in the order of collection; null: there is none
 */
export function markMoved(before: ResultLine | null, line: ResultLine): ResultLine {
  if (!before?.image_analysis || !line.image_analysis) return line;
  const [, ...earlier] = before.image_analysis as [FrameStatistics, ...RoiResult[]];
  const byLabel = new Map(earlier.map(roi => [roi['ROI-label'], roi]));
  const [statistics, ...rois] = line.image_analysis;
  const haveOneReference = typeof line.reference === 'string' && before.reference === line.reference;
  // The static pattern is in the error of each position, and in that of no shift.
  const byShift = (last: RoiResult, roi: RoiResult): boolean | null =>
    haveOneReference && typeof last.shift === 'number' && typeof roi.shift === 'number'
      ? hasMoved(shiftOf(last), shiftOf(roi))
      : null;
  const marked = rois.map(roi => {
    const last = byLabel.get(roi['ROI-label']);
    const isSame = last !== undefined && last['Analysis-method'] === roi['Analysis-method'];
    if (!isSame || !(byShift(last, roi) ?? hasMoved(last, roi)) || roi.flags.includes('moved')) return roi;
    return { ...roi, flags: [...roi.flags, 'moved' as const] };
  });
  return { ...line, image_analysis: [statistics, ...marked] };
}

const shiftOf = ({ shift = null, shift_uncertainty: uncertainty = null }: RoiResult): Found => ({
  position: shift,
  uncertainty,
});
