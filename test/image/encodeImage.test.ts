import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeFrame } from '../../src/image/decodeFrame.ts';
import { encodeImage, type ImageFormat, imageExtensions } from '../../src/image/encodeImage.ts';
import type { Pixels } from '../../src/model/frame.ts';

const frame = (depth: 8 | 16, width: number, height: number, value: (i: number) => number): Pixels => {
  const make = { length: width * height };
  const of = (_: unknown, i: number): number => value(i);
  return { width, height, depth, data: depth === 16 ? Uint16Array.from(make, of) : Uint8Array.from(make, of) };
};
const noise = (i: number): number => (i * 2654435761) >>> 13;

const formats = Object.keys(imageExtensions) as ImageFormat[];

describe.each(formats)('a frame written as %s', format => {
  it.each([
    ['8 bits', frame(8, 37, 23, noise)],
    ['16 bits', frame(16, 37, 23, noise)],
    ['one pixel', frame(8, 1, 1, () => 200)],
    ['black', frame(8, 64, 64, () => 0)],
    ['rows that are longer than what is filtered in one go', frame(8, 1_100_000, 2, noise)],
    ['more rows than are filtered in one go', frame(8, 3000, 1000, noise)],
  ])('has every bit when it is read: %s', async (_what, pixels) => {
    const bytes = await encodeImage(pixels, format);
    const found = await decodeFrame(bytes, `image${imageExtensions[format]}`);
    expect([found.width, found.height, found.depth]).toEqual([pixels.width, pixels.height, pixels.depth]);
    expect(Buffer.compare(bytesOf(found), bytesOf(pixels))).toBe(0);
  });

  it('refuses pixels that are not those of such a frame', async () => {
    const wrong = { width: 5, height: 5, depth: 8, data: new Uint8Array(7) } as const;
    await expect(encodeImage(wrong, format)).rejects.toThrow();
  });
});

it('PNG of our own is read by others, bit by bit', async () => {
  const pixels = frame(8, 401, 300, noise);
  const raw = await sharp(await encodeImage(pixels, 'PNG'))
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(raw.info).toMatchObject({ width: 401, height: 300, channels: 1 });
  expect(Buffer.compare(raw.data, bytesOf(pixels))).toBe(0);
});

const bytesOf = ({ data }: Pixels): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
