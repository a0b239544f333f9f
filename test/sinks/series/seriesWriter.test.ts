import { describe, expect, it } from 'vitest';
import type { Files } from '../../../src/files/files.ts';
import { utcIso } from '../../../src/model/localTime.ts';
import type { ResultLine } from '../../../src/model/result.ts';
import { SeriesLayout } from '../../../src/sinks/series/seriesFormat.ts';
import { mergeRows } from '../../../src/sinks/series/seriesLevels.ts';
import { SeriesReader, type SeriesSegment } from '../../../src/sinks/series/seriesReader.ts';
import { rowId, type SeriesRow } from '../../../src/sinks/series/seriesRow.ts';
import { SeriesWriter, type SeriesWriterOptions } from '../../../src/sinks/series/seriesWriter.ts';
import { atAppend } from '../../world/atAppend.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { seriesCrashWalk } from '../outputCrashWalk.ts';
import { sampleResult } from '../sampleResult.ts';
import { idsIn, writeSeries } from './writeSeries.ts';

const folder = '/results/series';
const first = `${folder}/rows.bin`;
const image = (i: number, fields: Parameters<typeof sampleResult>[0] = {}): ResultLine =>
  sampleResult({
    id: `e${i}`,
    labels: ['a', 'b'],
    position: roi => (roi === 1 && i % 5 === 0 ? null : i + roi / 3),
    timestamp: utcIso(Date.UTC(2025, 7, 12) + i * 100).slice(0, -1),
    temperatures: { 'Sensor 1': 20 + i },
    ...fields,
  });
const images = (from: number, to: number): ResultLine[] => Array.from({ length: to - from }, (_, i) => image(from + i));
const ids = (from: number, to: number): string[] => images(from, to).map(({ entry_id }) => entry_id);

function open(files: Files, options: Partial<SeriesWriterOptions> = {}) {
  const told: string[] = [];
  const tell = { warn: (message: string) => told.push(message), well: () => told.push('well') };
  const writer = SeriesWriter.open({ folder, files, sensors: [], ...tell, ...options });
  return writer.then(writer => ({ writer, told }));
}

async function rowsOf(segment: SeriesSegment, level = 0): Promise<SeriesRow[]> {
  const rows: SeriesRow[] = [];
  for await (const { row } of segment.read(level)) rows.push(row);
  return rows;
}

describe('the series', () => {
  it('has what the results say, bit for bit, and nothing of images that failed', async () => {
    const files = new FaultyFiles();
    const line = { ...image(7), image_timestamp_utc: '2025-08-11T22:00:00.7Z' };
    (line.image_analysis![1] as { flags: string[] }).flags = ['edge', 'moved'];
    const { segments } = await writeSeries(files, folder, [line, image(8, { failed: true }), image(10)], {
      sensors: ['Lid'],
    });
    expect(segments).toHaveLength(1);
    expect(segments[0]!.layout.header).toMatchObject({
      method: 'gaussian',
      labels: ['a', 'b'],
      sensors: ['Lid', 'Sensor 1'],
    });
    const [one, two, ...more] = await rowsOf(segments[0]!);
    expect(more).toEqual([]);
    expect(one).toMatchObject({
      id: 'e7',
      attempt: 1,
      frames: 1,
      local: Date.UTC(2025, 7, 12) + 700,
      utc: Date.UTC(2025, 7, 11, 22) + 700,
    });
    expect([...one!.positions, ...one!.uncertainties, ...one!.flags]).toEqual([7, 7 + 1 / 3, 0.25, 0.25, 0b10100, 0]);
    expect([...one!.temperatures]).toEqual([Number.NaN, 27]);
    expect([two!.utc, ...two!.positions]).toEqual([Number.NaN, 10, Number.NaN]);
  });

  it('takes what is reported again after a crash once, and a later attempt as a row of its own', async () => {
    const files = new FaultyFiles();
    await writeSeries(files, folder, images(0, 20));
    const next = files.afterCrash('kill');
    const reader = await writeSeries(next, folder, [...images(15, 22), image(3, { attempt: 2 })]);
    expect(await idsIn(reader)).toEqual([...ids(0, 22), 'e3']);
  });

  it('begins a segment for another method, another ROI, another sensor or a full one, and not for what is silent', async () => {
    const files = new FaultyFiles();
    const { writer } = await open(files, { segmentBytes: 16_000 });
    await writer.append(images(0, 70));
    await writer.append([image(70, { labels: ['b'], temperatures: null })]);
    expect((await SeriesReader.look(files, folder)).segments).toHaveLength(1);
    await writer.append([image(71, { method: 'fano' })]);
    await writer.append([image(72, { method: 'fano', labels: ['c'] })]);
    await writer.append([
      image(73, { method: 'fano', labels: ['a'], temperatures: { New: 1 } }),
      image(74, { method: 'fano', labels: ['c'] }),
    ]);
    await writer.append(
      images(75, 250).map(line => ({ ...line, image_analysis: image(1, { method: 'fano' }).image_analysis })),
    );
    const { segments } = await SeriesReader.look(files, folder);
    expect(
      segments.slice(0, 4).map(({ layout: { header }, counts }) => [header.method, header.labels.join(''), counts[0]]),
    ).toEqual([
      ['gaussian', 'ab', 71],
      ['fano', 'ab', 1],
      // Short ones hand their ROIs on: images of two kinds in turn do not make a file each.
      ['fano', 'abc', 1],
      ['fano', 'abc', expect.any(Number)],
    ]);
    expect(segments.length).toBeGreaterThan(4);
    expect(segments.at(-1)!.layout.header.labels).toEqual(['a', 'b', 'c']);
    expect(await idsIn(await SeriesReader.look(files, folder))).toEqual(ids(0, 250));
  });

  it('begins a segment for another reference, since its shifts have another zero; an image without a shift stands in any', async () => {
    const files = new FaultyFiles();
    const { writer } = await open(files);
    const of = (reference: string | null, from: number, to: number) =>
      images(from, to).map(line => ({ ...line, reference }));
    await writer.append([...of(null, 0, 2), ...of('one', 2, 5), ...of(null, 5, 6), ...of('other', 6, 9)]);
    const { segments } = await SeriesReader.look(files, folder);
    expect(segments.map(({ layout: { header }, counts }) => [header.reference, counts[0]])).toEqual([
      [null, 2],
      ['one', 4],
      ['other', 3],
    ]);
    expect(await idsIn(await SeriesReader.look(files, folder))).toEqual(ids(0, 9));
  });

  it('reads a segment of a version with other columns by their names, and goes on in one of its own', async () => {
    const files = new FaultyFiles();
    const [ours] = (await writeSeries(files, folder, images(0, 3))).segments;
    const { header } = ours!.layout;
    const column = (name: string) => header.columns.find(column => column.name === name)!;
    const quality = { name: 'quality', of: 'roi', type: 'f32', unit: '' } as const;
    const columns = [column('position'), quality, column('temperature'), column('flags')];
    const theirs = new SeriesLayout({ ...header, id: 'theirs', columns });
    const rows = (await rowsOf(ours!)).map(row => theirs.encode(row, 0));
    files.put(first, Buffer.concat([theirs.bytes, ...rows]));
    const { segments } = await writeSeries(files, folder, images(3, 5));
    expect(segments.map(({ counts }) => counts[0])).toEqual([3, 2]);
    const [row] = await rowsOf(segments[0]!);
    expect([[...row!.positions], [...row!.uncertainties], [...row!.temperatures], [...row!.flags]]).toEqual([
      [0, Number.NaN],
      [Number.NaN, Number.NaN],
      [20],
      [0, 0],
    ]);
  });

  it('reads the levels of a version that kept no ranges, and goes on in a segment that does', async () => {
    const files = new FaultyFiles();
    const [ours] = (await writeSeries(files, folder, images(0, 64))).segments;
    const { level_columns, ...header } = ours!.layout.header;
    expect(level_columns).toBeDefined();
    const theirs = new SeriesLayout({ ...header, id: 'theirs' });
    const rows = await rowsOf(ours!);
    const level = await rowsOf(ours!, 1);
    files.put(first, Buffer.concat([theirs.bytes, ...rows.map(row => theirs.encode(row, 0))]));
    files.put(`${folder}/level1.bin`, Buffer.concat(level.map(row => theirs.encode(row, 1))));
    files.drop(`${folder}/level2.bin`);
    const { segments } = await writeSeries(files, folder, images(64, 128));
    expect(segments.map(({ counts }) => counts.slice(0, 2))).toEqual([
      [64, 16],
      [64, 16],
    ]);
    const [old, made] = await Promise.all(segments.map(segment => rowsOf(segment, 2)));
    expect(old!.map(({ frames, positions, spread }) => [frames, positions[0], spread])[1]).toEqual([16, 23.5, null]);
    expect([made![1]!.frames, made![1]!.spread!.lows[0], made![1]!.spread!.highs[0]]).toEqual([16, 80, 95]);
  });

  it('does not keep the ROIs of every ROI manifest that was tried for some images', async () => {
    const files = new FaultyFiles();
    for (let kind = 0; kind < 10; kind++)
      await writeSeries(files, folder, [image(kind, { labels: [`${kind}a`, `${kind}b`] })]);
    const { segments } = await SeriesReader.look(files, folder);
    expect(segments).toHaveLength(10);
    for (const { layout } of segments) expect(layout.header.labels.length).toBeLessThanOrEqual(8);
  });

  it('has levels that say what the rows below say, as they grow, after a restart, and where they are missing', async () => {
    const files = new FaultyFiles();
    let reader = await writeSeries(files, folder, images(0, 500));
    reader = await writeSeries(files, folder, images(500, 1_003));
    const check = async (): Promise<void> => {
      const [segment] = reader.segments;
      let below = await rowsOf(segment!);
      for (let level = 1; below.length > 1; level++) {
        const merged = Array.from({ length: Math.ceil(below.length / 4) }, (_, i) =>
          mergeRows(below.slice(4 * i, 4 * i + 4)),
        );
        below = await rowsOf(segment!, level);
        expect(below).toEqual(merged);
      }
      expect(below[0]!.frames).toBe(1_003);
    };
    expect(reader.segments[0]!.counts).toEqual([1_003, 240, 48, 0, 0]);
    await check();
    const damaged = Buffer.from(files.content(`${folder}/level1.bin`)!);
    damaged[5_000]! ^= 1;
    files.put(`${folder}/level1.bin`, damaged);
    files.drop(`${folder}/level2.bin`);
    reader = await SeriesReader.look(files, folder);
    await check();
    await writeSeries(files, folder, images(1_003, 1_100));
    expect((await SeriesReader.look(files, folder)).segments[0]!.counts.slice(0, 3)).toEqual([1_100, 272, 64]);
  });

  it('cuts what a crash has torn, and counts no row that is damaged', async () => {
    const files = new FaultyFiles();
    const reader = await writeSeries(files, folder, images(0, 10));
    const { rowBytes } = reader.segments[0]!.layout;
    const content = files.content(first)!;
    const middle = Buffer.from(content);
    middle[content.length - 5 * rowBytes + 100]! ^= 1;
    files.put(first, Buffer.concat([middle, Buffer.alloc(2 * rowBytes), content.subarray(-rowBytes, -9)]));
    const after = await writeSeries(files, folder, images(10, 12));
    expect(await idsIn(after)).toEqual([...ids(0, 5), ...ids(6, 12)]);
    expect(files.content(first)!.length).toBe(content.length + 2 * rowBytes);
  });

  it.each([
    ['its header is damaged', (bytes: Buffer) => bytes.fill(7, 60, 64), /rows\.bin has a damaged header/],
    ['it is empty', () => Buffer.alloc(0), /rows\.bin does not begin as a segment/],
    ['it is short', (bytes: Buffer) => bytes.subarray(0, 100), /rows\.bin ends within its header/],
    ['its rows are zeros', (bytes: Buffer) => bytes.fill(0, 1_200), /64 damaged rows/],
  ])('sets a segment aside when %s, says so, and goes on', async (_what, damage, message) => {
    const files = new FaultyFiles();
    await writeSeries(files, folder, images(0, 200));
    const damaged = damage(Buffer.from(files.content(first)!));
    files.put(first, damaged);
    const { writer, told } = await open(files);
    await writer.append(images(200, 203));
    expect(told).toEqual([expect.stringMatching(message)]);
    expect(files.content(`${folder}/damaged_rows.bin`)).toEqual(damaged);
    const reader = await SeriesReader.look(files, folder);
    expect(await idsIn(reader)).toEqual(ids(200, 203));
    // There is room for the rows that are made again.
    expect(reader.segments[0]!.number).toBe(1_000);
  });

  it('goes on where somebody removes it while it is written', async () => {
    const files = new FaultyFiles();
    const { writer, told } = await open(files);
    await writer.append(images(0, 3));
    for (const path of files.paths()) files.drop(path);
    await writer.append(images(3, 5));
    expect(told).toEqual([expect.stringContaining('nothing now')]);
    const reader = await SeriesReader.look(files, folder);
    expect(await idsIn(reader)).toEqual(ids(3, 5));
    // There is room for those before.
    expect(reader.segments[0]!.number).toBe(1_000);
  });

  it.each([
    ['removes it', (files: FaultyFiles) => files.drop(first), 'nothing now', ids(3, 6), 1_000],
    [
      'cuts it to one row',
      (files: FaultyFiles, rowBytes: number) => files.put(first, files.content(first)!.subarray(0, -2 * rowBytes)),
      'bytes were there',
      [...ids(0, 1), ...ids(3, 6)],
      0,
    ],
  ] as const)('goes on where somebody %s in the instant of a write', async (_what, act, says, left, number) => {
    const files = new FaultyFiles();
    let rowBytes = 0;
    const handled = atAppend(files, first, () => act(files, rowBytes));
    const { writer, told } = await open(handled);
    await writer.append(images(0, 3));
    rowBytes = (await SeriesReader.look(files, folder)).segments[0]!.layout.rowBytes;
    handled.arm();
    await writer.append(images(3, 5));
    await writer.append(images(5, 6));
    expect(told).toEqual([expect.stringContaining(says)]);
    const reader = await SeriesReader.look(files, folder);
    expect(await idsIn(reader)).toEqual(left);
    expect(reader.segments[0]!.number).toBe(number);
  });

  it('rejects what the disk does not take, and takes the same again', async () => {
    const files = new FaultyFiles();
    const { writer } = await open(files);
    await writer.append(images(0, 2));
    files.plan = ({ kind, path }) => (kind === 'write' && path === first ? { short: 100 } : null);
    await expect(writer.append(images(2, 6))).rejects.toMatchObject({ code: 'ENOSPC' });
    files.plan = () => null;
    await writer.append(images(2, 6));
    expect(await idsIn(await SeriesReader.look(files, folder))).toEqual(ids(0, 6));
  });

  it('fails no report for a level that can not be written', async () => {
    const files = new FaultyFiles();
    const { writer, told } = await open(files);
    files.plan = ({ kind, path }) => (kind === 'write' && path.includes('level') ? { error: 'EIO' } : null);
    await writer.append(images(0, 70));
    expect(told).toEqual([expect.stringContaining('The series is complete, but reading it takes longer')]);
    files.plan = () => null;
    await writer.append(images(70, 71));
    expect(told.slice(1)).toEqual(['well']);
    expect(await idsIn(await SeriesReader.look(files, folder))).toEqual(ids(0, 71));
  });

  it('knows entries with long ids too', () => {
    expect(rowId('i-0123456789abcdef01234567-12')).toBe('i-0123456789abcdef01234567-12');
    expect(rowId('x'.repeat(41))).not.toBe(rowId('x'.repeat(42)));
    expect(rowId('x'.repeat(42))).toHaveLength(40);
  });

  it('is whole after every crash, with each image once', async () => {
    expect(await seriesCrashWalk(12)).toBeGreaterThan(200);
  });
});

describe('a reader of the series', () => {
  it('takes the level of fewest points that are enough', async () => {
    const files = new FaultyFiles();
    const reader = await writeSeries(files, folder, images(0, 1_000));
    expect([1_001, 1_000, 250, 62, 63].map(points => reader.levelFor(points))).toEqual([0, 0, 1, 2, 1]);
  });

  it('has the first values of each ROI, also of one that turns up later', async () => {
    const files = new FaultyFiles();
    const reader = await writeSeries(files, folder, [
      ...images(0, 80),
      ...images(80, 90).map(line => ({ ...line, image_analysis: image(3, { labels: ['c'] }).image_analysis })),
    ]);
    expect([...(await reader.firstValues(3))]).toEqual([
      ['a', [0, 1, 2]],
      ['b', [1 + 1 / 3, 2 + 1 / 3, 3 + 1 / 3]],
      ['c', [3, 3, 3]],
    ]);
  });

  it('reads little of a long run', async () => {
    const files = new FaultyFiles();
    await writeSeries(files, folder, images(0, 4_000));
    let bytes = 0;
    const open = files.open.bind(files);
    files.open = async (path, flags) => {
      const file = await open(path, flags);
      const read = file.read.bind(file);
      return {
        ...file,
        read: async (into, at) => {
          const length = await read(into, at);
          bytes += length;
          return length;
        },
      };
    };
    const reader = await SeriesReader.look(files, folder);
    let points = 0;
    for (const segment of reader.segments) for await (const _ of segment.read(reader.levelFor(200))) points++;
    expect(points).toBe(250);
    // Of 500 kB of rows: the level, and what is not in it yet.
    expect(bytes).toBeLessThan(100_000);
  });
});
