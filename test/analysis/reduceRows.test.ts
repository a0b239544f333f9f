import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reduceRows } from '../../src/analysis/rowsEstimator.ts';

const reduce = (rows: number[][], count: number): number[][] => {
  const cols = rows[0].length;
  const out = new Float64Array(count * cols).fill(Number.NaN);
  reduceRows(Float64Array.from(rows.flat()), rows.length, cols, count, out);
  return Array.from({ length: count }, (_, k) => Array.from(out.subarray(k * cols, (k + 1) * cols)));
};

test('every row counts, by its share', () => {
  expect(
    reduce(
      [
        [1, 10],
        [2, 20],
        [6, 60],
      ],
      1,
    ),
  ).toEqual([[3, 30]]);
  // Output rows of 1.5 input rows: the middle one goes half to each.
  const [[upper], [lower]] = reduce([[1], [2], [6]], 2);
  expect(upper).toBeCloseTo((1 + 0.5 * 2) / 1.5, 12);
  expect(lower).toBeCloseTo((0.5 * 2 + 6) / 1.5, 12);
});

test('as many rows as there are is a copy; more repeat them', () => {
  expect(reduce([[1], [2], [3]], 3)).toEqual([[1], [2], [3]]);
  expect(reduce([[1], [3]], 4)).toEqual([[1], [1], [3], [3]]);
});

test('the mean of the means is the mean, for any numbers of rows', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 65535 }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 70 }),
      (values, count) => {
        const reduced = reduce(
          values.map(value => [value]),
          count,
        ).flat();
        const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length;
        expect(mean(reduced)).toBeCloseTo(mean(values), 6);
      },
    ),
    { numRuns: 200 },
  );
});
