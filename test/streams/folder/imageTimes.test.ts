import { cpSync, existsSync, readFileSync, utimesSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ImportedFrame } from '../../../src/model/frame.ts';
import { openImageFolder } from '../../../src/streams/folder/imageFolderSource.ts';
import { timeImages } from '../../../src/streams/folder/imageTimes.ts';
import { MetadataReader } from '../../../src/streams/folder/microManagerMetadata.ts';
import { instantOf, parseWallTime, type WallTime } from '../../../src/streams/folder/wallTime.ts';

/** A folder as a list: each name with the times that its file has. */
type Files = Record<string, { modified?: string; exif?: string }>;
const now = Date.parse('2026-11-28T11:00:00Z');
/** When the folder was copied: file times of all that say nothing else. */
const copied = '2026-11-27T10:00:00Z';

async function timed(files: Files, series?: string) {
  const names = Object.keys(files);
  const result = await timeImages(
    [{ path: '/run', images: names, hasMetadata: false }],
    { folder: '/run', series, now },
    undefined,
    {
      modified: async ({ name }) => Date.parse(files[name]?.modified ?? copied),
      exif: async ({ name }) => parseWallTime(files[name]?.exif ?? ''),
    },
  );
  const local = (time: WallTime | null): string | null => (time ? instantOf(time, 'name').local.slice(0, 19) : null);
  return {
    source: result.source,
    names: result.images.map(({ name }) => name),
    times: result.images.map(({ time }) => local(time)),
    utc: result.images.map(({ time }) => (time ? instantOf(time, 'name').utc : null)),
    sources: result.images.map(({ source = result.source }) => source),
    doubts: result.doubts.join('; '),
  };
}

const without = (...names: string[]): Files => Object.fromEntries(names.map(name => [name, {}]));
const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

describe('a source of time serves when it advances', () => {
  it('the start of the run in every name gives way to EXIF', async () => {
    const files = Object.fromEntries(
      [1, 2, 3, 4, 5, 6].map(i => [`Timelapse20151215234309-0000${i}.jpg`, { exif: `2015:12:15 23:4${i}:09` }]),
    );
    const { source, doubts } = await timed(files);
    expect(source).toBe('exif');
    expect(doubts).toMatch(/names all have the same time/);
  });

  it('the starts of two runs in the names give way to EXIF too', async () => {
    const files = Object.fromEntries(
      ['20151215234309', '20151216080000'].flatMap((start, run) =>
        [1, 2, 3, 4].map(i => [`T${start}-0000${i}.jpg`, { exif: `2015:12:1${5 + run} 23:4${i}:09` }]),
      ),
    );
    expect(await timed(files)).toMatchObject({
      source: 'exif',
      doubts: expect.stringMatching(/many names have the same time/),
    });
  });

  it('the start of the run in every name gives way to the file times where those are of the run', async () => {
    const files = Object.fromEntries(
      [1, 2, 3].map(i => [`T20151215234309-0000${i}.png`, { modified: `2015-12-15T22:4${i}:09Z` }]),
    );
    expect((await timed(files)).source).toBe('mtime');
  });

  it('where nothing else advances, names of one time keep their order, with a warning', async () => {
    const { source, names, doubts } = await timed(without('T20151215234309-1.png', 'T20151215234309-2.png'));
    expect(source).toBe('name');
    expect(names).toHaveLength(2);
    expect(doubts).toMatch(/no other time tells when they were taken/);
  });

  it('a thousand frames in one second are no reason for doubt', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 1000 }, (_, i) => [
        `burst_20250724_13451${Math.floor(i / 500)}_${pad(i, 4)}.png`,
        { modified: `2025-07-24T11:45:1${Math.floor(i / 500)}.${pad(i % 1000, 3)}Z` },
      ]),
    );
    const { source, names, doubts } = await timed(files);
    expect({ source, doubts }).toEqual({ source: 'name', doubts: '' });
    expect(names).toEqual(Object.keys(files));
  });

  it('EXIF that is the same everywhere is not used', async () => {
    const files = Object.fromEntries(
      [1, 2, 3].map(i => [`f${i}.jpg`, { exif: '2025:07:24 12:00:00', modified: `2025-07-24T12:0${i}:00Z` }]),
    );
    expect(await timed(files)).toMatchObject({
      source: 'mtime',
      doubts: expect.stringMatching(/EXIF gives all images/),
    });
  });

  it('of a camera without a clock the intervals are used, and the file times where they advance alike', async () => {
    const exif = [1, 2, 3].map(i => `2000:01:01 00:0${i}:00`);
    const copies = Object.fromEntries(exif.map((time, i) => [`f${i}.jpg`, { exif: time }]));
    expect(await timed(copies)).toMatchObject({
      source: 'exif',
      doubts: expect.stringMatching(/intervals are right, dates are not/),
    });
    const originals = Object.fromEntries(
      exif.map((time, i) => [`f${i}.jpg`, { exif: time, modified: `2025-07-24T12:0${i + 1}:01Z` }]),
    );
    expect(await timed(originals)).toMatchObject({
      source: 'mtime',
      doubts: expect.stringMatching(/clock was not set/),
    });
  });

  it.each([
    ['reset', ['2023:06:01 12:00:00', '2023:06:01 12:01:00', ...[0, 1, 2].map(i => `2000:01:01 00:0${i}:00`)]],
    [
      'reset to a year that may be true',
      ['2023:06:01 12:00:00', '2023:06:01 12:01:00', ...[0, 1, 2].map(i => `2015:01:01 00:0${i}:00`)],
    ],
    ['set at last', [...[0, 1, 2].map(i => `2000:01:01 00:0${i}:00`), '2023:06:01 12:00:00', '2023:06:01 12:01:00']],
  ])('a clock that is %s in the middle of a run gives way to the file times, also those of a copy', async (_, exif) => {
    const originals = Object.fromEntries(
      exif.map((time, i) => [`f${i}.jpg`, { exif: time, modified: `2023-06-01T12:0${i}:01Z` }]),
    );
    const copies = Object.fromEntries(exif.map((time, i) => [`f${i}.jpg`, { exif: time }]));
    for (const files of [originals, copies])
      expect(await timed(files)).toMatchObject({
        source: 'mtime',
        doubts: expect.stringMatching(/EXIF leaps from \d{4}.* to \d{4}.*clock was set in the middle/),
      });
  });

  it('a pause of days, and a counter that begins again after weeks, are no clock that was set', async () => {
    const pause = ['2023:06:01 12:00:00', '2023:06:01 12:01:00', '2023:06:20 12:00:00'];
    expect((await timed(Object.fromEntries(pause.map((exif, i) => [`f${i}.jpg`, { exif }])))).source).toBe('exif');
    const wrapped = { 'IMG_0001.jpg': 20, 'IMG_0002.jpg': 21, 'IMG_9998.jpg': 10, 'IMG_9999.jpg': 11 };
    const files = Object.fromEntries(
      Object.entries(wrapped).map(([name, d]) => [name, { exif: `2023:06:${d} 12:00:00` }]),
    );
    expect(await timed(files)).toMatchObject({ source: 'exif', names: [2, 3, 0, 1].map(i => Object.keys(wrapped)[i]) });
  });

  it('file times that are all the same, of 1970 or of the future are doubted', async () => {
    expect((await timed(without('f1.png', 'f2.png'))).doubts).toMatch(/all the same, as after a copy/);
    expect((await timed({ 'f1.png': { modified: '1970-01-01T00:00:00Z' }, 'f2.png': {} })).doubts).toMatch(
      /before 1990/,
    );
    expect((await timed({ 'f1.png': { modified: '2039-01-01T00:00:00Z' }, 'f2.png': {} })).doubts).toMatch(
      /in the future/,
    );
  });
});

describe('times in names', () => {
  it('with AM and PM are of a clock of twelve hours', async () => {
    const names = ['11.55.00 AM', '12.05.00\u202fPM', '1.05.00 p.m.'].map(
      time => `Screenshot 2025-07-24 at ${time}.png`,
    );
    const { times, names: order } = await timed(without(...names.toReversed()));
    expect(times).toEqual(['2025-07-24T11:55:00', '2025-07-24T12:05:00', '2025-07-24T13:05:00']);
    expect(order).toEqual(names);
    const midnight = await timed(without('2025-07-24 12.05.00 am.tif', '2025-07-24 01.05.00 AM.tif'));
    expect(midnight.times).toEqual(['2025-07-24T00:05:00', '2025-07-24T01:05:00']);
  });

  it.each([
    [
      'days before months, as the whole folder shows',
      ['03-04-2025 13.45.00.tif', '04-04-2025 13.45.00.tif'],
      ['2025-04-03T13:45:00', '2025-04-04T13:45:00'],
    ],
    [
      'months before days',
      ['04-13-2025_134500.tif', '04-14-2025_134500.tif'],
      ['2025-04-13T13:45:00', '2025-04-14T13:45:00'],
    ],
    ['years of two digits', ['250724_134513.tif', '250725_134513.tif'], ['2025-07-24T13:45:13', '2025-07-25T13:45:13']],
    ['weeks', ['2025-W30-4_134513.tif', '2025-W30-5_134513.tif'], ['2025-07-24T13:45:13', '2025-07-25T13:45:13']],
    [
      'months in words',
      ['24Jul2025_134513.tif', '25Jul2025_134513.tif'],
      ['2025-07-24T13:45:13', '2025-07-25T13:45:13'],
    ],
    ['a leap second', ['20161231_235960.tif', '20170101_000001.tif'], ['2017-01-01T00:00:00', '2017-01-01T00:00:01']],
  ])('%s', async (_, names, times) => {
    expect(await timed(without(...names))).toMatchObject({ source: 'name', times, doubts: '' });
  });

  it('a date that can be read in two ways in all names is told', async () => {
    expect((await timed(without('03-04-2025_134513.tif', '03-04-2025_134613.tif'))).doubts).toMatch(
      /read as day-month-year/,
    );
  });

  it('seconds and milliseconds since 1970 are instants', async () => {
    expect((await timed(without('f_1753364713.png', 'f_1753364714569.png'))).utc).toEqual([
      '2025-07-24T13:45:13.000000Z',
      '2025-07-24T13:45:14.569000Z',
    ]);
  });

  it('an abbreviated zone parts the hour that comes twice', async () => {
    const { names } = await timed(without('2024-10-27_02-10-00_CET.tif', '2024-10-27_02-20-00_CEST.tif'));
    expect(names[0]).toMatch(/CEST/);
  });
});

describe('the hour that comes twice', () => {
  const image = (hour: number, minute: number, micros: number): string =>
    `image_20241027_${pad(hour)}${pad(minute)}00_${pad(micros, 6)}_cam0.png`;
  const local = [...[0, 15, 30, 45].map(m => [1, m]), ...[0, 15, 30, 45].map(m => [1, m]), [2, 0], [2, 15]] as [
    number,
    number,
  ][];
  const inOrder = local.map(([hour, minute], i) => image(hour, minute, i));
  const sorted = (files: Files): Files =>
    Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));

  it('is put in order by the file times, whatever zone this machine has', async () => {
    const start = Date.parse('2024-10-27T00:00:00Z');
    const files = Object.fromEntries(
      inOrder.map((name, i) => [name, { modified: new Date(start + i * 900_000 + 400).toISOString() }]),
    );
    const { names, utc, doubts } = await timed(sorted(files));
    expect(names).toEqual(inOrder);
    expect(utc[4]).toBe('2024-10-27T01:00:00.000004Z');
    expect(doubts).toBe('');
  });

  it('is told where the file times are those of a copy', async () => {
    const three = [...inOrder, image(2, 30, 20)];
    expect((await timed(sorted(without(...three)))).doubts).toMatch(/hour from 2024-10-27T01:00 seems to come twice/);
  });

  it('the hour that is missing in spring is no pause', async () => {
    const start = Date.parse('2025-03-30T00:30:00Z');
    const names = ['013000', '015900', '030000', '031500'].map(time => `f_20250330_${time}.png`);
    const minutes = [0, 29, 30, 45];
    const files = Object.fromEntries(
      names.map((name, i) => [name, { modified: new Date(start + (minutes[i] as number) * 60_000).toISOString() }]),
    );
    const { utc } = await timed(files);
    expect(utc).toEqual(
      minutes.map(minute => new Date(start + minute * 60_000).toISOString().replace('000Z', '000000Z')),
    );
  });
});

describe('counters that come to their end', () => {
  it.each([
    ['IMG_', 4, 'JPG'],
    ['DSC_', 4, 'tif'],
    ['f', 3, 'png'],
  ])('%s, %i digits: the times say where it began again', async (prefix, width, extension) => {
    const most = 10 ** width - 1;
    const order = [most - 2, most - 1, most, 1, 2, 3].map(n => `${prefix}${pad(n, width)}.${extension}`);
    const modified = (i: number): string => `2023-06-01T08:0${i}:00Z`;
    const files = Object.fromEntries(order.map((name, i) => [name, { modified: modified(i) }]).sort());
    expect((await timed(files)).names).toEqual(order);
    const withExif = Object.fromEntries(order.map((name, i) => [name, { exif: `2023:06:01 08:0${i}:00` }]).sort());
    expect(await timed(withExif)).toMatchObject({ source: 'exif', names: order });
    const unknown = await timed(without(...order.toSorted()));
    expect(unknown.names).toEqual(order.toSorted());
    expect(unknown.doubts).toMatch(/counter in the names seems to have begun again/);
  });

  it('whose first numbers were deleted, and not a clock that was set back', async () => {
    const names = ['IMG_0100.png', 'IMG_0101.png', 'IMG_9500.png', 'IMG_9501.png'];
    const times = [3, 4, 1, 2].map(hour => ({ modified: `2023-06-01T0${hour}:00:00Z` }));
    const withGap = Object.fromEntries(names.map((name, i) => [name, times[i] ?? {}]));
    expect((await timed(withGap)).names).toEqual([...names.slice(2), ...names.slice(0, 2)]);
    const through = Object.fromEntries([1, 2, 3, 4].map((n, i) => [`IMG_000${n}.png`, times[i] ?? {}]));
    expect((await timed(through)).names).toEqual(Object.keys(through));
  });

  it.each([
    ['behind a temperature', ['chip_T25.1_0001', 'chip_T25.2_0002', 'chip_T25.1_0003', 'chip_T25.2_0004']],
    ['behind the chapter of a GoPro', ['GOPR0001', 'G0010002', 'G0010003', 'G0010004']],
    ['before another number', ['a9_0001_x3', 'b2_0002_x1', 'a9_0003_x2']],
  ])('%s: the order is that of the counter where the times advance with it', async (_, stems) => {
    const order = stems.map(stem => `${stem}.jpg`);
    const files = Object.fromEntries(order.map((name, i) => [name, { modified: `2023-06-01T08:0${i}:00Z` }]).sort());
    expect((await timed(files, 'all')).names).toEqual(order);
    const copies = without(...order.toSorted());
    expect((await timed(copies, 'all')).names).toEqual(order.toSorted());
  });

  it('names at random are put in order of time', async () => {
    const names = ['a3f9c2d1', '0b7e44aa', 'ff01c3d9'].map(name => `${name}.png`);
    const files = Object.fromEntries(names.map((name, i) => [name, { modified: `2023-06-01T08:0${i}:00Z` }]).sort());
    expect((await timed(files)).names).toEqual(names);
  });
});

describe('images that the source leaves out', () => {
  const known = (i: number): string => `f_20250724_13450${i}.png`;

  it('have their file times where those agree with their neighbours', async () => {
    const files: Files = { [known(0)]: {}, [known(1)]: {}, 'f_a.png': {}, 'f_b.png': {} };
    for (const [i, file] of Object.values(files).entries()) file.modified = `2025-07-24T11:45:0${i}.4Z`;
    expect(await timed(files)).toMatchObject({
      sources: ['name', 'name', 'mtime', 'mtime'],
      times: [0, 1, 2, 3].map(i => `2025-07-24T13:45:0${i}`),
    });
  });

  it('have times at the cadence where the files were copied a year later', async () => {
    const files = without(known(0), known(2), 'f_x1.png', 'f_x2.png');
    expect(await timed(files)).toMatchObject({
      sources: ['name', 'name', 'estimated', 'estimated'],
      times: [0, 2, 4, 6].map(i => `2025-07-24T13:45:0${i}`),
    });
  });
});

describe('several series in one folder', () => {
  const frames = [0, 1, 2];
  it.each([
    [
      'channels of Micro-Manager 1.4',
      frames.flatMap(i => [`img_${pad(i, 9)}_Laser_000.tif`, `img_${pad(i, 9)}_White_000.tif`]),
      ['Laser', 'White'],
    ],
    [
      'slices of Micro-Manager 1.4',
      frames.flatMap(i => [`img_${pad(i, 9)}_Laser_000.tif`, `img_${pad(i, 9)}_Laser_001.tif`]),
      ['z000', 'z001'],
    ],
    [
      'channels of Micro-Manager 2.0',
      frames.flatMap(i => [0, 1].map(c => `img_channel00${c}_position000_time${pad(i, 9)}_z000.tif`)),
      ['channel000', 'channel001'],
    ],
    [
      'positions of Micro-Manager 2.0',
      frames.flatMap(i => [0, 1].map(p => `img_channel000_position00${p}_time${pad(i, 9)}_z000.tif`)),
      ['position000', 'position001'],
    ],
    [
      'cameras of our own',
      frames.flatMap(i => [`image_20250724_13450${i}_100000_cam0.png`, `image_20250724_13450${i}_300000_cam1.png`]),
      ['cam0', 'cam1'],
    ],
    ['wavelengths and stages', frames.flatMap(i => [`exp_w1_t${i + 1}.tif`, `exp_w2_t${i + 1}.tif`]), ['w1', 'w2']],
    [
      'words before a counter',
      frames.flatMap(i => [`laser_${pad(i, 4)}.tif`, `white_${pad(i, 4)}.tif`]),
      ['laser', 'white'],
    ],
    [
      'words behind a time',
      frames.flatMap(i => [`f_20250724_13450${i}_L.tif`, `f_20250724_13450${i}_R.tif`]),
      ['l', 'r'],
    ],
    ['exposures', frames.flatMap(i => [10, 100].map(ms => `img_${pad(i, 3)}_exp${ms}ms.png`)), ['exp10ms', 'exp100ms']],
    [
      'exposures with decimals',
      frames.flatMap(i => ['0.5', '10'].map(ms => `img_${pad(i, 3)}_${ms}ms.png`)),
      ['0.5ms', '10ms'],
    ],
    ['wavelengths', frames.flatMap(i => [635, 780].map(nm => `f${pad(i, 3)}_${nm}nm.tif`)), ['635nm', '780nm']],
    [
      'wavelengths one after the other under one counter',
      frames.flatMap(i => [635, 780].map((nm, k) => `f${pad(2 * i + k, 3)}_${nm}nm.tif`)),
      ['635nm', '780nm'],
    ],
    ['gains', frames.flatMap(i => [1, 8].map(gain => `img_${pad(i, 3)}_gain${gain}.tif`)), ['gain1', 'gain8']],
    ['angles under any word', frames.flatMap(i => [0, 90].map(a => `img${i}_turn${a}.png`)), ['turn0', 'turn90']],
    [
      'polarisations, also where s is the time',
      frames.flatMap(i => [0, 90].map(a => `s${i}_pol${a}.png`)),
      ['pol0', 'pol90'],
    ],
    ['a bare second number', frames.flatMap(i => [0, 1].map(k => `img_${pad(i, 3)}.${k}.png`)), ['0', '1']],
    ['a bare first number', [1, 2].flatMap(k => frames.map(i => `${k}_${pad(i, 4)}.png`)), ['1', '2']],
    ['wells of a plate', ['A01', 'A02'].flatMap(well => frames.map(i => `${well}_${pad(i, 3)}.png`)), ['A01', 'A02']],
    [
      'light and what is no light, one after the other',
      [...frames.map(i => `laser_000${i}.png`), ...frames.map(i => `white_000${i + 3}.png`)],
      ['laser', 'white'],
    ],
    [
      'images and their previews',
      frames.flatMap(i => [`IMG_${pad(i, 4)}.jpg`, `IMG_${pad(i, 4)}.tif`]),
      ['jpg', 'tif'],
    ],
  ])('%s: refused with their names, and replayed one at a time', async (_, names, labels) => {
    const error: Error & { code?: string } = await timed(without(...names.toSorted())).catch(reason => reason);
    expect(error.code).toBe('several_series');
    for (const label of labels) expect(error.message).toContain(`${label} (3 images)`);
    expect((await timed(without(...names), labels[0])).names).toHaveLength(3);
    expect((await timed(without(...names), 'all')).names).toHaveLength(6);
    await expect(timed(without(...names), 'nothing')).rejects.toThrow(/has no series nothing; it holds/);
  });

  it.each([
    ['a counter that begins with a letter', frames.map(i => `p${pad(i, 4)}.png`)],
    ['copies of a file', ['x.tif', 'x (1).tif', 'x (2).tif', 'x - Copy.tif', 'x_1.tif', 'x-1.tif']],
    [
      'cameras that were used one after the other under other words',
      ['before_1.png', 'before_2.png', 'later_3.png', 'later_4.png'],
    ],
    ['days', ['a_20250724_001.png', 'a_20250724_002.png', 'a_20250725_001.png', 'a_20250725_002.png']],
    ['days of a counter', ['20240101', '20240102'].flatMap(d => [1, 2, 3].map(i => `cam_${d}_00${i}.png`))],
    ['days with dashes', ['01', '02'].flatMap(d => [1, 2, 3].map(i => `cam_2024-01-${d}_00${i}.png`))],
    ['days by number', [1, 2].flatMap(d => [1, 2, 3].map(i => `day${d}_00${i}.png`))],
    ['times of day', [0, 1, 2].flatMap(m => [0, 10, 20].map(s => `12-${pad(m)}-${pad(s)}.png`))],
    ['a constant number and a counter', [1, 2, 3].map(i => `1_000${i}.png`)],
    ['temperatures that alternate under one counter', [1, 2, 3, 4].map(i => `chip_T25.${2 - (i % 2)}_000${i}.png`)],
    ['chapters of one camera', ['GOPR0001.jpg', 'G0010002.jpg', 'G0010003.jpg']],
    ['our own images of one camera', frames.map(i => `image_20250724_13450${i}_100000_cam0.png`)],
    ['one word of each image', ['apple.png', 'pear.png', 'plum.png']],
  ])('%s are one series', async (_, names) => {
    expect((await timed(without(...names))).names).toHaveLength(names.length);
  });

  it('wells of several rows are named by row and column, and none is a mixture', async () => {
    const names = ['A01', 'A02', 'B01', 'C01', 'D01'].flatMap(well => frames.map(i => `${well}_${pad(i, 3)}.png`));
    await expect(timed(without(...names))).rejects.toThrow(/A01 \(3 images\), A02 \(3 images\), B01 \(3 images\)/);
    expect((await timed(without(...names), 'A02')).names).toEqual(names.slice(3, 6));
    await expect(timed(without(...names), 'a')).rejects.toThrow(/has no series a/);
  });

  it('a single image with another name among many is told', async () => {
    const names = Array.from({ length: 9 }, (_, i) => `img_${i}.tif`);
    expect((await timed(without(...names, 'reference.tif'))).doubts).toMatch(
      /1 image is named otherwise.*"reference.tif"/,
    );
    expect((await timed(without(...names))).doubts).not.toMatch(/otherwise/);
  });

  it('a series of that name is refused where all images are one, with what to do', async () => {
    await expect(timed(without('a_1.tif', 'a_2.tif', 'a_3.tif'), 'laser')).rejects.toThrow(
      /all 3 images are one series, which has no name: leave --series "laser" away/,
    );
  });

  it('names of a part of a series what it may mean', async () => {
    const names = ['Laser', 'White'].flatMap(c =>
      [0, 1].flatMap(z => frames.map(i => `img_${pad(i, 9)}_${c}_00${z}.tif`)),
    );
    await expect(timed(without(...names), 'laser')).rejects.toThrow(
      /2 series that --series laser may mean: Laser_z000 \(3 images\), Laser_z001/,
    );
    expect((await timed(without(...names), 'white_z001')).names).toHaveLength(3);
  });
});

describe('the two times of Micro-Manager', () => {
  const read = (frames: readonly { elapsed: number; received: string }[]) => {
    const reader = new MetadataReader();
    const blocks = frames.map(
      ({ elapsed, received }, i) =>
        `"Metadata-Default/${i}.tif": {"ReceivedTime": "2025-08-19 ${received} +0100", "ElapsedTime-ms": ${elapsed}}`,
    );
    reader.push(Buffer.from(`{"Summary": {"StartTime": "2025-08-19 09:30:00.000 +0100"}, ${blocks.join(', ')}}`));
    return [...reader.end().times.values()].map(time => instantOf(time, 'metadata').local.slice(11, 23));
  };

  it('a stop-watch that stands still gives way to the time written for each frame', () => {
    expect(read([0, 0, 0].map((elapsed, i) => ({ elapsed, received: `09:30:${i}0.120` })))).toEqual([
      '09:30:00.120',
      '09:30:10.120',
      '09:30:20.120',
    ]);
  });

  it('a stop-watch that starts again in the middle does so too', () => {
    const received = ['09:30:00.000', '09:30:00.100', '09:31:00.000', '09:31:00.100'];
    expect(read([5, 105, 5, 105].map((elapsed, i) => ({ elapsed, received: received[i] as string })))).toEqual(
      received,
    );
  });

  it('times of another form are read, and one of an unknown form is told', () => {
    const at = (time: string): string =>
      `"Metadata-Default/${time.length}${time[10]}.tif": {"ReceivedTime": "${time}", "ElapsedTime-ms": 0}`;
    const readAll = (...times: string[]) => {
      const reader = new MetadataReader();
      reader.push(Buffer.from(`{"Summary": {"StartTime": "2025-08-19 13:00:00.000"}, ${times.map(at).join(', ')}}`));
      return reader.end();
    };
    const known = readAll('8/19/2025 1:02:00 PM', '8/19/2025 11:03:00 PM');
    expect(known).toMatchObject({ stopWatchFails: true, unreadTime: null });
    expect([...known.times.values()].map(time => instantOf(time, 'metadata').local)).toEqual([
      '2025-08-19T13:02:00.000000',
      '2025-08-19T23:03:00.000000',
    ]);
    expect(readAll('the day before', 'the other day').unreadTime).toBe('the day before');
  });

  it('a good stop-watch is preferred, for it is finer', () => {
    expect(read([0.5, 100.5].map(elapsed => ({ elapsed, received: '09:30:00.000' })))).toEqual([
      '09:30:00.000',
      '09:30:00.100',
    ]);
  });
});

const field = resolve(import.meta.dirname, '../../../shared/field');

describe.skipIf(!existsSync(field))('folders as people have them (../shared/field)', () => {
  async function frames(name: string, below = '.') {
    const folder = await mkdtemp(join(tmpdir(), 'phorest-field-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    cpSync(join(field, name, 'in'), folder, { recursive: true });
    const times = JSON.parse(readFileSync(join(field, name, 'mtimes.json'), 'utf8')) as Record<string, number>;
    for (const [file, time] of Object.entries(times)) utimesSync(join(folder, file), time, time);
    const warnings: string[] = [];
    const source = await openImageFolder(
      { folder: join(folder, below) },
      {
        clock: { now: () => now, monotonic: () => 0 },
        note: ({ level, message }) => level === 'warning' && warnings.push(message),
      },
    );
    const found: ImportedFrame[] = [];
    const { signal } = new AbortController();
    for (let frame = await source.next(signal); frame; frame = await source.next(signal))
      found.push(frame as ImportedFrame);
    return { frames: found, warnings, seconds: found.map(({ taken }) => taken.local.slice(11, 23)) };
  }

  it('01 and 01b: ElapsedTime-ms that stands still or starts again', async () => {
    expect((await frames('01-mm2-elapsed-zero')).seconds).toEqual([0, 1, 2, 3, 4, 5].map(i => `09:30:${i}0.120`));
    expect(
      (await frames('01b-mm2-elapsed-restarts')).frames.map(({ filename }) => filename.slice(-10, -9)),
    ).toHaveLength(6);
    expect(
      (await frames('01b-mm2-elapsed-restarts')).frames.map(
        ({ filename }) => /time0*(\d+)_/.exec(filename)?.[1] || '0',
      ),
    ).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  it('02 and 03: channels and labelled positions', async () => {
    await expect(frames('02-mm-two-channels')).rejects.toMatchObject({ code: 'several_series' });
    await expect(frames('03-mm2-position-labels')).rejects.toThrow(
      /2 positions \(10-X452_005_2d_LOG-37, A1-Site_0\); replay one/,
    );
    for (const position of ['10-X452_005_2d_LOG-37', 'A1-Site_0'])
      expect(await frames('03-mm2-position-labels', position)).toMatchObject({ frames: { length: 3 }, warnings: [] });
  });

  it('05 and 79: a damaged frame stays in its place, and accents in either form are matched', async () => {
    const cut = await frames('05-mm-unterminated');
    expect(cut.seconds).toEqual([0, 1, 2, 3, 4, 5].map(i => `09:30:${i}0.000`));
    expect(cut.frames.map(({ taken }) => taken.source).filter(source => source === 'estimated')).toHaveLength(1);
    expect(await frames('79-mm-nfd')).toMatchObject({
      seconds: [0, 1, 2, 3].map(i => `09:30:${i}0.000`),
      warnings: [],
    });
  });

  it('07, 09, 10 and 11: names', async () => {
    expect((await frames('07-name-start-time')).seconds).toEqual([3, 4, 5, 6, 7, 8].map(i => `23:4${i}:09.000`));
    expect((await frames('09-name-brackets')).frames.map(({ filename }) => filename.slice(13, -4))).toEqual([
      '170430',
      '170431',
      '170431 (1)',
      '170431 (2)',
      '170432',
      '170433',
      '170433-1',
    ]);
    expect((await frames('10-dst-end')).frames.map(({ filename }) => Number(filename.slice(26, 28)))).toEqual([
      ...Array(12).keys(),
    ]);
    expect((await frames('11-counter-wrap')).frames.map(({ filename }) => filename.slice(4, 8))).toEqual([
      '9997',
      '9998',
      '9999',
      '0001',
      '0002',
      '0003',
    ]);
  });
});
