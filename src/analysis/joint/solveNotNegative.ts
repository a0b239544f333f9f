/** A determinant below this share of the product of its diagonal is rounding. */
const singular = 1e-10;

/**
 * The x ≥ 0 at which ½·x′Ax − b′x is least, for three unknowns: of the solutions with some of them zero that are not negative
 * the one with the least value, which is −½·b′x there. A is symmetric and has no negative eigenvalue.
 */
export function solveNotNegative(
  a00: number,
  a01: number,
  a02: number,
  a11: number,
  a12: number,
  a22: number,
  b0: number,
  b1: number,
  b2: number,
  x: Float64Array,
): void {
  let best = 0;
  x.fill(0);
  const consider = (x0: number, x1: number, x2: number): void => {
    if (!(x0 >= 0 && x1 >= 0 && x2 >= 0)) return;
    const gain = b0 * x0 + b1 * x1 + b2 * x2;
    if (!(gain > best)) return;
    best = gain;
    x[0] = x0;
    x[1] = x1;
    x[2] = x2;
  };
  const c00 = a11 * a22 - a12 * a12;
  const c01 = a02 * a12 - a01 * a22;
  const c02 = a01 * a12 - a02 * a11;
  const c11 = a00 * a22 - a02 * a02;
  const c12 = a01 * a02 - a00 * a12;
  const c22 = a00 * a11 - a01 * a01;
  const determinant = a00 * c00 + a01 * c01 + a02 * c02;
  if (determinant > singular * a00 * a11 * a22) {
    const scale = 1 / determinant;
    consider(
      (c00 * b0 + c01 * b1 + c02 * b2) * scale,
      (c01 * b0 + c11 * b1 + c12 * b2) * scale,
      (c02 * b0 + c12 * b1 + c22 * b2) * scale,
    );
    // With nothing at zero it is the least of all.
    if (best > 0) return;
  }
  if (c22 > singular * a00 * a11) consider((a11 * b0 - a01 * b1) / c22, (a00 * b1 - a01 * b0) / c22, 0);
  if (c11 > singular * a00 * a22) consider((a22 * b0 - a02 * b2) / c11, 0, (a00 * b2 - a02 * b0) / c11);
  if (c00 > singular * a11 * a22) consider(0, (a22 * b1 - a12 * b2) / c00, (a11 * b2 - a12 * b1) / c00);
  if (a00 > 0) consider(b0 / a00, 0, 0);
  if (a11 > 0) consider(0, b1 / a11, 0);
  if (a22 > 0) consider(0, 0, b2 / a22);
}
