/** More than so many usual intervals without an image are a gap. */
export const gapIntervals = 5;
/** Of what stands for many images: it comes later by more than this share of what it stands for. */
const gapShare = 0.5;
/** So many points to each side tell which interval is usual there: an interval that was edited is no gap. */
const reach = 8;

/**
 * Of each point, 1 where a gap is before it: no line leads there, for it would claim what nobody measured. What is expected is told by the intervals
 * next to it, not by the length of the run.
 * @param times in order, ms @param framesOf images that a point stands for, from its time on
 */
export function gapsBefore(times: ArrayLike<number>, framesOf: (point: number) => number): Uint8Array {
  const gaps = new Uint8Array(times.length);
  const intervals = Float64Array.from(
    { length: Math.max(0, times.length - 1) },
    (_, i) => (times[i + 1]! - times[i]!) / framesOf(i),
  );
  const usual = (from: number, end: number): number => {
    const near = intervals.slice(Math.max(0, from), end).filter(interval => interval > 0);
    return near.length === 0 ? Number.NaN : near.sort()[near.length >> 1]!;
  };
  for (let i = 0; i < intervals.length; i++) {
    const [before, after] = [usual(i - reach, i), usual(i + 1, i + 1 + reach)];
    const expected = Number.isNaN(before) || after > before ? after : before;
    const frames = framesOf(i);
    if ((intervals[i]! - expected) * frames > expected * Math.max(gapIntervals - 1, gapShare * frames)) gaps[i + 1] = 1;
  }
  return gaps;
}
