/** Median of the first values of what is sorted. */
export const sortedMedian = (sorted: Float64Array, count: number): number =>
  count % 2 === 1 ? sorted[count >> 1]! : (sorted[(count >> 1) - 1]! + sorted[count >> 1]!) / 2;
