/** Of an even number of values, the mean of the two in the middle. NaN does not count; NaN of nothing. */
export function medianOf(values: ArrayLike<number>): number {
  const known = Float64Array.from(values)
    .filter(value => !Number.isNaN(value))
    .sort();
  const middle = known.length >> 1;
  const upper = known[middle] ?? Number.NaN;
  return known.length % 2 === 1 ? upper : ((known[middle - 1] ?? Number.NaN) + upper) / 2;
}
