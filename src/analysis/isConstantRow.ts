/**
 * A row whose standard deviation is below 0.1 counts has no line in it. It is the Python system's rule, which it applied
 * to frames squeezed to 8 bits; a camera's count is the natural unit for both depths, since rounding alone makes 0.29.
 *
 * @param squares squared deviations of its pixels from their mean
 */
export function isConstantRow(
  values: Float64Array,
  offset: number,
  length: number,
  squares = squaredDeviations(values, offset, length),
): boolean {
  // Also true for NaN, which no pixel is.
  return !(squares >= 0.01 * length);
}

function squaredDeviations(values: Float64Array, offset: number, length: number): number {
  let sum = 0;
  for (let i = offset; i < offset + length; i++) sum += values[i];
  const mean = sum / length;
  let squares = 0;
  for (let i = offset; i < offset + length; i++) squares += (values[i] - mean) ** 2;
  return squares;
}
