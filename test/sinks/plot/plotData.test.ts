import { describe, expect, it } from 'vitest';
import type { ResultLine } from '../../../src/model/result.ts';
import { type PlotData, readPlotData, thinPlotData } from '../../../src/sinks/plot/plotData.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { sampleResult } from '../sampleResult.ts';
import { writeSeries } from '../series/writeSeries.ts';

let id = 0;
/** @param time ms after the beginning of 2025 */
function frame(
  time: number,
  positions: Record<string, number | null>,
  temperatures: Record<string, number> = {},
): ResultLine {
  const labels = Object.keys(positions);
  const timestamp = new Date(Date.UTC(2025, 0, 1) + time).toISOString().slice(0, -1);
  return sampleResult({ id: `e${id++}`, labels, position: i => positions[labels[i]!]!, timestamp, temperatures });
}

async function dataOf(results: readonly ResultLine[], most?: number): Promise<PlotData & { at: number[] }> {
  const data = await readPlotData(await writeSeries(new FaultyFiles(), '/series', results), most);
  return { ...data, at: [...data.times].map(time => time - Date.UTC(2025, 0, 1)) };
}

describe('what the plot shows', () => {
  it('is every image while there is room, gaps as gaps', async () => {
    const { at, rois, sensors, frames, method } = await dataOf([
      frame(10, { a: 1, b: null }, { Lid: 20 }),
      frame(20, { a: 2, c: 7 }),
    ]);
    expect(at).toEqual([10, 20]);
    expect(rois.map(({ name, values }) => [name, ...values])).toEqual([
      ['a', 1, 2],
      ['b', Number.NaN, Number.NaN],
      ['c', Number.NaN, 7],
    ]);
    expect(sensors.map(({ name, values }) => [name, ...values])).toEqual([['Lid', 20, Number.NaN]]);
    expect([frames, method]).toEqual([2, 'gaussian']);
  });

  it('is the newest attempt of an image that was analysed anew, and shifts are from the earliest images', async () => {
    const before = [0, 1, 2, 3, 4].map(time => frame(time, { a: 100 + time }));
    const anew = before.map(line => ({ ...sampleResult({ labels: ['a'], position: 10 }), ...line, attempt: 2 }));
    for (const line of anew) line.image_analysis = frame(0, { a: 10 }).image_analysis;
    const { at, rois, frames } = await dataOf([...before, ...anew.slice(1)]);
    expect([at, frames]).toEqual([[0, 1, 2, 3, 4], 5]);
    expect([...rois[0]!.values]).toEqual([100, 10, 10, 10, 10]);
    expect(rois[0]!.baseline).toBe(40);
  });

  it('is means of neighbours when there are many, so that points stay even and bounded', async () => {
    const results = Array.from({ length: 1000 }, (_, i) => frame(i, { a: i, late: i < 500 ? null : i }));
    const { at, rois, stride, frames, first, last, times } = await dataOf(results, 8);
    expect([frames, last - first, times.length, stride]).toEqual([1000, 999, 8, 128]);
    expect(at).toEqual([0, 128, 256, 384, 512, 640, 768, 896]);
    // Each point is the mean of the images in it; those without a value do not count.
    expect([...rois[0]!.values]).toEqual([63.5, 191.5, 319.5, 447.5, 575.5, 703.5, 831.5, 947.5]);
    expect([...rois[1]!.values].slice(3)).toEqual([505.5, 575.5, 703.5, 831.5, 947.5]);
  });

  it('is in order of time when images come out of order', async () => {
    const { at, rois } = await dataOf([10, 30, 20].map(time => frame(time, { a: time })));
    expect(at).toEqual([10, 20, 30]);
    expect([...rois[0]!.values]).toEqual([10, 20, 30]);
  });

  it('has shifts from the mean of the first three values, whatever is merged', async () => {
    const results = [null, 1, 2, 3, ...Array.from({ length: 200 }, (_, i) => 50 + i)].map((a, i) => frame(i, { a }));
    expect((await dataOf(results, 4)).rois[0]!.baseline).toBe(2);
  });

  it('has the shifts from the reference once there is one, and none before: positions count from another zero', async () => {
    const at = (time: number, position: number, shift: number | null) =>
      sampleResult({ id: `s${time}`, labels: ['a'], position, shift, timestamp: `2025-01-01T00:00:0${time}.000000` });
    // The position in the reference is 4 px from those in the frames alone.
    const results = [at(0, 101, null), at(1, 101.5, null), at(2, 108, 2.5), at(3, 109, 3.5)];
    for (const most of [8, 2]) {
      const [track] = (await dataOf(results, most)).rois;
      expect([...track!.shifts]).toEqual(most === 8 ? [Number.NaN, Number.NaN, 2.5, 3.5] : [Number.NaN, 3]);
    }
  });

  it('names sensors as the configuration does, whatever the results call them', async () => {
    const { sensors } = await dataOf([
      frame(10, { a: 1 }, { 'Simulated room': 22 }),
      frame(20, { a: 1 }, { 'Lid 2': 20 }),
    ]);
    expect(sensors.map(({ name }) => name)).toEqual(['Simulated room', 'Lid 2']);
  });

  it('has the first points as the baseline of a ROI that was dark for long', async () => {
    const results = Array.from({ length: 400 }, (_, i) => frame(i, { a: 1, dark: i < 300 ? null : 5 }));
    expect((await dataOf(results, 8)).rois[1]!.baseline).toBe(5);
  });

  it('is nothing where there is no series', async () => {
    expect(await dataOf([])).toMatchObject({ frames: 0, rois: [], sensors: [], method: null });
  });
});

describe('thinPlotData', () => {
  it('halves until there are few enough points, and says how many images each is', async () => {
    const data = await dataOf(Array.from({ length: 21 }, (_, i) => frame(i, { a: i })));
    const thin = thinPlotData(data, 6);
    expect([...thin.times].map(time => time - Date.UTC(2025, 0, 1))).toEqual([0, 4, 8, 12, 16, 20]);
    expect([...thin.rois[0]!.values]).toEqual([1.5, 5.5, 9.5, 13.5, 17.5, 20]);
    expect(thin.stride).toBe(4);
    expect(thinPlotData(thin, 6)).toBe(thin);
  });
});
