import { existsSync, readdirSync, readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodeTiff } from '../../src/image/decodeTiff.ts';
import { decodedBySharp } from './decodedBySharp.ts';
import { tiffBytes } from './tiffBytes.ts';

const width = 61;
const height = 300;
const gray8 = Uint8Array.from({ length: width * height }, (_, i) => (i * 37 + (i >> 6)) % 256);
const gray16 = Uint16Array.from({ length: width * height }, (_, i) => (i * 7919) % 65536);
const image8 = () => sharp(gray8, { raw: { width, height, channels: 1 } }).toColourspace('b-w');
const image16 = () => sharp(gray16, { raw: { width, height, channels: 1 } }).toColourspace('grey16');

const predictor = 'horizontal' as const;
const plainFiles: [string, () => Promise<Buffer>][] = [
  ['8 bit', () => image8().tiff({ compression: 'none' }).toBuffer()],
  ['8 bit, deflate', () => image8().tiff({ compression: 'deflate', predictor: 'none' }).toBuffer()],
  ['8 bit, deflate, differences', () => image8().tiff({ compression: 'deflate', predictor }).toBuffer()],
  ['16 bit', () => image16().tiff({ compression: 'none' }).toBuffer()],
  ['16 bit, deflate', () => image16().tiff({ compression: 'deflate', predictor: 'none' }).toBuffer()],
  ['16 bit, deflate, differences', () => image16().tiff({ compression: 'deflate', predictor }).toBuffer()],
];

describe('the plain files of microscopes are read pixel by pixel as sharp reads them', () => {
  test.each(plainFiles)('%s', async (_, make) => {
    const bytes = await make();
    const pixels = decodeTiff(bytes);
    expect(pixels).not.toBeNull();
    expect(pixels).toEqual(await decodedBySharp(bytes));
  });

  test('also where a file lies at an odd place in memory', async () => {
    const bytes = await image16().tiff({ compression: 'none' }).toBuffer();
    const odd = new Uint8Array(bytes.length + 1).subarray(1);
    odd.set(bytes);
    expect(decodeTiff(odd)?.data).toEqual(gray16);
  });
});

describe('what is anything else is left to sharp', () => {
  test.each<[string, () => Promise<Uint8Array> | Uint8Array]>([
    ['LZW', () => image16().tiff({ compression: 'lzw' }).toBuffer()],
    ['tiles', () => image16().tiff({ compression: 'none', tile: true, tileWidth: 64, tileHeight: 64 }).toBuffer()],
    ['a JPEG in a TIFF', () => image8().tiff({ compression: 'jpeg' }).toBuffer()],
    ['black and white', () => image8().tiff({ bitdepth: 1, compression: 'none' }).toBuffer()],
    ['white is zero', () => image8().tiff({ compression: 'none', miniswhite: true }).toBuffer()],
    ['a colour profile', () => image8().withIccProfile('p3').tiff({ compression: 'none' }).toBuffer()],
    ['turned', () => image16().withMetadata({ orientation: 6 }).tiff({ compression: 'none' }).toBuffer()],
    ['several pages', () => tiffBytes({ width: 4, height: 3, bits: 16, pages: 2 })],
    ['32 bit', () => tiffBytes({ width: 4, height: 3, bits: 32 })],
    ['a PNG', () => image16().png().toBuffer()],
    ['a few bytes', () => Uint8Array.of(0x49, 0x49, 0x2a)],
  ])('%s', async (_, make) => {
    expect(decodeTiff(await make())).toBeNull();
  });
});

const small = (compression: 'none' | 'deflate', predictor: 'none' | 'horizontal') =>
  sharp(gray16.subarray(0, 12 * 20), { raw: { width: 12, height: 20, channels: 1 } })
    .toColourspace('grey16')
    .tiff({ compression, predictor })
    .toBuffer();

describe('damaged files', () => {
  const kinds = [
    ['none', 'none'],
    ['deflate', 'horizontal'],
  ] as const;

  test.each(kinds)('%s, %s: cut off anywhere, none is read that sharp refuses', async (compression, predictor) => {
    const bytes = await small(compression, predictor);
    for (let length = 0; length < bytes.length; length += 3) {
      const cut = bytes.subarray(0, length);
      const pixels = decodeTiff(cut);
      if (pixels !== null) expect(pixels).toEqual(await decodedBySharp(cut));
    }
  });

  test.each(kinds)('%s, %s: with bytes changed, what is read is what sharp reads', async (compression, predictor) => {
    const bytes = await small(compression, predictor);
    const directory = bytes.readUInt32LE(4);
    let seed = 7;
    const below = (limit: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * limit);
    };
    const counts = { read: 0, left: 0, refusedBySharp: 0 };
    for (let round = 0; round < 1500; round++) {
      const changed = Buffer.from(bytes);
      for (let k = below(3); k >= 0; k--) {
        // Mostly where it matters: header and directory.
        const at =
          below(4) === 0 ? below(bytes.length) : (directory + below(bytes.length - directory + 8)) % bytes.length;
        changed[at] = below(2) === 0 ? below(256) : below(4);
      }
      const pixels = decodeTiff(changed);
      if (pixels === null) {
        counts.left++;
        continue;
      }
      const reference = await decodedBySharp(changed);
      if (reference === null) counts.refusedBySharp++;
      else expect(pixels).toEqual(reference);
      counts.read++;
    }
    // Damage in tags that say nothing of the pixels: a resolution, a text, a tag that only sharp knows.
    expect(counts.refusedBySharp).toBeLessThan(0.05 * counts.read);
    expect(counts.read).toBeGreaterThan(50);
    expect(counts.left).toBeGreaterThan(50);
  });
});

const legacy = new URL('../../../shared/reference/legacy_gauss/Pos0/', import.meta.url);

test.skipIf(!existsSync(legacy))('the frames of the shared reference are read as sharp reads them', async () => {
  for (const name of readdirSync(legacy)
    .filter(file => file.endsWith('.tif'))
    .slice(0, 2)) {
    const bytes = readFileSync(new URL(name, legacy));
    const pixels = decodeTiff(bytes);
    const reference = await decodedBySharp(bytes);
    expect(pixels).toMatchObject({ width: 1920, height: 1460, depth: 16 });
    expect(Buffer.compare(Buffer.from(pixels!.data.buffer), Buffer.from(reference!.data.buffer))).toBe(0);
  }
});
