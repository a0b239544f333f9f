import { gather, medianOf, newest } from './newestValues.ts';
import { fewestValues, keptFrames, lastKept, leastNoise, type SeriesState } from './seriesState.ts';
import { sortedMedian } from './sortedMedian.ts';

/** On each side of a value, frames that tell whether it is far from all others. */
const neighbours = 6;
/** Robust standard deviations that are far. */
const farDeviations = 8;

/** Whether a value has nothing to do with those around it (Hampel, J. Am. Stat. Assoc. 69, 383 (1974)): a flip that no flag tells. */
export function isFar(series: SeriesState, frame: number, last: number): boolean {
  const shift = series.shifts[frame & lastKept]!;
  if (Number.isNaN(shift)) return false;
  const isWhole = frame - neighbours >= series.from && frame + neighbours <= last;
  if (isWhole && !isApart(series.shifts, frame)) return false;
  newest.count = 0;
  for (let i = Math.max(series.from, frame - neighbours); i <= Math.min(last, frame + neighbours); i++) {
    const other = series.shifts[i & lastKept]!;
    if (!Number.isNaN(other)) newest.shifts[newest.count++] = other;
  }
  if (newest.count < neighbours) return false;
  const { count, shifts } = newest;
  const middle = medianOf(0, count);
  const distance = Math.abs(shift - middle);
  if (distance <= farDeviations * leastNoise) return false;
  // Those that are near enough tell where the median of all distances is, mostly without sorting them.
  let near = 0;
  for (let i = 0; i < count; i++) {
    const other = Math.abs(shifts[i]! - middle);
    shifts[i] = other;
    if (distance > farDeviations * 1.4826 * other) near++;
  }
  if (2 * near !== count) return 2 * near > count;
  return distance > farDeviations * 1.4826 * medianOf(0, count);
}

/** Two values that have the same distance from a third, to the part of it that {@link farDeviations} leaves. */
const sameDistance = 2 / (1.4826 * farDeviations - 1);

/** Those around a value, and the first of them again. */
const around = Int32Array.from({ length: 2 * neighbours + 1 }, (_, i) =>
  i === 2 * neighbours ? -neighbours : i - neighbours + Number(i >= neighbours),
);

/**
 * Whether a value may be far from those around it: a quick look, which most values do not pass. Of a far one seven of the twelve around lie together, and
 * so do two of one pair in each way to make six pairs of neighbours of them.
 */
function isApart(shifts: Float64Array, frame: number): boolean {
  const shift = shifts[frame & lastKept]!;
  for (let start = 0; start < 2; start++) {
    let isPair = false;
    for (let i = start; i < 2 * neighbours && !isPair; i += 2) {
      const first = shifts[(frame + around[i]!) & lastKept]!;
      const second = shifts[(frame + around[i + 1]!) & lastKept]!;
      // True without a value too: then a closer look is needed.
      isPair = !(Math.abs(first - second) > sameDistance * Math.abs(first - shift));
    }
    if (!isPair) return false;
  }
  return true;
}

const differences = new Float64Array(keptFrames);
/** Standard deviations of what neighbours differ by that are no noise. */
const jumpDeviations = 6;

/**
 * Whether a value lies so far from the one before it that noise is not the reason. While little is known of the noise, a change may go unfound. Such a
 * change must not count as noise: it would hide the changes that come later.
 */
export function isJump(series: SeriesState, frame: number, last: number): boolean {
  const { allan } = series;
  let before = frame - 1;
  while (before > frame - neighbours && Number.isNaN(series.shifts[before & lastKept]!)) before--;
  const apart = Math.abs(series.shifts[frame & lastKept]! - series.shifts[before & lastKept]!);
  if (before < series.from || !(apart > jumpDeviations * leastNoise)) return false;
  // Three times what neighbours have differed by so far: most values need no closer look.
  if (allan.differences[0]! >= 16 && apart ** 2 <= (9 * allan.squares[0]!) / allan.differences[0]!) return false;
  const { count, shifts } = gather(series, last, series.from, keptFrames);
  if (count < fewestValues) return false;
  for (let i = 0; i + 1 < count; i++) differences[i] = Math.abs(shifts[i]! - shifts[i + 1]!);
  return apart > jumpDeviations * 1.4826 * sortedMedian(differences.subarray(0, count - 1).sort(), count - 1);
}
