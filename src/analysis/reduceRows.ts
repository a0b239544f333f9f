/**
 * Averages the rows of an ROI to fewer: output row k is the mean over the input rows from k·rows/n to (k+1)·rows/n, a
 * row that two share counting by its parts. (The Python system's `cv2.resize` only interpolated between two rows, so
 * most of them never counted.)
 *
 * @param values rows × cols, row by row
 * @param count n, at least 1; more than there are rows repeats rows by the same rule
 * @param out receives count × cols means
 */
export function reduceRows(values: Float64Array, rows: number, cols: number, count: number, out: Float64Array): void {
  for (let k = 0; k < count; k++) {
    const from = (k * rows) / count;
    const to = ((k + 1) * rows) / count;
    const target = k * cols;
    out.fill(0, target, target + cols);
    for (let row = Math.floor(from); row < Math.min(rows, Math.ceil(to)); row++) {
      const weight = (Math.min(row + 1, to) - Math.max(row, from)) / (to - from);
      if (weight <= 0) continue;
      const source = row * cols;
      for (let col = 0; col < cols; col++) out[target + col] += weight * values[source + col];
    }
  }
}
