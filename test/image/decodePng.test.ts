import { crc32, deflateSync, inflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodePng } from '../../src/image/decodePng.ts';
import { ownMemory } from '../../src/image/frameTarget.ts';
import type { Pixels } from '../../src/model/frame.ts';
import { decodedBySharp } from './decodedBySharp.ts';

const width = 61;
const height = 300;
const gray8 = Uint8Array.from({ length: width * height }, (_, i) => (i * 37 + (i >> 6)) % 256);
const gray16 = Uint16Array.from({ length: width * height }, (_, i) => (i * 7919) % 65536);
/** Smooth with noise, so that every filter is worth its while somewhere. */
const smooth16 = Uint16Array.from(
  { length: width * height },
  (_, i) => 20_000 + 9000 * Math.sin((i % width) / 9) * Math.cos(i / width / 11) + ((i * 7919) % 61),
);
const image8 = () => sharp(gray8, { raw: { width, height, channels: 1 } }).toColourspace('b-w');
const image16 = (data = gray16) => sharp(data, { raw: { width, height, channels: 1 } }).toColourspace('grey16');

/** All at once, and in parts. */
const ways = [
  ['at once', Number.POSITIVE_INFINITY],
  ['in parts', 0],
] as const;

interface Chunk {
  type: string;
  data: Uint8Array;
}

const signature = Buffer.from('89504e470d0a1a0a', 'hex');

function chunksOf(png: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

/** A file of such chunks, with right checksums. */
function pngOf(chunks: readonly Chunk[]): Buffer {
  return Buffer.concat([
    signature,
    ...chunks.map(({ type, data }) => {
      const bytes = Buffer.alloc(12 + data.length);
      bytes.writeUInt32BE(data.length, 0);
      bytes.write(type, 4, 'latin1');
      bytes.set(data, 8);
      bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
      return bytes;
    }),
  ]);
}

/** A file whose image data are these. */
function withData(png: Buffer, data: readonly Uint8Array[]): Buffer {
  const chunks = chunksOf(png).filter(({ type }) => type !== 'IDAT');
  const end = chunks.length - 1;
  return pngOf([...chunks.slice(0, end), ...data.map(part => ({ type: 'IDAT', data: part })), ...chunks.slice(end)]);
}

const dataOf = (png: Buffer): Buffer =>
  Buffer.concat(
    chunksOf(png)
      .filter(({ type }) => type === 'IDAT')
      .map(({ data }) => data),
  );

/** With the full window of Deflate, as large files have it; that of small ones is smaller, and they are left to sharp. */
const withFullWindow = (png: Buffer): Buffer => withData(png, [deflateSync(inflateSync(dataOf(png)))]);

describe.each(ways)('gray files are read pixel by pixel as sharp reads them, %s', (_, largeFrom) => {
  test.each<[string, () => Promise<Buffer>]>([
    ['8 bit', () => image8().png({ adaptiveFiltering: false }).toBuffer()],
    ['8 bit, all filters', () => image8().png({ adaptiveFiltering: true }).toBuffer()],
    ['8 bit, not compressed', () => image8().png({ compressionLevel: 0 }).toBuffer()],
    ['16 bit', () => image16().png({ adaptiveFiltering: false }).toBuffer()],
    ['16 bit, all filters', () => image16(smooth16).png({ adaptiveFiltering: true }).toBuffer()],
    ['of one pixel', () => image16().extract({ left: 3, top: 4, width: 1, height: 1 }).png().toBuffer()],
    ['of one row', () => image16(smooth16).extract({ left: 0, top: 4, width, height: 1 }).png().toBuffer()],
    ['of one column', () => image8().extract({ left: 7, top: 0, width: 1, height }).png().toBuffer()],
  ])('%s', async (_name, make) => {
    const bytes = withFullWindow(await make());
    const pixels = await decodePng(bytes, ownMemory, largeFrom);
    expect(pixels).not.toBeNull();
    expect(pixels).toEqual(await decodedBySharp(bytes));
  });

  test.each([1, 2, 3, 4])('filter %i in every row, the first too', async filter => {
    for (const make of [image8, image16]) {
      const png = await make().png().toBuffer();
      const stride = make === image8 ? width + 1 : 2 * width + 1;
      const raw = Buffer.from(Array.from({ length: stride * height }, (_value, i) => (i * 73 + (i >> 5)) % 256));
      for (let at = 0; at < raw.length; at += stride) raw[at] = filter;
      const bytes = withData(png, [deflateSync(raw)]);
      const pixels = await decodePng(bytes, ownMemory, largeFrom);
      expect(pixels).not.toBeNull();
      expect(pixels).toEqual(await decodedBySharp(bytes));
    }
  });

  test('with chunks of any length, also none', async () => {
    const png = await image16(smooth16).png({ adaptiveFiltering: true }).toBuffer();
    const data = dataOf(png);
    const parts = [data.subarray(0, 1), data.subarray(1, 1), data.subarray(1, 700), data.subarray(700)];
    const pixels = await decodePng(withData(png, parts), ownMemory, largeFrom);
    expect(pixels?.data).toEqual(smooth16);
  });

  test('rows that are told of are final, and in the end all are', async () => {
    const tall = 40_000;
    const data = Uint16Array.from({ length: width * tall }, (_value, i) => (i * 7919) % 65536);
    const bytes = await sharp(data, { raw: { width, height: tall, channels: 1 } })
      .toColourspace('grey16')
      .png({ adaptiveFiltering: true })
      .toBuffer();
    const told: number[] = [0];
    let pixels: Pixels | null = null;
    await decodePng(
      bytes,
      {
        ...ownMemory,
        begin: shape => (pixels = ownMemory.begin(shape)),
        rowsDone(count) {
          const from = told.at(-1) as number;
          expect(count).toBeGreaterThan(from);
          const rows = pixels!.data.subarray(from * width, count * width);
          expect(Buffer.compare(Buffer.from(rows), Buffer.from(data.subarray(from * width, count * width)))).toBe(0);
          told.push(count);
        },
      },
      largeFrom,
    );
    expect(told.at(-1)).toBe(tall);
    if (largeFrom === 0) expect(told.length).toBeGreaterThan(4);
  });
});

describe('what is anything else is left to sharp', () => {
  const more = async (chunk: Chunk, place = 1): Promise<Buffer> =>
    pngOf(chunksOf(await image8().png().toBuffer()).toSpliced(place, 0, chunk));

  test.each<[string, () => Promise<Uint8Array> | Uint8Array]>([
    ['a palette', () => image8().png({ palette: true }).toBuffer()],
    ['a small window of Deflate', () => image8().extract({ left: 0, top: 0, width: 3, height: 3 }).png().toBuffer()],
    ['interlaced', () => image8().png({ progressive: true }).toBuffer()],
    [
      'colour',
      () =>
        sharp({ create: { width, height, channels: 3, background: '#123' } })
          .png()
          .toBuffer(),
    ],
    ['alpha', () => image8().ensureAlpha(0.5).png().toBuffer()],
    ['a colour profile', () => image8().withIccProfile('p3').png().toBuffer()],
    ['a transparent level', () => more({ type: 'tRNS', data: Uint8Array.of(0, 3) })],
    ['a text', () => more({ type: 'tEXt', data: Buffer.from('Comment\0hello') })],
    ['a second header', async () => more(chunksOf(await image8().png().toBuffer())[0]!)],
    ['a chunk between the data', () => more({ type: 'IDAT', data: new Uint8Array(0) })],
    ['bytes behind the end', async () => Buffer.concat([await image8().png().toBuffer(), Buffer.alloc(1)])],
    ['a TIFF', () => image16().tiff().toBuffer()],
    ['a signature alone', () => signature],
    ['nothing', () => new Uint8Array(0)],
  ])('%s', async (_, make) => {
    const bytes = await make();
    for (const [, largeFrom] of ways) expect(await decodePng(bytes, ownMemory, largeFrom)).toBeNull();
  });
});

describe.each(ways)('damaged files, %s', (_, largeFrom) => {
  const read = (bytes: Uint8Array) => decodePng(bytes, ownMemory, largeFrom);
  const small = async () =>
    withFullWindow(
      await sharp(smooth16.subarray(0, 12 * 20), { raw: { width: 12, height: 20, channels: 1 } })
        .toColourspace('grey16')
        .png({ adaptiveFiltering: true })
        .toBuffer(),
    );

  test('cut off anywhere, none is read', async () => {
    const bytes = await small();
    for (let length = 0; length < bytes.length; length += 3) expect(await read(bytes.subarray(0, length))).toBeNull();
  });

  test.each<[string, (data: Buffer) => Buffer]>([
    ['no checksum', data => data.subarray(0, -4)],
    ['a wrong checksum', data => Buffer.concat([data.subarray(0, -1), Buffer.of(data.at(-1)! ^ 1)])],
    ['something behind the checksum', data => Buffer.concat([data, Buffer.of(0)])],
    ['a great deal behind the checksum', data => Buffer.concat([data, Buffer.alloc(5_000_000, 0x5a)])],
    ['a row too few', () => deflateSync(Buffer.alloc(25 * 19))],
    ['a byte too few', () => deflateSync(Buffer.alloc(25 * 20 - 1))],
    ['a byte too many', () => deflateSync(Buffer.alloc(25 * 20 + 1))],
    ['a great many bytes too many', () => deflateSync(Buffer.alloc(3_000_000))],
    ['a filter that does not exist', () => deflateSync(Buffer.alloc(25 * 20, 5))],
    ['a small window', () => deflateSync(Buffer.alloc(25 * 20), { windowBits: 9 })],
    ['a dictionary', () => deflateSync(Buffer.alloc(25 * 20), { dictionary: Buffer.alloc(50) })],
    ['nothing at all', () => Buffer.alloc(0)],
  ])('data with %s are left to sharp', async (_name, change) => {
    const bytes = await small();
    expect(await read(withData(bytes, [dataOf(bytes)]))).not.toBeNull();
    expect(await read(withData(bytes, [change(dataOf(bytes))]))).toBeNull();
  });

  test('with bytes changed, and the checksums made right again or not, what is read is what sharp reads', async () => {
    const bytes = await small();
    const whole = await decodedBySharp(bytes);
    let seed = 11;
    const below = (limit: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * limit);
    };
    const counts = { read: 0, left: 0 };
    for (let round = 0; round < 600; round++) {
      const changed = Buffer.from(bytes);
      // Mostly where it matters: the header.
      for (let k = below(3); k >= 0; k--) changed[below(3) === 0 ? 8 + below(30) : below(bytes.length)] = below(256);
      let file: Uint8Array = changed;
      if (below(4) > 0) {
        const chunks = chunksOf(bytes).map(({ type, data }) => ({ type, data: Buffer.from(data) }));
        for (let k = below(3); k >= 0; k--) {
          const { data } = chunks[below(chunks.length)]!;
          if (data.length > 0) data[below(data.length)] = below(2) === 0 ? below(256) : below(4);
        }
        file = pngOf(chunks);
      }
      const pixels = await read(file);
      if (pixels === null) counts.left++;
      else {
        counts.read++;
        // Sharp refuses a chunk of data whose checksum is wrong; that of the pixels, within the data, is what counts here.
        expect(pixels).toEqual((await decodedBySharp(file)) ?? whole);
      }
    }
    expect(counts.left).toBeGreaterThan(250);
    expect(counts.read).toBeGreaterThan(10);
  });
});
