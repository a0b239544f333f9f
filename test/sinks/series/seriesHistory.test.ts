import { describe, expect, it } from 'vitest';
import { localIso, utcIso } from '../../../src/model/localTime.ts';
import type { ResultLine } from '../../../src/model/result.ts';
import type { RoiHistory } from '../../../src/model/roiHistory.ts';
import { SeriesHistory } from '../../../src/sinks/series/seriesHistory.ts';
import { SeriesWriter } from '../../../src/sinks/series/seriesWriter.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { sampleResult } from '../sampleResult.ts';

const folder = '/results/series';
const t0 = new Date(2026, 10, 22, 12).getTime();
/** Result number n: taken n / 10 seconds after t0, the first ROI at 100 + n. */
const image = (n: number, fields: Parameters<typeof sampleResult>[0] = {}): ResultLine =>
  sampleResult({
    id: `E${n}`,
    labels: ['a', 'b'],
    position: i => 100 * (i + 1) + n,
    timestamp: localIso(t0 + n * 100),
    temperatures: { T: n },
    ...fields,
  });
const images = (from: number, to: number): ResultLine[] => Array.from({ length: to - from }, (_, i) => image(from + i));
const numbers = ({ samples }: RoiHistory): number[] => samples.map(({ at }) => Math.round((at - t0) / 100));

function begin() {
  const files = new FaultyFiles();
  const history = new SeriesHistory(files, folder);
  const writer = SeriesWriter.open({ folder, files, sensors: [], warn: message => expect.fail(message) });
  const append = async (results: readonly ResultLine[]): Promise<void> => (await writer).append(results);
  return { files, history, append, look: async () => (await history.look())! };
}

describe('the history that charts show', () => {
  it('is every image of a short run, then those that come, and nothing while none does', async () => {
    const { history, append, look } = begin();
    expect(await look()).toEqual({ labels: [], baseline: Float64Array.of(), samples: [], flagNames: [] });
    await append([image(0), image(1, { failed: true }), image(2)]);
    const past = await look();
    expect(past.labels).toEqual(['a', 'b']);
    expect([...past.baseline]).toEqual([100, 200]);
    expect(past.samples[1]).toEqual({
      at: t0 + 200,
      frames: 1,
      lasted: 0,
      positions: Float32Array.of(102, 202),
      shifts: Float32Array.of(Number.NaN, Number.NaN),
      shiftUncertainties: Float32Array.of(Number.NaN, Number.NaN),
      flags: Uint16Array.of(0, 0),
      spread: null,
      chipShift: null,
      temperatures: { T: 2 },
    });
    expect(await history.look()).toBeNull();
    await append([image(3)]);
    const later = await look();
    expect([numbers(past), numbers(later)]).toEqual([
      [0, 2],
      [0, 2, 3],
    ]);
    expect(later.samples[0]).toBe(past.samples[0]);
    expect(later.baseline).toBe(past.baseline);
  });

  it('has of several images the median, the lowest and the highest, the flags of any, and how long they lasted', async () => {
    const { append, look } = begin();
    const shift = (n: number): number => (n === 101 ? 9 : n === 102 ? -4 : n % 2);
    for (let from = 0; from < 1_000; from += 100)
      await append(
        Array.from({ length: 100 }, (_, i) => {
          const line = image(from + i, { shift: shift(from + i) });
          if (from + i === 103) (line.image_analysis![1] as { flags: string[] }).flags = ['saturated'];
          return line;
        }),
      );
    const { samples, flagNames } = await look();
    const holding = samples.find(({ at, frames }) => at <= t0 + 10_100 && at + frames * 100 > t0 + 10_100)!;
    expect(holding.frames).toBe(4);
    expect(holding.lasted).toBe(300);
    expect([...holding.spread!.lows, ...holding.spread!.highs]).toEqual([-4, -4, 9, 9]);
    expect([...holding.spread!.all]).toEqual([-4, 0.5, 9]);
    expect([...holding.shifts]).toEqual([0.5, 0.5]);
    expect([...holding.flags].map(bits => flagNames.filter((_, bit) => bits & (1 << bit)))).toEqual([
      ['saturated'],
      [],
    ]);
    const single = samples.at(-1)!;
    expect([single.frames, single.spread, single.lasted, single.shiftUncertainties[0]]).toEqual([1, null, 0, 0.125]);
  });

  it('has a part of the past as closely as is asked for', async () => {
    const { files, append } = begin();
    for (let from = 0; from < 2_000; from += 100) await append(images(from, from + 100));
    const close = new SeriesHistory(files, folder);
    const read = async (from: number, to: number, points: number): Promise<number[][]> => {
      const { history } = await close.between({ from: t0 + from * 100, to: t0 + to * 100, points });
      return history.samples.map(({ at, frames }) => [Math.round((at - t0) / 100), frames]);
    };
    // One more to each side.
    expect(await read(100, 110, 100)).toEqual(Array.from({ length: 12 }, (_, i) => [99 + i, 1]));
    expect(await read(100, 164, 20)).toEqual(Array.from({ length: 18 }, (_, i) => [96 + 4 * i, 4]));
    expect((await read(-1e6, 1e6, 125)).length).toBe(125);
    expect(await read(5_000, 6_000, 20)).toEqual([[1_999, 1]]);
  });

  it('has how far the chip has moved, where that was seen', async () => {
    const { append, look } = begin();
    await append([image(0), { ...image(1), chip_shift: { dx: 1.5, dy: -2.25, angle: 0.125 } }]);
    const { samples } = await look();
    expect(samples.map(({ chipShift }) => chipShift)).toEqual([null, { dx: 1.5, dy: -2.25, angle: 0.125 }]);
  });

  it('shows the newest attempt of an image that was analysed anew, also where the one before was read already', async () => {
    const { append, look } = begin();
    await append([image(0), image(1), image(2)]);
    expect(numbers(await look())).toEqual([0, 1, 2]);
    await append([{ ...image(1, { position: () => 7 }), attempt: 2 }]);
    const { samples } = await look();
    expect(samples.map(({ positions }) => positions[0])).toEqual([100, 7, 102]);
  });

  it('shows every image of the last ones at any rate, and even means of all that came before', async () => {
    const { append, look } = begin();
    for (let i = 0; i < 3_000; i += 100) await append(images(i, i + 100));
    const { samples } = await look();
    const singles = samples.filter(({ frames }) => frames === 1);
    expect(singles.length).toBeGreaterThanOrEqual(800);
    expect(singles.slice(-240).map(({ positions }) => positions[0])).toEqual(
      Array.from({ length: 240 }, (_, i) => 100 + 2_760 + i),
    );
    expect(samples.reduce((sum, { frames }) => sum + frames, 0)).toBe(3_000);
    let n = 0;
    for (const { frames, positions, at } of samples) {
      expect([Math.round((at - t0) / 100), positions[0]]).toEqual([n, 100 + n + (frames - 1) / 2]);
      n += frames;
    }
    expect(samples.length).toBeLessThan(1_400);
  });

  it('reads only what is new at the next look', async () => {
    const { files, append, look } = begin();
    await append(images(0, 1_000));
    await look();
    await append(images(1_000, 1_001));
    let bytes = 0;
    const open = files.open.bind(files);
    files.open = async (path, flags) => {
      const file = await open(path, flags);
      const read = async (into: Uint8Array, at: number): Promise<number> => {
        const length = await file.read(into, at);
        bytes += length;
        return length;
      };
      return { ...file, read };
    };
    expect((await look()).samples.at(-1)!.at).toBe(t0 + 100_000);
    expect(bytes).toBeLessThan(12_000);
  });

  it('knows ROIs by their labels, over all segments, with the baseline of each from its first image', async () => {
    const { append, look } = begin();
    await append([image(0), image(1, { labels: ['c', 'a'] }), image(2, { labels: ['b'] })]);
    const { labels, baseline, samples } = await look();
    expect(labels).toEqual(['a', 'b', 'c']);
    expect([...baseline]).toEqual([100, 200, 101]);
    expect(samples.map(({ positions }) => [...positions])).toEqual([
      [100, 200, Number.NaN],
      [201, Number.NaN, 101],
      [Number.NaN, 102, Number.NaN],
    ]);
  });

  it('begins anew where the series does', async () => {
    const { files, append, look } = begin();
    await append(images(0, 20));
    await look();
    for (const path of files.paths()) files.drop(path);
    expect((await look()).samples).toEqual([]);
    const other = await SeriesWriter.open({ folder, files, sensors: [], warn: () => undefined });
    await other.append(images(50, 52));
    const anew = await look();
    expect([numbers(anew), anew.baseline[0]]).toEqual([[50, 51], 150]);
  });

  it('tells the two hours that look alike in autumn apart, and shows times of other zones as they are', async () => {
    const { append, look } = begin();
    const zoned = { ...image(0), image_timestamp_utc: utcIso(t0) };
    const elsewhere = { ...image(1), image_timestamp_utc: utcIso(t0 - 5 * 3_600_000) };
    await append([zoned, elsewhere, { ...image(2), image_timestamp_utc: null }]);
    expect(numbers(await look())).toEqual([0, 1, 2]);
  });
});
