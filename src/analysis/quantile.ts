/**
 * Quantile of sorted values by linear interpolation between neighbours, numpy's default.
 *
 * @param sorted ascending, at least one
 * @param share 0 to 1
 * @param count looks at so many of them, the first ones
 */
export function quantile(sorted: ArrayLike<number>, share: number, count = sorted.length): number {
  const place = share * (count - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, count - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}
