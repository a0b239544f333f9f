/**
 * Smooths a row with a box of 2·reach + 1 pixels, twice (a triangle in effect), for finding where to start: noise and hot
 * pixels shrink, a line of that width or more stays. At the ends the box is cut off, its mean is not.
 *
 * @param out receives `length` values from index 0; `scratch` is as long
 */
export function smoothProfile(
  values: Float64Array,
  offset: number,
  length: number,
  reach: number,
  out: Float64Array,
  scratch: Float64Array,
): void {
  box(values, offset, length, reach, scratch);
  box(scratch, 0, length, reach, out);
}

function box(values: Float64Array, offset: number, length: number, reach: number, out: Float64Array): void {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < Math.min(reach, length); i++, count++) sum += values[offset + i];
  for (let i = 0; i < length; i++) {
    if (i + reach < length) {
      sum += values[offset + i + reach];
      count++;
    }
    if (i - reach - 1 >= 0) {
      sum -= values[offset + i - reach - 1];
      count--;
    }
    out[i] = sum / count;
  }
}
