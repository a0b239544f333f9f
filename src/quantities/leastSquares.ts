import { factor, solve } from '../analysis/joint/choleskySolve.ts';

/** A fit of a few parameters. */
export interface LeastSquaresFit {
  parameters: Float64Array;
  /** Row by row; of residuals of variance 1. */
  covariance: Float64Array;
  /** Sum of the squared residuals. */
  cost: number;
  residuals: Float64Array;
  isConverged: boolean;
}

const maxSteps = 200;
/** A step that lowers the cost by less of it ends the search. */
const smallest = 1e-12;

/**
 * Parameters with the least sum of squared residuals near a start: damped steps of Levenberg and Marquardt (Marquardt, J. Soc. Indust. Appl. Math.
 * 11, 431 (1963)), with derivatives by central differences. Null where the residuals do not determine the parameters.
 *
 * @param residualsAt fills in the residuals, each over its standard deviation
 * @param start of about the size of 1 each: a step of the derivatives is 1e-6 of it, or of 1
 */
export function leastSquares(
  residualsAt: (parameters: Float64Array, into: Float64Array) => void,
  count: number,
  start: readonly number[],
): LeastSquaresFit | null {
  const size = start.length;
  let parameters = Float64Array.from(start);
  let residuals = new Float64Array(count);
  residualsAt(parameters, residuals);
  let cost = squares(residuals);
  let damping = 1e-3;
  let isConverged = false;
  let normal = normalMatrix(residualsAt, parameters, residuals);
  for (let step = 0; step < maxSteps && !isConverged; step++) {
    const { matrix, gradient } = normal;
    const damped = matrix.slice();
    for (let i = 0; i < size; i++) damped[i * size + i]! *= 1 + damping;
    const move = solveSymmetric(damped, size, gradient);
    if (!move) return null;
    const tried = parameters.map((value, i) => value - move[i]!);
    const at = new Float64Array(count);
    residualsAt(tried, at);
    const triedCost = squares(at);
    if (triedCost <= cost) {
      isConverged = cost - triedCost <= smallest * cost;
      [parameters, residuals, cost] = [tried, at, triedCost];
      damping = Math.max(1e-12, damping / 10);
      normal = normalMatrix(residualsAt, parameters, residuals);
    } else {
      damping *= 10;
      // No step however small is better: it is the least.
      if (damping > 1e12) isConverged = true;
    }
  }
  const covariance = inverse(normal.matrix, size);
  return covariance && { parameters, covariance, cost, residuals, isConverged };
}

const squares = (values: Float64Array): number => values.reduce((sum, value) => sum + value * value, 0);

function normalMatrix(
  residualsAt: (parameters: Float64Array, into: Float64Array) => void,
  parameters: Float64Array,
  residuals: Float64Array,
): { matrix: Float64Array; gradient: Float64Array } {
  const size = parameters.length;
  const { length: count } = residuals;
  const columns = Array.from(parameters, (value, i) => {
    const h = 1e-6 * Math.max(1, Math.abs(value));
    const [above, below] = [parameters.slice(), parameters.slice()];
    above[i] = value + h;
    below[i] = value - h;
    const [plus, minus] = [new Float64Array(count), new Float64Array(count)];
    residualsAt(above, plus);
    residualsAt(below, minus);
    return plus.map((each, k) => (each - minus[k]!) / (2 * h));
  });
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, k) => sum + value * b[k]!, 0);
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) matrix[i * size + j] = j < i ? matrix[j * size + i]! : dot(columns[i]!, columns[j]!);
  return { matrix, gradient: Float64Array.from(columns, column => dot(column, residuals)) };
}

/** Null where the matrix is not positive definite. */
function solveSymmetric(matrix: Float64Array, size: number, b: Float64Array): Float64Array | null {
  const own = matrix.slice();
  const x = b.slice();
  if (!factor(own, size)) return null;
  solve(own, size, x);
  return x;
}

function inverse(matrix: Float64Array, size: number): Float64Array | null {
  const own = matrix.slice();
  if (!factor(own, size)) return null;
  const result = new Float64Array(size * size);
  for (let j = 0; j < size; j++) {
    const unit = new Float64Array(size);
    unit[j] = 1;
    solve(own, size, unit);
    for (let i = 0; i < size; i++) result[i * size + j] = unit[i]!;
  }
  return result;
}
