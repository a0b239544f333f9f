import { keptFrames, lastKept, type SeriesState } from './seriesState.ts';
import { sortedMedian } from './sortedMedian.ts';

/** The values that were gathered last, newest first. All series share these arrays: an array for each call would be garbage. */
export const newest = { frames: new Int32Array(keptFrames), shifts: new Float64Array(keptFrames), count: 0 };
const sorted = new Float64Array(keptFrames);

/** The newest values from a frame on, newest first; at most so many. */
export function gather(series: SeriesState, frame: number, from: number, most: number): typeof newest {
  newest.count = 0;
  for (let i = frame; i >= from && i > frame - keptFrames && newest.count < most; i--) {
    const shift = series.shifts[i & lastKept]!;
    if (Number.isNaN(shift)) continue;
    newest.frames[newest.count] = i;
    newest.shifts[newest.count++] = shift;
  }
  return newest;
}

/** Median of some of the gathered values. */
export function medianOf(from: number, count: number): number {
  for (let i = 0; i < count; i++) {
    const value = newest.shifts[from + i]!;
    let j = i;
    for (; j > 0 && sorted[j - 1]! > value; j--) sorted[j] = sorted[j - 1]!;
    sorted[j] = value;
  }
  return sortedMedian(sorted, count);
}

/** Standard deviation of one gathered value from what neighbours differ by: neither a step nor a wrong value moves it. From above where few tell it. */
export function localNoise(): number {
  const count = newest.count - 1;
  if (count < 7) return Number.POSITIVE_INFINITY;
  for (let i = 0; i < count; i++) sorted[i] = Math.abs(newest.shifts[i]! - newest.shifts[i + 1]!);
  return (1.4826 / Math.SQRT2) * sortedMedian(sorted.subarray(0, count).sort(), count) * (1 + 10 / count);
}
