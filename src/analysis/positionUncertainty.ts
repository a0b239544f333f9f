import { keptNumbers } from './keptNumbers.ts';
import { quantile } from './quantile.ts';
import { sortAscending } from './sortAscending.ts';

const room = keptNumbers();

/**
 * Standard error of the median of rows' positions, from their scatter: √(π/2)·σ/√n with the robust σ = 1.4826·median
 * absolute deviation (both for normally distributed rows; Huber & Ronchetti, Robust Statistics, 2009). Where more than
 * half of the rows agree exactly, which whole pixels do, the plain standard deviation stands in for σ. Rows whose noise
 * is alike, since speckle does not change from frame to frame, err together more than this says.
 *
 * @param sorted positions, ascending
 * @param count looks at so many of them, the first ones
 * @returns null for fewer than two rows
 */
export function positionUncertainty(sorted: Float64Array, count = sorted.length): number | null {
  if (count < 2) return null;
  const median = quantile(sorted, 0.5, count);
  const deviations = room(count);
  for (let i = 0; i < count; i++) deviations[i] = Math.abs(sorted[i] - median);
  sortAscending(deviations, count);
  const robust = 1.4826 * quantile(deviations, 0.5, count);
  const sigma = robust > 0 ? robust : Math.sqrt(meanSquare(deviations, count));
  return (Math.sqrt(Math.PI / 2) * sigma) / Math.sqrt(count);
}

function meanSquare(values: Float64Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i] * values[i];
  return sum / count;
}
