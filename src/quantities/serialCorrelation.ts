/** Values of which no correlation can be told. */
const few = 8;
/** No correlation further below zero counts: little is won, and much would be trusted. */
const least = -0.2;
const most = 0.99;

/**
 * The correlation of neighbouring residuals. What is estimated from n of them is too small by (1 + 4ρ)/n on average, which is made good (Marriott and
 * Pope, Biometrika 41, 390 (1954)). 0 for fewer than eight.
 *
 * @param residuals in order of time, about their mean or a fit
 */
function correlationOf(residuals: ArrayLike<number>): number {
  const n = residuals.length;
  if (n < few) return 0;
  let [square, product] = [0, 0];
  for (let i = 0; i < n; i++) {
    square += residuals[i]! ** 2;
    if (i > 0) product += residuals[i]! * residuals[i - 1]!;
  }
  const raw = square > 0 ? product / square : 0;
  return unbiased(raw, n);
}

/** A correlation of n neighbours, as it is estimated, with that made good. */
const unbiased = (raw: number, n: number): number => Math.min(most, Math.max(least, (n * raw + 1) / (n - 4)));

/**
 * By how much the variance of a fit to a long series is greater than if its residuals were independent: (1 + ρ) / (1 − ρ), with ρ the correlation of
 * neighbours (Bartlett, J. R. Stat. Soc. Suppl. 8, 27 (1946)).
 */
export function correlationFactor(residuals: ArrayLike<number>): number {
  return factorOf(correlationOf(residuals));
}

/** The same, of a correlation as it was estimated from n residuals. */
export const factorOfRaw = (raw: number, n: number): number => (n < few ? 1 : factorOf(unbiased(raw, n)));

const factorOf = (rho: number): number => (1 + rho) / (1 - rho);

/**
 * The standard error of a mean of n values over their standard deviation. Neighbours that depend on each other are as good as fewer values (Bayley and
 * Hammersley, J. R. Stat. Soc. Suppl. 8, 184 (1946)), about whose mean they scatter less than about the truth; and the error is wider where few tell it
 * ({@link spreadOfT}).
 *
 * @param residuals in order of time, about their mean
 */
export function errorOfMean(residuals: ArrayLike<number>): number {
  const n = residuals.length;
  const rho = correlationOf(residuals);
  const factor = (1 + rho) / (1 - rho) - (2 * rho * (1 - rho ** n)) / (n * (1 - rho) ** 2);
  const variance = (factor * (n - 1)) / Math.max(n - factor, 1) / n;
  return Math.sqrt(variance) * spreadOfT((n - 1) / Math.max(factor, 1));
}

/**
 * By how much an error is wider where its variance is known by so few degrees of freedom (Student, Biometrika 6, 1 (1908)): between that of
 * the interval of 68 %, and that of the half of the interval of 95 %.
 */
export const spreadOfT = (freedom: number): number => 1 + 0.75 / Math.max(freedom, 1);
