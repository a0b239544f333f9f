import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFanoProblem } from '../../src/analysis/fanoProblem.ts';
import { createGaussianProblem } from '../../src/analysis/gaussianProblem.ts';
import { loadRow } from '../../src/analysis/rowData.ts';

const length = 120;
const ramp = Float64Array.from(
  { length },
  (_, x) => 50 * Math.exp(-((x - 58) ** 2) / 450) + 9 * Math.sin(x * x) + 0.05 * x,
);

test.each([
  ['gaussian', createGaussianProblem()],
  ['fano', createFanoProblem()],
] as const)('%s: the expansion is that of the squares, by differences', (_, problem) => {
  let newton = 0;
  const nearLine = fc.record({
    position: fc.double({ min: 50, max: 66, noNaN: true }),
    width: fc.double({ min: 12, max: 22, noNaN: true }),
    ceiling: fc.constantFrom(Number.POSITIVE_INFINITY, 45),
  });
  fc.assert(
    fc.property(nearLine, ({ position, width, ceiling }) => {
      loadRow(problem.row, ramp, 0, length, ceiling);
      const half = (u: number, v: number): number => problem.evaluate(position + u * width, width * (1 + v)) / 2;
      const h = 1e-3;
      const at = half(0, 0);
      const gradient = [(half(-h, 0) - half(h, 0)) / (2 * h), (half(0, -h) - half(0, h)) / (2 * h)];
      const curvature = [
        (half(h, 0) - 2 * at + half(-h, 0)) / h ** 2,
        (half(h, h) - half(h, -h) - half(-h, h) + half(-h, -h)) / (4 * h ** 2),
        (half(0, h) - 2 * at + half(0, -h)) / h ** 2,
      ];
      const expansion = new Float64Array(5);
      problem.evaluate(position, width);
      problem.expand(expansion);
      const [huu, huv, hvv, bu, bv] = expansion;
      const size = Math.max(...curvature.map(Math.abs));
      expect(Math.abs(bu - gradient[0])).toBeLessThan(1e-4 * size);
      expect(Math.abs(bv - gradient[1])).toBeLessThan(1e-4 * size);
      expect(huu).toBeGreaterThan(0);
      expect(huu * hvv).toBeGreaterThan(huv ** 2);
      // Where the squares do not curve upwards it is Gauss–Newton's, which differs.
      if (Math.abs(huu - curvature[0]) > 1e-3 * size) return;
      newton++;
      expect(Math.abs(huv - curvature[1])).toBeLessThan(1e-3 * size);
      expect(Math.abs(hvv - curvature[2])).toBeLessThan(1e-3 * size);
    }),
    { numRuns: 200 },
  );
  expect(newton).toBeGreaterThan(150);
});

test.each([
  ['gaussian', createGaussianProblem(), 4],
  ['fano', createFanoProblem(), 5],
] as const)('%s: a shift is an evaluation there, to the second order', (_, problem, parameters) => {
  loadRow(problem.row, ramp, 0, length, 45);
  const [position, width] = [57, 16];
  const shifted = new Float64Array(parameters);
  const evaluated = new Float64Array(parameters);
  /** Greatest relative difference of the parameters after a step of that length. */
  const error = (size: number): number => {
    const [u, v] = [size, -0.7 * size];
    problem.evaluate(position, width);
    const squares = problem.shift(u, v);
    problem.write(shifted);
    expect(Math.abs(squares / problem.evaluate(position + u * width, width * (1 + v)) - 1)).toBeLessThan(
      20 * size ** 2,
    );
    problem.write(evaluated);
    return Math.max(...shifted.map((value, i) => Math.abs(value / evaluated[i] - 1)));
  };
  expect(error(1e-3)).toBeLessThan(1e-5);
  expect(error(1e-4)).toBeLessThan(1e-7);
});
