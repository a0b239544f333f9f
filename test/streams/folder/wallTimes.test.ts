import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exifTime } from '../../../src/streams/folder/exifTime.ts';
import { MetadataReader } from '../../../src/streams/folder/microManagerMetadata.ts';
import { nameTime } from '../../../src/streams/folder/nameTime.ts';
import { naturalOrder } from '../../../src/streams/folder/naturalOrder.ts';
import { instantOf, parseWallTime, type WallTime } from '../../../src/streams/folder/wallTime.ts';
import { tiffWithTime } from '../tiffWithTime.ts';

const shown = (time: WallTime | null): [string, string | null] | null => {
  if (!time) return null;
  const { local, utc } = instantOf(time, 'name');
  return [local, utc];
};

describe('nameTime', () => {
  it.each([
    ['image_20250724_134513_569672_cam0.png', '2025-07-24T13:45:13.569672', null],
    ['IMG_20250724_134513.jpg', '2025-07-24T13:45:13.000000', null],
    ['20250724T134513.png', '2025-07-24T13:45:13.000000', null],
    ['20250724134513_001.tif', '2025-07-24T13:45:13.001000', null],
    ['run3_20250724_134513_0042.tif', '2025-07-24T13:45:13.000000', null],
    ['2025-07-24T13:45:13.569672.png', '2025-07-24T13:45:13.569672', null],
    ['2025-07-24T13:45:13.5.png', '2025-07-24T13:45:13.500000', null],
    ['cam_2024-01-01_12.00.01.25.png', '2024-01-01T12:00:01.250000', null],
    ['f_1700000000.25.png', '2023-11-14T22:13:20.250000', '2023-11-14T22:13:20.250000Z'],
    ['PXL_20231115_170430123.jpg', '2023-11-15T17:04:30.123000', null],
    ['20231115170430123.jpg', '2023-11-15T17:04:30.123000', null],
    ['cam_202401011200.png', '2024-01-01T12:00:00.000000', null],
    ['cam_20240101_0001.png', null, null],
    ['f_20240101_120001_25.png', '2024-01-01T12:00:01.000000', null],
    ['2025-07-24_13-45-13.tiff', '2025-07-24T13:45:13.000000', null],
    ['2025-07-24T13:45:13.569672+01:00.png', '2025-07-24T13:45:13.569672', '2025-07-24T12:45:13.569672Z'],
    ['2025-07-24T134513Z.png', '2025-07-24T13:45:13.000000', '2025-07-24T13:45:13.000000Z'],
    ['20250724T134513Z.png', '2025-07-24T13:45:13.000000', '2025-07-24T13:45:13.000000Z'],
    ['99999999_999999 20250724_134513.png', '2025-07-24T13:45:13.000000', null],
    ['image_20251399_134513.png', null, null],
    ['image_20250230_134513.png', null, null],
    ['img_000000001_Default_000.tif', null, null],
    ['img_202507241345130.tif', null, null],
  ])('%s', (name, local, utc) => {
    expect(shown(nameTime(name)?.time ?? null)).toEqual(local === null ? null : [local, utc]);
  });
});

describe('parseWallTime', () => {
  it.each([
    ['2025-08-12 13:45:00 +0100', '2025-08-12T13:45:00.000000', '2025-08-12T12:45:00.000000Z'],
    ['2019-04-09 14:14:38.585 -0430', '2019-04-09T14:14:38.585000', '2019-04-09T18:44:38.585000Z'],
    ['2025:07:24 13:45:13', '2025-07-24T13:45:13.000000', null],
    ['8/19/2025 1:02:00 PM', '2025-08-19T13:02:00.000000', null],
    ['8/19/25, 12:02:00.5 AM', '2025-08-19T00:02:00.500000', null],
    ['19.08.2025 13:02:00', '2025-08-19T13:02:00.000000', null],
  ])('%s', (text, local, utc) => {
    expect(shown(parseWallTime(text))).toEqual([local, utc]);
  });

  it('is null for what is no time', () => {
    for (const text of ['', '0000:00:00 00:00:00', '    :  :     :  :  ', 'Tue Aug 12', '2025-08-12']) {
      expect(parseWallTime(text)).toBeNull();
    }
  });
});

describe('naturalOrder', () => {
  it('counts runs of digits as numbers', () => {
    const names = [
      'img10.png',
      'img2.png',
      'img1.png',
      'IMG3.png',
      'img2a.png',
      'img02.png',
      'img.png',
      'img123456789012345678901.png',
      'img123456789012345678900.png',
    ];
    expect(names.sort(naturalOrder)).toEqual([
      'IMG3.png',
      'img.png',
      'img1.png',
      'img02.png',
      'img2.png',
      'img2a.png',
      'img10.png',
      'img123456789012345678900.png',
      'img123456789012345678901.png',
    ]);
  });

  it('is a total order', () => {
    const name = fc.stringMatching(/^[ab0-9.]{0,6}$/);
    fc.assert(
      fc.property(name, name, name, (a, b, c) => {
        expect(Math.sign(naturalOrder(a, b)) + Math.sign(naturalOrder(b, a))).toBe(0);
        expect(naturalOrder(a, b) === 0).toBe(a === b);
        if (naturalOrder(a, b) <= 0 && naturalOrder(b, c) <= 0) expect(naturalOrder(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });
});

describe('MetadataReader', () => {
  const read = (text: string, pieces = 1): ReturnType<MetadataReader['end']> => {
    const reader = new MetadataReader();
    const bytes = Buffer.from(text);
    const size = Math.max(1, Math.ceil(bytes.length / pieces));
    for (let i = 0; i < bytes.length; i += size) reader.push(bytes.subarray(i, i + size));
    return reader.end();
  };
  const locals = (metadata: ReturnType<typeof read>): Record<string, string> =>
    Object.fromEntries([...metadata.times].map(([name, time]) => [name, instantOf(time, 'metadata').local]));

  it('reads Micro-Manager 2.0, compact or not, nested values and escapes included', () => {
    const text = JSON.stringify({
      'Coords-Default/img_channel000_position000_time000000000_z000.tif': { Frame: 0 },
      'Metadata-Default/img_channel000_position000_time000000000_z000.tif': {
        'ElapsedTime-ms': 236.5,
        UserData: { 'Camera-"X"': { PropType: 'STRING', PropVal: 'a}\\' }, FileName: 'not this.tif' },
        ReceivedTime: '2019-04-09 14:14:38.999 -0400',
      },
      'Metadata-x': { FileName: 'Default\\\u00e9.tif', 'ElapsedTime-ms': 1000 },
      Summary: { StartTime: '2019-04-09 14:14:38.585 -0400', ChNames: ['FrameKey'] },
    });
    const expected = {
      'img_channel000_position000_time000000000_z000.tif': '2019-04-09T14:14:38.821500',
      'é.tif': '2019-04-09T14:14:39.585000',
    };
    expect(locals(read(text))).toEqual(expected);
    expect(read(text)).toMatchObject({ frames: 2, cutOff: false, stack: null });
    for (const pieces of [7, 50, text.length]) expect(locals(read(text, pieces))).toEqual(expected);
  });

  it('takes the time written for a frame where the run has no start or the frame no stop-watch', () => {
    const text = `{"FrameKey-0-0-0": {"FileName": "a", "ReceivedTime": "2025-08-12 13:45:00.352 +0100", "Time": "2025-08-12 13:45:00 +0100"},
      "FrameKey-1-0-0": {"FileName": "b", "Time": "2025-08-12 13:45:01 +0100"}, "FrameKey-2-0-0": {"FileName": "c", "ElapsedTime-ms": null}}`;
    expect(locals(read(text))).toEqual({ a: '2025-08-12T13:45:00.352000', b: '2025-08-12T13:45:01.000000' });
  });

  it('cut off anywhere, it gives the frames before the cut and never a wrong time', () => {
    const frames = [0.5, 1234.5, 99_999.25];
    const blocks = frames.map(
      (elapsed, i) =>
        `"FrameKey-${i}-0-0": {"Tags": {"a": [1, "}"]}, "FileName": "${i}.tif", "ElapsedTime-ms": ${elapsed}}`,
    );
    const text = `{"Summary": {"StartTime": "2025-08-12 13:45:00 +0100"},\n${blocks.join(',\n')}\n}`;
    const whole = locals(read(text));
    expect(Object.keys(whole)).toEqual(['0.tif', '1.tif', '2.tif']);
    for (let length = 0; length < text.length; length++) {
      const cut = read(text.slice(0, length), 3);
      expect(whole).toMatchObject(locals(cut));
      expect(cut.cutOff).toBe(length > 0);
      const complete = blocks.filter(block => text.indexOf(block) + block.length <= length).length;
      expect(cut.times.size).toBeGreaterThanOrEqual(complete);
    }
  });

  it('damage in one frame costs that frame and not its neighbours', () => {
    const block = (i: number): string =>
      `  "FrameKey-${i}-0-0": {\n    "FileName": "${i}.tif",\n    "Camera": "X",\n    "ElapsedTime-ms": ${i}\n  }`;
    const damaged = block(1).replace('"X",\n', '"X\n').replace('\n  }', '\n');
    const text = `{\n  "Summary": {"StartTime": "2025-08-12 13:45:00 +0100"},\n${[block(0), damaged, block(2), block(3)].join(',\n')}\n}`;
    expect(Object.keys(locals(read(text)))).toEqual(expect.arrayContaining(['0.tif', '2.tif', '3.tif']));
  });
});

describe('exifTime', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'phorest-exif-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const timeOf = async (name: string, bytes: Buffer): Promise<[string, string | null] | null> => {
    await writeFile(join(folder, name), bytes);
    return shown(await exifTime(join(folder, name)));
  };

  it('reads TIFF of either byte order, with its directory behind the pixels', async () => {
    const original = {
      original: '2025:07:24 13:45:13',
      subSeconds: '569',
      offset: '+01:00',
      dateTime: '2026:01:01 00:00:00',
    };
    const expected = ['2025-07-24T13:45:13.569000', '2025-07-24T12:45:13.569000Z'];
    expect(await timeOf('le.tif', tiffWithTime({ ...original, pixels: 200_000 }))).toEqual(expected);
    expect(await timeOf('be.tif', tiffWithTime({ ...original, bigEndian: true }))).toEqual(expected);
    expect(await timeOf('plain.tif', tiffWithTime({ dateTime: '2025:07:24 13:45:13' }))).toEqual([
      '2025-07-24T13:45:13.000000',
      null,
    ]);
  });

  it('reads an image that was compressed, and nothing from one that is damaged', async () => {
    const tiff = tiffWithTime({ dateTime: '2025:07:24 13:45:13', pixels: 200_000 });
    const expected = ['2025-07-24T13:45:13.000000', null];
    expect(await timeOf('packed.tif.gz', gzipSync(tiff))).toEqual(expected);
    expect(await timeOf('packed.tif.zst', zstdCompressSync(tiff))).toEqual(expected);
    expect(await timeOf('cut.tif.gz', gzipSync(tiff).subarray(0, 40))).toBeNull();
    expect(await timeOf('none.tif.zst', tiff)).toBeNull();
  });

  it('reads JPEG and PNG as sharp writes them', async () => {
    const image = sharp({ create: { width: 200, height: 100, channels: 3, background: '#333' } }).withExif({
      IFD2: { DateTimeOriginal: '2025:07:24 13:45:14', SubSecTimeOriginal: '123456', OffsetTimeOriginal: '-02:30' },
    });
    for (const format of ['jpeg', 'png'] as const) {
      expect(await timeOf(`s.${format}`, await image.clone().toFormat(format).toBuffer())).toEqual([
        '2025-07-24T13:45:14.123456',
        '2025-07-24T16:15:14.123456Z',
      ]);
    }
  });

  it('is null without a throw for files without it, cut off or foreign, and leaves none open', async () => {
    const whole = tiffWithTime({ original: '2025:07:24 13:45:13' });
    const before = (await readdir('/proc/self/fd')).length;
    for (let length = 0; length < whole.length - 30; length += 9)
      expect(await timeOf('cut.tif', whole.subarray(0, length))).toBeNull();
    const jpeg = await sharp({ create: { width: 20, height: 10, channels: 3, background: '#333' } })
      .jpeg()
      .toBuffer();
    expect(await timeOf('none.jpg', jpeg)).toBeNull();
    expect(await timeOf('foreign.png', Buffer.from('<html>not an image at all</html>'))).toBeNull();
    expect(await timeOf('zeros.tif', tiffWithTime({ original: '0000:00:00 00:00:00' }))).toBeNull();
    expect((await readdir('/proc/self/fd')).length).toBeLessThanOrEqual(before);
  });

  it('survives any damage', async () => {
    const whole = tiffWithTime({ original: '2025:07:24 13:45:13', subSeconds: '5', offset: '+01:00' });
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (at, value) => {
        const bytes = Buffer.from(whole);
        bytes[at] = value;
        await timeOf('damaged.tif', bytes);
      }),
      { numRuns: 60 },
    );
  });
});
