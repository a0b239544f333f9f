import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { factor, solve } from '../../src/analysis/joint/choleskySolve.ts';
import {
  createKernelValues,
  fanoKernel,
  gaussianKernel,
  type LineKernel,
} from '../../src/analysis/joint/lineKernel.ts';
import type { LineProblem } from '../../src/analysis/lineProblem.ts';
import { type LinePoint, minimiseLine } from '../../src/analysis/minimiseLine.ts';
import { createRowData } from '../../src/analysis/rowData.ts';

/**
 * The reference data sets of NIST for nonlinear least squares whose models are single lines: Eckerle4 is a Gaussian without
 * a base, Kirby2 a Fano line, MGH09 one that goes through the origin. Gauss1 to Gauss3 are two lines on a falling
 * exponential, which is nothing that the engine fits.
 */
interface DataSet {
  x: number[];
  y: number[];
  starts: number[][];
  certified: number[];
  residualSumOfSquares: number;
}

const read = (name: string): DataSet =>
  JSON.parse(readFileSync(new URL(`../fixtures/nist/${name}.json`, import.meta.url), 'utf8'));

/** A function in which a model is linear, with its derivatives by position and width. */
interface Term {
  value: Float64Array;
  byPosition: Float64Array;
  byWidth: Float64Array;
}

function termOf(kernel: LineKernel, x: Float64Array, position: number, width: number, asymmetry: number): Term {
  const values = createKernelValues(x.length);
  // The points are at any distance from each other: each is a row of its own.
  for (let i = 0; i < x.length; i++) {
    kernel.fill({ count: 1, width: 1, centres: x.subarray(i, i + 1) }, position, width, asymmetry, values, i);
  }
  return { value: values.line, byPosition: values.byPosition, byWidth: values.byWidth };
}

const constant = (length: number): Term => ({
  value: new Float64Array(length).fill(1),
  byPosition: new Float64Array(length),
  byWidth: new Float64Array(length),
});

/** Least squares of a sum of terms as the solver takes it, the derivatives by Kaufman's form of variable projection. */
function problemOf(
  { x, y }: DataSet,
  terms: (position: number, width: number) => Term[],
): LineProblem & { coefficients: Float64Array; squares: number } {
  let current: Term[] = [];
  let at = { position: 0, width: 1 };
  let normal = new Float64Array(0);
  const residuals = new Float64Array(x.length);
  const dot = (a: Float64Array, b: ArrayLike<number>): number => a.reduce((sum, v, i) => sum + v * b[i], 0);
  const project = (column: Float64Array): Float64Array => {
    const parts = Float64Array.from(current, term => dot(term.value, column));
    solve(normal, current.length, parts);
    return column.map((v, i) => v - current.reduce((sum, term, k) => sum + parts[k] * term.value[i], 0));
  };
  const problem = {
    row: { ...createRowData(), length: 1000, count: x.length },
    coefficients: new Float64Array(0),
    squares: 0,
    evaluate(position: number, width: number): number {
      at = { position, width };
      current = terms(position, width);
      normal = Float64Array.from(current.flatMap(a => current.map(b => dot(a.value, b.value))));
      if (!factor(normal, current.length)) return Number.POSITIVE_INFINITY;
      const coefficients = Float64Array.from(current, term => dot(term.value, y));
      solve(normal, current.length, coefficients);
      problem.coefficients = coefficients;
      for (let i = 0; i < x.length; i++) {
        residuals[i] = y[i] - current.reduce((sum, term, k) => sum + coefficients[k] * term.value[i], 0);
      }
      problem.squares = dot(residuals, residuals);
      return problem.squares;
    },
    expand(into: Float64Array): void {
      const derivative = (name: 'byPosition' | 'byWidth'): Float64Array =>
        project(
          Float64Array.from(x, (_, i) =>
            current.reduce((sum, term, k) => sum + problem.coefficients[k] * term[name][i] * at.width, 0),
          ),
        );
      const u = derivative('byPosition');
      const v = derivative('byWidth');
      into.set([dot(u, u), dot(u, v), dot(v, v), dot(u, residuals), dot(v, residuals)]);
    },
    shift: (u: number, v: number) => problem.evaluate(at.position + u * at.width, at.width * (1 + v)),
    isDip: () => false,
    write() {},
  };
  return problem;
}

/** The solver's own end is a thousandth of a row's error; from there on the same steps go to the last digits. */
function minimise(problem: LineProblem, start: LinePoint): LinePoint {
  expect(minimiseLine(problem, start)).toBeNull();
  const e = new Float64Array(5);
  for (let step = 0; step < 30; step++) {
    problem.evaluate(start.position, start.width);
    problem.expand(e);
    const determinant = e[0] * e[2] - e[1] * e[1];
    start.position += (start.width * (e[2] * e[3] - e[1] * e[4])) / determinant;
    start.width *= 1 + (e[0] * e[4] - e[1] * e[3]) / determinant;
  }
  start.squares = problem.evaluate(start.position, start.width);
  return start;
}

function expectDigits(found: readonly number[], certified: readonly number[]): void {
  for (const [i, value] of certified.entries()) {
    expect(Math.abs(found[i] - value) / Math.abs(value), `b${i + 1}`).toBeLessThan(1e-8);
  }
}

test.each([0, 1])('Eckerle4, a Gaussian line without a base, from start %i', k => {
  const data = read('Eckerle4');
  const x = Float64Array.from(data.x);
  const problem = problemOf(data, (position, width) => [termOf(gaussianKernel, x, position, width, 0)]);
  const [, width, position] = data.starts[k];
  const found = minimise(problem, { position, width, squares: 0 });
  expectDigits([problem.coefficients[0] * found.width, found.width, found.position], data.certified);
  expectDigits([found.squares], [data.residualSumOfSquares]);
});

/** Position and width of the Lorentzian denominator x² + c1·x + c0. */
function denominator(c1: number, c0: number): LinePoint {
  return { position: -c1 / 2, width: Math.sqrt(c0 - (c1 * c1) / 4), squares: 0 };
}

test.each([0, 1])('Kirby2, a Fano line, from start %i', k => {
  const data = read('Kirby2');
  const x = Float64Array.from(data.x);
  const problem = problemOf(data, (position, width) => [
    constant(x.length),
    termOf(fanoKernel, x, position, width, 0),
    termOf(fanoKernel, x, position, width, Math.PI / 2),
  ]);
  const [, , , b4, b5] = data.starts[k];
  const { position, width, squares } = minimise(problem, denominator(b4 / b5, 1 / b5));
  // c0 + (c1·width² + c2·width·(x − position))/((x − position)² + width²), over the common denominator, which is 1 at 0.
  const [c0, c1, c2] = problem.coefficients;
  const scale = 1 / (position * position + width * width);
  const numerator = [c0 / scale + c1 * width * width - c2 * width * position, -2 * c0 * position + c2 * width, c0];
  expectDigits([...numerator.map(value => value * scale), -2 * position * scale, scale], data.certified);
  expectDigits([squares], [data.residualSumOfSquares]);
});

test('MGH09, a Fano line through the origin, from the second start; the first one is no line (its poles are real)', () => {
  const data = read('MGH09');
  const x = Float64Array.from(data.x);
  const problem = problemOf(data, (position, width) => {
    const l = termOf(fanoKernel, x, position, width, 0);
    const d = termOf(fanoKernel, x, position, width, Math.PI / 2);
    // x/((x − p)² + w²) = (p·L + w·D)/w² times w, and x times that.
    const sum = (f: (i: number) => number): Float64Array => Float64Array.from(x, (_, i) => f(i));
    const simple: Term = {
      value: sum(i => (position / width) * l.value[i] + d.value[i]),
      byPosition: sum(i => l.value[i] / width + (position / width) * l.byPosition[i] + d.byPosition[i]),
      byWidth: sum(i => (-position / width ** 2) * l.value[i] + (position / width) * l.byWidth[i] + d.byWidth[i]),
    };
    return [mapped(simple, i => x[i]), simple];
  });
  const [, , b3, b4] = data.starts[1];
  const { position, width, squares } = minimise(problem, denominator(b3, b4));
  const found = [
    problem.coefficients[0] * width,
    problem.coefficients[1] / problem.coefficients[0],
    -2 * position,
    position * position + width * width,
  ];
  expectDigits(found, data.certified);
  expectDigits([squares], [data.residualSumOfSquares]);
});

function mapped({ value, byPosition, byWidth }: Term, by: (i: number) => number): Term {
  return {
    value: value.map((v, i) => v * by(i)),
    byPosition: byPosition.map((v, i) => v * by(i)),
    byWidth: byWidth.map((v, i) => v * by(i)),
  };
}
