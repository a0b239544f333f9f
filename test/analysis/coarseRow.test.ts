import { expect, test } from 'vitest';
import { createCoarseRow } from '../../src/analysis/coarseRow.ts';
import { createRowData, loadRow } from '../../src/analysis/rowData.ts';

test('neighbours are averaged, the rest at the end is left out, and what is saturated stays so', () => {
  const length = 135;
  const values = Float64Array.from({ length: length + 5 }, (_, i) => i - 5);
  const row = createRowData();
  const coarse = createCoarseRow();
  loadRow(row, values, 5, length, 100);
  coarse.fill(row);
  expect([coarse.step, coarse.length]).toEqual([3, 45]);
  for (let k = 0; k < 45; k++) expect(coarse.values[k]).toBeCloseTo(3 * k + 2 >= 100 ? 100 : 3 * k + 1, 12);
  loadRow(row, values, 5, length, Number.POSITIVE_INFINITY);
  coarse.fill(row);
  expect(coarse.values[44]).toBeCloseTo(133, 12);
});

test('a short row is not reduced', () => {
  const row = createRowData();
  const coarse = createCoarseRow();
  loadRow(row, new Float64Array(87), 0, 87, 100);
  coarse.fill(row);
  expect(coarse.step).toBe(1);
});
