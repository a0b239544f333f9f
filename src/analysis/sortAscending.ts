/** Values up to which insertion is quicker than a call of the engine's sort. */
const few = 64;

/** Sorts the first `count` values in place, ascending; none may be NaN. */
export function sortAscending(values: Float64Array, count = values.length): Float64Array {
  if (count > few) {
    (count === values.length ? values : values.subarray(0, count)).sort();
    return values;
  }
  for (let i = 1; i < count; i++) {
    const value = values[i];
    let at = i;
    for (; at > 0 && values[at - 1] > value; at--) values[at] = values[at - 1];
    values[at] = value;
  }
  return values;
}
