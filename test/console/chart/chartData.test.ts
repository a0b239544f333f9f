import { describe, expect, it } from 'vitest';
import { chartData } from '../../../src/console/chart/chartData.ts';
import type { RoiHistory } from '../../../src/model/roiHistory.ts';
import { sampleOf } from '../sampleConsole.ts';

/** Samples of one ROI, an image a second. */
function historyOf(samples: readonly [second: number, frames: number, position: number][]): RoiHistory {
  return {
    labels: ['a'],
    baseline: Float64Array.of(100),
    flagNames: [],
    samples: samples.map(([second, frames, position]) =>
      sampleOf({ at: second * 1000, frames, positions: Float64Array.of(position) }),
    ),
  };
}
const singles = (from: number, to: number): [number, number, number][] =>
  Array.from({ length: to - from }, (_, i) => [from + i, 1, 100 + from + i]);
const drawn = (history: RoiHistory, span: number | null = null) => {
  const { shifts, gapMs } = chartData(history, null, span);
  const [{ times, values, frames }] = shifts as [(typeof shifts)[number]];
  return { points: times.map((at, i) => [at / 1000, values[i], frames![i]]), gapMs };
};

describe('the curves of the chart', () => {
  it('show every image where every sample is one', () => {
    const { points } = drawn(historyOf(singles(0, 20)));
    expect(points).toEqual(singles(0, 20).map(([second]) => [second, second, 1]));
  });

  it('are as calm at the end as at the beginning: where older samples are means of four, all are', () => {
    const history = historyOf([[0, 4, 101.5], [4, 4, Number.NaN], ...singles(8, 17)]);
    expect(drawn(history).points).toEqual([
      [0, 1.5, 4],
      [4, Number.NaN, 4],
      [8, 9.5, 4],
      [12, 13.5, 4],
      [16, 16, 1],
    ]);
    // In a span without means there is nothing to merge.
    expect(drawn(history, 5_000).points).toHaveLength(6);
  });

  it('break where the images did, and not where means follow each other at their distance', () => {
    const samples = [
      ...singles(0, 1).map((): [number, number, number] => [0, 16, 100]),
      ...singles(16, 24),
      ...singles(500, 530),
    ];
    const { points, gapMs } = drawn(historyOf(samples));
    expect(gapMs).toBe(6_000);
    expect(points.map(([second, , frames]) => [second, frames])).toEqual([
      [0, 16],
      [16, 8],
      [500, 16],
      [516, 14],
    ]);
  });
});
