import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BadImageError } from '../../src/image/badImageError.ts';
import { decodeFrame } from '../../src/image/decodeFrame.ts';
import { tiffBytes } from './tiffBytes.ts';

const width = 37;
const height = 23;
const gray8 = Uint8Array.from({ length: width * height }, (_, i) => (i * 37) % 256);
const gray16 = Uint16Array.from({ length: width * height }, (_, i) => (i * 7919) % 65536);
const rgb8 = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 101 + (i >> 4)) % 256);
const rgb16 = Uint16Array.from({ length: 3 * width * height }, (_, i) => (i * 7919) % 65536);

const image8 = () => sharp(gray8, { raw: { width, height, channels: 1 } }).toColourspace('b-w');
const image16 = () => sharp(gray16, { raw: { width, height, channels: 1 } }).toColourspace('grey16');

const luma = (colour: ArrayLike<number>): number[] =>
  Array.from({ length: colour.length / 3 }, (_, i) =>
    Math.round(0.299 * colour[3 * i] + 0.587 * colour[3 * i + 1] + 0.114 * colour[3 * i + 2]),
  );

describe('gray images keep their exact values at their native depth', () => {
  test.each([
    ['8 bit PNG', image8().png(), gray8],
    ['16 bit PNG', image16().png(), gray16],
    ['8 bit TIFF, uncompressed', image8().tiff({ compression: 'none' }), gray8],
    ['8 bit TIFF, LZW', image8().tiff({ compression: 'lzw' }), gray8],
    ['16 bit TIFF, uncompressed', image16().tiff({ compression: 'none' }), gray16],
    ['16 bit TIFF, LZW with predictor', image16().tiff({ compression: 'lzw', predictor: 'horizontal' }), gray16],
    [
      '16 bit TIFF, deflate with predictor',
      image16().tiff({ compression: 'deflate', predictor: 'horizontal' }),
      gray16,
    ],
    [
      'lossless JPEG of one level',
      sharp({ create: { width, height, channels: 3, background: '#4d4d4d' } })
        .toColourspace('b-w')
        .jpeg(),
      new Uint8Array(width * height).fill(77),
    ],
  ])('%s', async (_, image, expected) => {
    const pixels = await decodeFrame(await image.toBuffer());
    expect(pixels).toMatchObject({ width, height, depth: expected instanceof Uint16Array ? 16 : 8 });
    expect(pixels.data.constructor).toBe(expected.constructor);
    expect(Array.from(pixels.data)).toEqual(Array.from(expected));
  });
});

test('colour becomes BT.601 luma, rounded to nearest, at 8 and at 16 bits', async () => {
  const at8 = await sharp(rgb8, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  expect(Array.from((await decodeFrame(at8)).data)).toEqual(luma(rgb8));
  const at16 = await sharp(rgb16, { raw: { width, height, channels: 3 } })
    .toColourspace('rgb16')
    .png()
    .toBuffer();
  const pixels = await decodeFrame(at16);
  expect(pixels.depth).toBe(16);
  expect(Array.from(pixels.data)).toEqual(luma(rgb16));
});

test('alpha is dropped, not blended', async () => {
  const rgba = Uint8Array.from({ length: 4 * width * height }, (_, i) => (i % 4 === 3 ? 10 : 200));
  const png = await sharp(rgba, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer();
  expect(new Set((await decodeFrame(png)).data)).toEqual(new Set([200]));
});

test('EXIF orientation and colour profile leave stored pixels as they are', async () => {
  const turned = await image8().png().withMetadata({ orientation: 6, icc: 'p3' }).toBuffer();
  const pixels = await decodeFrame(turned);
  expect([pixels.width, pixels.height]).toEqual([width, height]);
  const profiled = await sharp(rgb8, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  const tagged = await sharp(profiled).keepIccProfile().withIccProfile('p3', { attach: true }).png().toBuffer();
  const stored = await sharp(tagged, { ignoreIcc: true }).raw().toBuffer();
  expect(Array.from((await decodeFrame(tagged)).data)).toEqual(luma(stored));
});

describe('what is no usable image is a BadImageError that says what was found', () => {
  test.each([
    ['an empty file', async () => new Uint8Array(0), /the file is empty/],
    [
      'something else',
      async () => Buffer.from('{"not": "an image"}'),
      /a file of text, and no image; PNG, JPEG and TIFF are read/,
    ],
    ['a BMP image', async () => Buffer.from('BM\0\0\0\0\0\0\0\0'), /: a BMP image; PNG, JPEG and TIFF are read/],
    ['a pointer of Git LFS', async () => Buffer.from('version https://git-lfs.github.com/spec/v1\n'), /git lfs pull/],
    ['a page of HTML', async () => Buffer.from('<!DOCTYPE html><p>log in</p>'), /a page of HTML, and no image/],
    ['zeros', async () => Buffer.alloc(5000), /holds zeros at its beginning/],
    [
      'a cut off PNG',
      async () => (await image16().png().toBuffer()).subarray(0, 700),
      /not a readable image.*the file is cut off/,
    ],
    [
      'a cut off TIFF',
      async () => (await image16().tiff({ compression: 'none' }).toBuffer()).subarray(0, 700),
      /not a readable image/,
    ],
    [
      'a cut off JPEG',
      async () =>
        (
          await sharp(rgb8, { raw: { width, height, channels: 3 } })
            .jpeg({ quality: 100 })
            .toBuffer()
        ).subarray(0, 1500),
      /not a readable image/,
    ],
    [
      'a damaged PNG',
      async () => (await image16().png({ compressionLevel: 0 }).toBuffer()).fill(0xa5, 300, 320),
      /not a readable image/,
    ],
    ['another format', () => image8().webp().toBuffer(), /a webp image; PNG, JPEG and TIFF are read/],
    [
      'a TIFF of several pages',
      async () => tiffBytes({ width: 4, height: 3, bits: 16, pages: 3 }),
      /a TIFF of 3 pages/,
    ],
    [
      'a floating point TIFF',
      async () => tiffBytes({ width: 4, height: 3, bits: 32, float: true }),
      /pixels of 32 bits, floating point numbers; integers of up to 16 bits are read/,
    ],
    ['a 32 bit TIFF', async () => tiffBytes({ width: 4, height: 3, bits: 32 }), /pixels of 32 bits, unsigned integers/],
  ])('%s', async (_, bytes, message) => {
    const failure = await decodeFrame(await bytes(), 'a/b.tif').then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(BadImageError);
    expect(failure).toMatchObject({ kind: 'bad_image', file: 'a/b.tif' });
    expect((failure as Error).message).toMatch(/^a\/b\.tif: /);
    expect((failure as Error).message).toMatch(message);
  });

  test('the test’s own TIFF writer makes readable ones', async () => {
    const pixels = await decodeFrame(tiffBytes({ width: 4, height: 3, bits: 16 }));
    expect(pixels).toMatchObject({ width: 4, height: 3, depth: 16 });
    expect(Array.from(pixels.data)).toEqual(Array.from({ length: 12 }, (_, i) => i));
  });
});

describe('files', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'phorest-decode-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('are read by path, and named in errors', async () => {
    const path = join(folder, 'frame.png');
    await writeFile(path, await image16().png().toBuffer());
    expect(Array.from((await decodeFrame(path)).data)).toEqual(Array.from(gray16));
    await writeFile(path, '');
    await expect(decodeFrame(path)).rejects.toThrow(`${path}: the file is empty`);
  });

  test('that can not be read keep their system error', async () => {
    await expect(decodeFrame(join(folder, 'gone.png'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(decodeFrame(folder)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
