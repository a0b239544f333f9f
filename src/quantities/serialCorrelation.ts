/**
 * By how much the variance of a mean (or of a fit) of a series is greater than if its values were independent:
 * (1 + ρ) / (1 − ρ), with ρ the correlation of neighbouring residuals (Bartlett, J. R. Stat. Soc. Suppl. 8, 27 (1946)). 1 where ρ can't be told
 * from zero or less.
 *
 * @param residuals in order of time, about their mean or a fit
 */
export function correlationFactor(residuals: ArrayLike<number>): number {
  const n = residuals.length;
  if (n < 8) return 1;
  let [square, product] = [0, 0];
  for (let i = 0; i < n; i++) {
    square += residuals[i]! ** 2;
    if (i > 0) product += residuals[i]! * residuals[i - 1]!;
  }
  const rho = square > 0 ? product / square : 0;
  // Two standard errors of the ρ of independent values.
  return rho > 2 / Math.sqrt(n) ? (1 + Math.min(rho, 0.99)) / (1 - Math.min(rho, 0.99)) : 1;
}
