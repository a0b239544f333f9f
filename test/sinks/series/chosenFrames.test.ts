import { expect, test } from 'vitest';
import type { OpenFile } from '../../../src/files/files.ts';
import { wrapFiles, wrapOpenFile } from '../../../src/files/wrapFiles.ts';
import { idlePatterns } from '../../../src/model/labelPatterns.ts';
import type { ResultLine } from '../../../src/model/result.ts';
import { chooseFrames, chooseSome } from '../../../src/sinks/series/chosenFrames.ts';
import { SeriesReader } from '../../../src/sinks/series/seriesReader.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { sampleResult } from '../sampleResult.ts';
import { writeSeries } from './writeSeries.ts';

const folder = '/results/series';
const minute = 60_000;
const hour = 60 * minute;
const start = Date.UTC(2026, 9, 1);
const count = 1200;
const interval = 40 * minute;
const clock = (ms: number): string => new Date(ms).toISOString().slice(0, 23);

/** What the clock at the camera showed: it goes back by an hour on 25 October, and forward by eight when somebody sets its zone. */
const localOf = (n: number): number => {
  const utc = start + n * interval;
  return utc + (n > 1000 && n < 1100 ? 10 : utc < Date.UTC(2026, 9, 25, 1) ? 2 : 1) * hour;
};
const image = (n: number, attempt = 1): ResultLine => ({
  ...sampleResult({ id: `E${n}`, labels: ['a'], position: () => n + attempt / 10 }),
  attempt,
  image_timestamp: clock(localOf(n)),
  image_timestamp_utc: new Date(start + n * interval).toISOString(),
});

async function chosen(series: SeriesReader, from: number, end: number): Promise<[position: number][]> {
  const positions: number[] = [];
  for await (const { row } of (await chooseFrames(series, { from, end })).read()) positions.push(row.positions[0]!);
  return positions.map(position => [Math.round(position * 10) / 10]);
}

test('the images of a span of time are those that its clock showed, whatever the clock did, at the newest analysis of each', async () => {
  const files = new FaultyFiles();
  const results = [...Array.from({ length: count }, (_, n) => image(n)), image(30, 2), image(1150, 2), image(1150, 3)];
  const series = await writeSeries(files, folder, results);
  const newest = (n: number): number => (n === 30 ? 2 : n === 1150 ? 3 : 1);
  const spans = [
    ...[0, 29, 700, 864, 990, 1001, 1060, 1098, 1148, 1190].map(n => [localOf(n) - minute, 3 * hour]),
    [start - 100 * hour, 50 * hour],
    [start + 200 * hour, 100 * hour],
    [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  ] as [number, number][];
  for (const [from, length] of spans) {
    const end = from === Number.NEGATIVE_INFINITY ? length : from + length;
    const expected = Array.from({ length: count }, (_, n) => n).filter(n => localOf(n) >= from && localOf(n) < end);
    expect(await chosen(series, from, end)).toEqual(expected.map(n => [n + newest(n) / 10]));
  }
});

test('of a short span few rows are read, however long the run, and levels that are not there change nothing', async () => {
  const files = new FaultyFiles();
  await writeSeries(
    files,
    folder,
    Array.from({ length: count }, (_, n) => image(n)),
  );
  let bytes = 0;
  const counting = (file: OpenFile): OpenFile => ({
    ...wrapOpenFile(file, run => run()),
    read: async (into, position) => {
      const length = await file.read(into, position);
      bytes += length;
      return length;
    },
  });
  const counted = wrapFiles(files, (_, run) => run(), counting);
  const look = () => SeriesReader.look(counted, folder);
  const [from, end] = [localOf(600), localOf(605)];
  const some = await chosen(await look(), from, end);
  const short = bytes;
  bytes = 0;
  await chosen(await look(), Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  expect(short).toBeLessThan(bytes / 5);
  for (const name of await files.list(folder)) if (name.startsWith('level')) await files.remove(`${folder}/${name}`);
  expect(await chosen(await look(), from, end)).toEqual(some);
});

test('where nothing is chosen it is said what there is; a pattern that fits no ROI is told', async () => {
  const files = new FaultyFiles();
  const all = { from: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };
  const empty = await SeriesReader.look(files, folder);
  await expect(chooseSome(empty, all, [])).rejects.toMatchObject({
    message: 'there is no result yet',
    isChoice: false,
  });
  const series = await writeSeries(files, folder, [image(0), image(1)]);
  await expect(chooseSome(series, { ...all, from: localOf(2) }, [])).rejects.toMatchObject({
    message: 'no image lies between the times asked for; they run from 2026-10-01T02:00:00 to 2026-10-01T02:40:00',
    isChoice: true,
  });
  await expect(chooseSome(series, all, ['Z*', '!b'])).rejects.toMatchObject({
    message: 'no ROI fits Z* !b; their labels are a',
    isChoice: true,
  });
  expect((await chooseSome(series, all, ['a', 'Z*'])).count).toBe(2);
  expect(idlePatterns(['a*', 'Z*', '!b', '!a'], ['a1', 'a'])).toEqual(['Z*', '!b']);
});

test('images that come while the chosen ones are read are not among these', async () => {
  const files = new FaultyFiles();
  const series = await writeSeries(files, folder, [image(0), image(1)]);
  const frames = await chooseFrames(series, { from: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY });
  await writeSeries(files, folder, [image(2), image(1, 2)]);
  const read: number[] = [];
  for await (const { row } of frames.read()) read.push(row.positions[0]!);
  expect(read).toEqual([0.1, 1.1]);
});
