import { expect, test } from 'vitest';
import { seriesClock } from '../../../src/sinks/series/seriesClock.ts';
import { layoutFor, readHeader } from '../../../src/sinks/series/seriesFormat.ts';
import { mergeRows } from '../../../src/sinks/series/seriesLevels.ts';
import { sampleResult } from '../sampleResult.ts';

test('the brightness of a frame stands in its row, also of a black one; in a row of an earlier version it is not known', () => {
  const line = sampleResult({ id: 'a', labels: ['x'] });
  const layout = layoutFor({ id: 'i', began: null }, line, [], null);
  const of = (brightness: number) => {
    const row = layout.rowOf({ ...line, image_analysis: [{ brightness, contrast: 0 }] }, seriesClock());
    return readHeader(layout.bytes).decode(layout.encode(row, 0), 0)!;
  };
  const rows = [of(0), of(812.5), of(Number.NaN)];
  expect(rows.map(({ brightness }) => brightness)).toEqual([0, 812.5, Number.NaN]);
  expect(mergeRows(rows).brightness).toBe(406.25);
  // What a version without it wrote there.
  expect(layout.encode({ ...rows[0]!, brightness: Number.NaN }, 0).readUInt32LE(12)).toBe(0);
});
