import { quantile } from './quantile.ts';

/**
 * Standard error of the median of rows' positions, from their scatter: √(π/2)·σ/√n with the robust σ = 1.4826·median
 * absolute deviation (both for normally distributed rows; Huber & Ronchetti, Robust Statistics, 2009). Where more than
 * half of the rows agree exactly, which whole pixels do, the plain standard deviation stands in for σ. Rows whose noise
 * is alike, since speckle does not change from frame to frame, err together more than this says.
 *
 * @param sorted positions, ascending
 * @returns null for fewer than two rows
 */
export function positionUncertainty(sorted: Float64Array): number | null {
  const count = sorted.length;
  if (count < 2) return null;
  const median = quantile(sorted, 0.5);
  const deviations = sorted.map(value => Math.abs(value - median)).sort();
  const robust = 1.4826 * quantile(deviations, 0.5);
  const sigma = robust > 0 ? robust : Math.sqrt(deviations.reduce((sum, d) => sum + d * d, 0) / count);
  return (Math.sqrt(Math.PI / 2) * sigma) / Math.sqrt(count);
}
