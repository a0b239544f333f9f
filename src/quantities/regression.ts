/** A value against which something is plotted, with a measured one and its standard error. */
export interface RegressionPoint {
  x: number;
  y: number;
  sigma: number;
}

export interface StraightLine {
  slope: number;
  slopeSigma: number;
  /** At x = 0. */
  intercept: number;
  interceptSigma: number;
  /** Sum of the squared residuals over their variances; with as many degrees of freedom it is about the same number. */
  chiSquared: number;
  freedom: number;
}

/**
 * The straight line through points of different weights, y = intercept + slope·x, by weighted least squares (Press et al., Numerical Recipes,
 * 3rd ed., section 15.2). Where the points scatter more than their errors say, the errors of the line grow by √(χ²/freedom). Null for fewer than
 * two different x.
 */
export function fitLine(points: readonly RegressionPoint[]): StraightLine | null {
  // Of one x alone the square below is what rounding leaves of 0, which may be more than 0.
  if (points.every(({ x }) => x === points[0]?.x)) return null;
  let [sum, sumX, sumY] = [0, 0, 0];
  for (const { x, y, sigma } of points) {
    const weight = 1 / sigma ** 2;
    sum += weight;
    sumX += weight * x;
    sumY += weight * y;
  }
  const [meanX, meanY] = [sumX / sum, sumY / sum];
  let [squareX, product] = [0, 0];
  for (const { x, y, sigma } of points) {
    squareX += (x - meanX) ** 2 / sigma ** 2;
    product += ((x - meanX) * (y - meanY)) / sigma ** 2;
  }
  if (!(squareX > 0) || !Number.isFinite(sum)) return null;
  const slope = product / squareX;
  const intercept = meanY - slope * meanX;
  const chiSquared = points.reduce((total, { x, y, sigma }) => total + ((y - intercept - slope * x) / sigma) ** 2, 0);
  const freedom = points.length - 2;
  const scale = freedom > 0 ? Math.sqrt(Math.max(1, chiSquared / freedom)) : 1;
  return {
    slope,
    slopeSigma: scale / Math.sqrt(squareX),
    intercept,
    interceptSigma: scale * Math.sqrt(1 / sum + meanX ** 2 / squareX),
    chiSquared,
    freedom,
  };
}
