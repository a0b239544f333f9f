import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decodeFrame } from '../../src/image/decodeFrame.ts';

/** Variants of one image as programs write them, and what an independent reader gives: `../shared/field/README.md`. */
const images = join(import.meta.dirname, '../../../shared/field/images');

interface Expected {
  shape: [height: number, width: number];
  dtype: string;
  crc32: number;
  mean: number;
}

/** Kinds that are refused, and what the one sentence says. */
const refused: Readonly<Record<string, RegExp>> = {
  '16-lzma.tif': /a TIFF compressed with LZMA, which is not read/,
  '16-lerc.tif': /a TIFF compressed with LERC, which is not read/,
  '16-png.tif': /a TIFF compressed with PNG, which is not read/,
  '16-jpeg2000.tif': /a TIFF compressed with JPEG 2000, which is not read/,
  '16-jpegxl.tif': /a TIFF compressed with JPEG XL, which is not read/,
  'uint32.tif': /pixels of 32 bits, unsigned integers; integers of up to 16 bits are read/,
  'float32.tif': /pixels of 32 bits, floating point numbers; integers of up to 16 bits are read/,
  'float64.tif': /pixels of 64 bits, floating point numbers; integers of up to 16 bits are read/,
  'no-eoi.jpg': /not a readable image: VipsJpeg: premature end of JPEG image/,
  'cut-99pct.jpg': /not a readable image: VipsJpeg: premature end of JPEG image/,
};

/** Compressed with a loss by one program, decoded by another. */
const withLoss = ['16-jpeg-8bit.tif'];

describe.skipIf(!existsSync(images))('images as people have them (../shared/field/images)', () => {
  for (const kind of ['png', 'jpeg', 'tiff']) {
    const folder = join(images, kind);
    if (!existsSync(folder)) continue;
    const all: Record<string, Expected | null> = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
    test.each(Object.entries(all))(`${kind}: %s`, async (name, expected) => {
      const file = join(folder, name);
      const message = refused[name];
      if (message !== undefined || expected === null) {
        const error = await decodeFrame(file).catch((thrown: Error) => thrown);
        expect(error).toMatchObject({ kind: 'bad_image', message: expect.stringMatching(message ?? /^$/) });
        expect((error as Error).message).not.toContain('\n');
        return;
      }
      const { height, width, data } = await decodeFrame(file);
      expect([height, width]).toEqual(expected.shape);
      const mean = Array.from(data).reduce((sum, value) => sum + value, 0) / data.length;
      if (withLoss.includes(name)) expect(Math.abs(mean / expected.mean - 1)).toBeLessThan(0.03);
      else expect(crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))).toBe(expected.crc32);
    });
  }
});
