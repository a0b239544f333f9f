/**
 * Merges neighbours, first with second, third with fourth and so on, into the front of `into` (which may be `values`
 * itself). A last one without a neighbour stays as it is.
 */
export function mergePairs<T extends Float32Array | Float64Array>(
  values: T,
  into: T,
  merge: (a: number, b: number) => number,
): T {
  for (let i = 0; 2 * i < values.length; i++) {
    const a = values[2 * i] as number;
    const b = values[2 * i + 1];
    into[i] = b === undefined ? a : merge(a, b);
  }
  return into;
}

/** Mean of two values of which one or both may be missing (NaN). */
export function meanOfPresent(a: number, b: number): number {
  return Number.isNaN(a) ? b : Number.isNaN(b) ? a : (a + b) / 2;
}
