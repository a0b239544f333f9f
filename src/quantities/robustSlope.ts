import { correlationFactor } from './serialCorrelation.ts';
import { sortedMedian } from './sortedMedian.ts';

/** A number with its standard error. */
export interface Measured {
  value: number;
  sigma: number;
}

/**
 * The slope of a straight line of which a few points may be wrong: the median of the slopes of all pairs (Theil, Indag. Math. 12, 85 (1950)), with the
 * error of Sen (J. Am. Stat. Assoc. 63, 1379 (1968)): half of the interval that the slope lies in with 68 %, from the variance of Kendall's
 * statistic, n(n − 1)(2n + 5)/18. The error grows where neighbouring residuals are alike ({@link correlationFactor}). Null for fewer than five.
 *
 * @param x all different, in order
 */
export function robustSlope(x: readonly number[], y: readonly number[]): Measured | null {
  const { length: n } = x;
  if (n < 5) return null;
  const slopes = new Float64Array((n * (n - 1)) / 2);
  let count = 0;
  for (let i = 1; i < n; i++)
    for (let j = 0; j < i; j++) if (x[i]! > x[j]!) slopes[count++] = (y[i]! - y[j]!) / (x[i]! - x[j]!);
  const sorted = slopes.subarray(0, count).sort();
  if (count === 0) return null;
  const value = sortedMedian(sorted, count);
  const half = Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18) / 2;
  const low = sorted[Math.max(0, Math.floor(count / 2 - half))]!;
  const high = sorted[Math.min(count - 1, Math.ceil(count / 2 + half) - 1)]!;
  const residuals = x.map((each, i) => y[i]! - value * each);
  const middle = residuals.reduce((sum, each) => sum + each, 0) / n;
  const factor = correlationFactor(residuals.map(each => each - middle));
  return { value, sigma: ((high - low) / 2) * Math.sqrt(factor) };
}
