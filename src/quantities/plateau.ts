import { medianOf } from '../model/median.ts';
import { errorOfMean } from './serialCorrelation.ts';

export interface Plateau {
  mean: number;
  /** Standard error of the mean. */
  sigma: number;
  /** Standard deviation of one value about the mean. */
  scatter: number;
  /** Values that it is the mean of, and values that lay far from the others. */
  count: number;
  rejected: number;
}

/** A value further from the median than so many robust standard deviations does not count. */
const farDeviations = 5;

/**
 * Mean of what stays the same for a while, with its true standard error: from the scatter of the values, and from how they depend on their
 * neighbours ({@link errorOfMean}). Values far from the others (a flip to another peak) do not count: those beyond five times 1.4826 times
 * the median of the distances from the median (Hampel, J. Am. Stat. Assoc. 69, 383 (1974)). Null for fewer than three.
 *
 * @param values in order of time; NaN where there is none
 */
export function plateau(values: ArrayLike<number>): Plateau | null {
  const there = Array.from(values).filter(value => Number.isFinite(value));
  const middle = medianOf(there);
  const spread = 1.4826 * medianOf(there.map(value => Math.abs(value - middle)));
  const kept = spread > 0 ? there.filter(value => Math.abs(value - middle) <= farDeviations * spread) : there;
  const { length: count } = kept;
  if (count < 3) return null;
  const mean = kept.reduce((sum, value) => sum + value, 0) / count;
  const residuals = kept.map(value => value - mean);
  const variance = residuals.reduce((sum, each) => sum + each ** 2, 0) / (count - 1);
  return {
    mean,
    sigma: Math.sqrt(variance) * errorOfMean(residuals),
    scatter: Math.sqrt(variance),
    count,
    rejected: there.length - count,
  };
}
