/** A row of pixels that is being fitted. */
export interface RowData {
  values: Float64Array;
  offset: number;
  length: number;
  /** Values from here on are left out. */
  ceiling: number;
  /** Pixels that count, their mean and squared deviations from it. */
  count: number;
  mean: number;
  total: number;
}

export function createRowData(): RowData {
  return { values: new Float64Array(0), offset: 0, length: 0, ceiling: 0, count: 0, mean: 0, total: 0 };
}

export function copyRow(from: RowData, into: RowData): void {
  into.values = from.values;
  into.offset = from.offset;
  into.length = from.length;
  into.ceiling = from.ceiling;
  into.count = from.count;
  into.mean = from.mean;
  into.total = from.total;
}

/** Fills `row` with a view on values and what follows from them. Taking the mean off first keeps the sums exact. */
export function loadRow(row: RowData, values: Float64Array, offset: number, length: number, ceiling: number): void {
  let count = 0;
  let sum = 0;
  for (let i = offset; i < offset + length; i++) {
    if (values[i] >= ceiling) continue;
    sum += values[i];
    count++;
  }
  const mean = sum / count;
  let total = 0;
  for (let i = offset; i < offset + length; i++) if (values[i] < ceiling) total += (values[i] - mean) ** 2;
  row.values = values;
  row.offset = offset;
  row.length = length;
  row.ceiling = ceiling;
  row.count = count;
  row.mean = mean;
  row.total = total;
}
