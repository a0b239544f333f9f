import fc from 'fast-check';
import { expect, test } from 'vitest';
import { solveNotNegative } from '../../src/analysis/joint/solveNotNegative.ts';

const number = fc.double({ min: -5, max: 5, noNaN: true });
const vector = fc.tuple(number, number, number);

test('no other solution without negative parts is better', () => {
  fc.assert(
    fc.property(fc.tuple(vector, vector, vector), vector, fc.array(vector, { maxLength: 20 }), (rows, b, others) => {
      // M′M + 0.01: symmetric and positive.
      const a = [0, 1, 2].map(i =>
        [0, 1, 2].map(j => rows.reduce((sum, row) => sum + row[i] * row[j], i === j ? 0.01 : 0)),
      );
      const x = new Float64Array(3);
      solveNotNegative(a[0][0], a[0][1], a[0][2], a[1][1], a[1][2], a[2][2], ...b, x);
      const cost = (p: ArrayLike<number>): number => {
        let sum = 0;
        for (let i = 0; i < 3; i++) {
          sum -= b[i] * p[i];
          for (let j = 0; j < 3; j++) sum += 0.5 * a[i][j] * p[i] * p[j];
        }
        return sum;
      };
      for (const part of x) expect(part).toBeGreaterThanOrEqual(0);
      const found = cost(x);
      for (const other of [[0, 0, 0], ...others]) {
        expect(found).toBeLessThanOrEqual(cost(other.map(Math.abs)) + 1e-7 * (1 + Math.abs(found)));
      }
      // Nor are its neighbours.
      for (let i = 0; i < 3; i++) {
        for (const step of [-1e-3, 1e-3]) {
          const near = Float64Array.from(x, (value, k) => Math.max(0, value + (k === i ? step : 0)));
          expect(found).toBeLessThanOrEqual(cost(near) + 1e-7 * (1 + Math.abs(found)));
        }
      }
    }),
  );
});
