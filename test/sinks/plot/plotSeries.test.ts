import { describe, expect, it } from 'vitest';
import { PlotSeries } from '../../../src/sinks/plot/plotSeries.ts';
import { thinPlotData } from '../../../src/sinks/plot/thinPlotData.ts';

const frame = (time: number, positions: Record<string, number | null>, temperatures: Record<string, number> = {}) => ({
  time,
  positions: Object.entries(positions),
  temperatures: Object.entries(temperatures),
});

describe('PlotSeries', () => {
  it('keeps every image while there is room, gaps as gaps', () => {
    const series = new PlotSeries(8);
    series.add(frame(10, { a: 1, b: null }, { lid: 20 }));
    series.add(frame(20, { a: 2, c: 7 }));
    const data = series.data();
    expect([...data.times]).toEqual([10, 20]);
    expect(data.rois.map(({ name, values }) => [name, ...values])).toEqual([
      ['a', 1, 2],
      ['b', Number.NaN, Number.NaN],
      ['c', Number.NaN, 7],
    ]);
    expect(data.sensors.map(({ name, values }) => [name, ...values])).toEqual([['lid', 20, Number.NaN]]);
  });

  it('merges neighbours when it is full, so that points stay even and bounded', () => {
    const series = new PlotSeries(8);
    for (let i = 0; i < 1000; i++) series.add(frame(i, { a: i, late: i < 500 ? null : i }));
    const { times, rois, stride, frames, first, last } = series.data();
    expect([frames, first, last]).toEqual([1000, 0, 999]);
    expect(times.length).toBeLessThanOrEqual(8);
    expect(stride).toBe(128);
    expect([...times]).toEqual([0, 128, 256, 384, 512, 640, 768, 896]);
    // Each point is the mean of the images in it; those without a value do not count.
    expect([...(rois[0]?.values ?? [])]).toEqual([63.5, 191.5, 319.5, 447.5, 575.5, 703.5, 831.5, 947.5]);
    expect([...(rois[1]?.values ?? [])].slice(3)).toEqual([505.5, 575.5, 703.5, 831.5, 947.5]);
  });

  it('gives points in order of time when images come out of order', () => {
    const series = new PlotSeries(8);
    for (const time of [10, 30, 20]) series.add(frame(time, { a: time }));
    expect([...series.data().times]).toEqual([10, 20, 30]);
    expect([...(series.data().rois[0]?.values ?? [])]).toEqual([10, 20, 30]);
  });

  it('measures shifts from the mean of the first three values, whatever is merged later', () => {
    const series = new PlotSeries(4);
    for (const value of [null, 1, 2, 3, 50, 60, 70]) series.add(frame(0, { a: value }));
    expect(series.data().rois[0]?.baseline).toBe(2);
  });

  it('goes on after its bytes were read back as if nothing had happened', () => {
    const [whole, before] = [new PlotSeries(8), new PlotSeries(8)];
    const add = (series: PlotSeries, i: number): void =>
      series.add(frame(i * 10, { a: Math.sin(i), [`roi ${i % 13}`]: i % 7 === 0 ? null : i }, { lid: 20 + i / 100 }));
    for (let i = 0; i < 300; i++) add(whole, i);
    for (let i = 0; i < 123; i++) add(before, i);
    before.position = { segment: 3, length: 99 };
    before.method = 'fano';
    const after = PlotSeries.from(before.bytes());
    expect(after.position).toEqual({ segment: 3, length: 99 });
    expect(after.data()).toEqual(before.data());
    for (let i = 123; i < 300; i++) add(after, i);
    expect(after.data()).toEqual({ ...whole.data(), method: 'fano' });
    expect(PlotSeries.from(new PlotSeries().bytes()).data().frames).toBe(0);
  });

  it('refuses bytes that are damaged or something else', () => {
    const series = new PlotSeries(8);
    for (let i = 0; i < 5; i++) series.add(frame(i, { a: i }));
    const bytes = Buffer.from(series.bytes());
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ 1;
      expect(() => PlotSeries.from(damaged), `byte ${at}`).toThrow();
    }
    expect(() => PlotSeries.from(bytes.subarray(0, -1))).toThrow('checksum');
    expect(() => PlotSeries.from(Buffer.alloc(0))).toThrow('not a plot series');
  });
});

describe('thinPlotData', () => {
  it('halves until there are few enough points, and says how many images each is', () => {
    const series = new PlotSeries(64);
    for (let i = 0; i < 21; i++) series.add(frame(i, { a: i }));
    const thin = thinPlotData(series.data(), 6);
    expect([...thin.times]).toEqual([0, 4, 8, 12, 16, 20]);
    expect([...(thin.rois[0]?.values ?? [])]).toEqual([1.5, 5.5, 9.5, 13.5, 17.5, 20]);
    expect(thin.stride).toBe(4);
    expect(thinPlotData(thin, 6)).toBe(thin);
  });
});
