import { describe, expect, it } from 'vitest';
import type { ResultSample } from '../../src/streams/console/resultSample.ts';
import { RoiSeries } from '../../src/streams/console/roiSeries.ts';

const sample = (at: number, positions: number[], labels = positions.map((_, i) => `r${i}`)): ResultSample => ({
  at,
  labels,
  positions: Float64Array.from(positions),
  temperatures: { T: at },
});

describe('a series of results', () => {
  it('is in order of time, however it was read, and holds each time once', () => {
    const series = new RoiSeries(10);
    for (const at of [5, 1, 3, 9, 3]) series.add(sample(at, [at]));
    const { samples } = series.history();
    expect(samples.map(({ at }) => at)).toEqual([1, 3, 5, 9]);
    expect(samples[1]).toEqual({ at: 3, positions: Float64Array.of(3), temperatures: { T: 3 } });
  });

  it('takes the baseline of each ROI from the first of the first results that has it', () => {
    const series = new RoiSeries(10);
    series.addFirst(sample(1, [Number.NaN, 20]));
    expect(series.hasBaseline).toBe(false);
    series.addFirst(sample(2, [11, 21]));
    expect(series.hasBaseline).toBe(true);
    series.add(sample(0, [12, 22]));
    expect([...series.history().baseline]).toEqual([11, 20]);
  });

  it('takes it from the earliest other result where none of the first has it', () => {
    const series = new RoiSeries(10);
    series.addFirst(sample(1, [10, Number.NaN]));
    expect([...series.history().baseline]).toEqual([10, Number.NaN]);
    series.add(sample(9, [12, 29]));
    series.add(sample(5, [11, 25]));
    series.add(sample(7, [11, 27]));
    expect([...series.history().baseline]).toEqual([10, 25]);
  });

  it('grows by ROIs that come later, and knows them by their labels', () => {
    const series = new RoiSeries(10);
    series.addFirst(sample(1, [10, 20], ['a', 'b']));
    series.add(sample(2, [31, 11], ['c', 'a']));
    series.add(sample(3, [22], ['b']));
    const { labels, baseline, samples } = series.history();
    expect(labels).toEqual(['a', 'b', 'c']);
    expect([...baseline]).toEqual([10, 20, 31]);
    expect(samples.map(({ positions }) => [...positions])).toEqual([
      [10, 20, Number.NaN],
      [11, Number.NaN, 31],
      [Number.NaN, 22, Number.NaN],
    ]);
  });

  it('gives values that later samples do not change', () => {
    const series = new RoiSeries(3);
    series.addFirst(sample(1, [1]));
    const before = series.history();
    const copy = structuredClone(before);
    for (let at = 2; at < 20; at++) series.add(sample(at * 1000, [at, at]));
    expect(before).toEqual(copy);
  });

  it('stays bounded over a week of results, with both ends, dense near the end and over all of it', () => {
    const series = new RoiSeries(600);
    const second = 1_000;
    const week = 7 * 24 * 3600 * second;
    for (let at = 0; at <= week; at += 20 * second) series.add(sample(at, [at]));
    const { samples } = series.history();
    expect(samples).toHaveLength(600);
    expect([samples[0].at, samples.at(-1)?.at]).toEqual([0, week]);
    const within = (from: number, to: number): number =>
      samples.filter(({ at }) => at >= week - from && at <= week - to).length;
    expect(within(3600 * second, 0)).toBeGreaterThan(60);
    expect(within(24 * 3600 * second, 0)).toBeGreaterThan(150);
    let widest = 0;
    for (let i = 1; i < samples.length; i++) widest = Math.max(widest, samples[i].at - samples[i - 1].at);
    expect(widest).toBeLessThan(week / 150);
  });
});
