import { expect, test } from 'vitest';
import { seriesClock } from '../../../src/sinks/series/seriesClock.ts';
import { layoutFor, readHeader } from '../../../src/sinks/series/seriesFormat.ts';
import { mergeRows } from '../../../src/sinks/series/seriesLevels.ts';
import { sampleResult } from '../sampleResult.ts';

const line = (chip_shift: { dx: number; dy: number; angle: number } | null) => ({
  ...sampleResult({ id: 'a', labels: ['x', 'y', 'z'], temperatures: { T: 20 } }),
  chip_shift,
});

test('the movement of the chip stands in the row of the series, and its mean in the levels above', () => {
  const moved = line({ dx: 1.5, dy: -2.25, angle: 0.125 });
  const layout = layoutFor({ id: 'i', began: null }, moved, [], null);
  const again = readHeader(layout.bytes);
  const rows = [moved, line(null), line({ dx: 0.5, dy: 0.25, angle: 0.375 })].map(each => {
    const bytes = layout.encode(layout.rowOf(each, seriesClock()), 0);
    return again.decode(bytes, 0)!;
  });
  expect([...rows[0].chipShift]).toEqual([1.5, -2.25, 0.125]);
  expect([...rows[1].chipShift]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  expect([...mergeRows(rows).chipShift]).toEqual([1, -1, 0.25]);
  expect(again.header.chip).toEqual(['dx', 'dy', 'angle']);
});
