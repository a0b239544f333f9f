import type { Line } from './jointFit.ts';

/** Share of the line's height that another peak must rise from the valley between, to be one. */
const risingShare = 0.4;

/**
 * Whether the typical row has another peak as well: one that stands apart from the line by more than its width and rises
 * from the lowest point between the two by a good part of the line's height. Of a dip, the same upside down.
 *
 * @param binWidth pixels of a bin of the profile
 */
export function hasSecondPeak(profile: Float64Array, count: number, line: Line, binWidth: number): boolean {
  const sign = line.height < 0 ? -1 : 1;
  const rise = risingShare * Math.abs(line.height);
  const centre = Math.min(count - 1, Math.max(0, Math.round((line.position - (binWidth - 1) / 2) / binWidth)));
  const apart = line.width / binWidth;
  for (const step of [1, -1]) {
    let valley = Number.POSITIVE_INFINITY;
    // The median of three neighbours: one hot column is no peak.
    for (let bin = centre; bin > 0 && bin < count - 1; bin += step) {
      const value = sign * middleOf(profile[bin - 1], profile[bin], profile[bin + 1]);
      if (Math.abs(bin - centre) > apart && value > valley + rise) return true;
      if (value < valley) valley = value;
    }
  }
  return false;
}

const middleOf = (a: number, b: number, c: number): number => Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
