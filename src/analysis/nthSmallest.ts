/**
 * The value that would stand at `place` if `values[start … end)` were sorted, which are put in another order. Quicker than
 * sorting for a median (Hoare, Communications of the ACM 4, 321, 1961).
 *
 * @param place start to end − 1; no value may be NaN
 */
export function nthSmallest(values: Float64Array, start: number, end: number, place: number): number {
  let low = start;
  let high = end - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1];
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i > j) break;
      const value = values[i];
      values[i++] = values[j];
      values[j--] = value;
    }
    if (place <= j) high = j;
    else if (place >= i) low = i;
    else break;
  }
  return values[place];
}

/** The median of `values[start … end)`, the mean of the two middle ones of an even number; puts them in another order. */
export function medianInPlace(values: Float64Array, start: number, end: number): number {
  const middle = (start + end) >> 1;
  const upper = nthSmallest(values, start, end, middle);
  if ((end - start) % 2 === 1) return upper;
  let lower = Number.NEGATIVE_INFINITY;
  for (let i = start; i < middle; i++) if (values[i] > lower) lower = values[i];
  return 0.5 * (lower + upper);
}
