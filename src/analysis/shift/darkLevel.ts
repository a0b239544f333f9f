import { quantile } from '../quantile.ts';

/** Parts of the blocks by their light. */
const parts = 6;
/** Share of the light that a pattern's bends have at least, to tell anything. */
const leastContrast = 0.02;

/**
 * The camera's dark level from the frames alone, counts: a static pattern multiplies the light, so what bends it from block to
 * block grows in proportion to the light and vanishes at the dark level. Without a pattern nothing depends on it, and it is 0.
 *
 * @param light means of blocks of many ROIs, counts
 * @param bends second differences along the rows at the same places, magnitudes
 */
export function estimateDarkLevel(light: Float64Array, bends: Float64Array): number {
  const order = Float64Array.from(light.keys()).sort((a, b) => light[a] - light[b]);
  let sum = 0;
  let sumX = 0;
  let sumY = 0;
  let sumXX = 0;
  let sumXY = 0;
  for (let part = 0; part < parts; part++) {
    const from = Math.floor((part * order.length) / parts);
    const to = Math.floor(((part + 1) * order.length) / parts);
    if (to - from < 8) return 0;
    const middle = (of: Float64Array): number =>
      quantile(Float64Array.from(order.subarray(from, to), i => of[i]).sort(), 0.5, to - from);
    const x = middle(light);
    const y = middle(bends);
    const weight = 1 / Math.max(y * y, Number.MIN_VALUE);
    sum += weight;
    sumX += weight * x;
    sumY += weight * y;
    sumXX += weight * x * x;
    sumXY += weight * x * y;
  }
  const slope = (sum * sumXY - sumX * sumY) / (sum * sumXX - sumX * sumX);
  if (!(slope > leastContrast)) return 0;
  const dark = (sumX - sumY / slope) / sum;
  // Below the darkest block: there is light everywhere.
  return Math.min(Math.max(0, dark), 0.9 * light[order[0]]);
}
