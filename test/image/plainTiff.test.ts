import { deflateSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decodeFrame } from '../../src/image/decodeFrame.ts';

const width = 21;
const height = 10;
/** Values of 12 bits, each row another. */
const values = Array.from({ length: width * height }, (_, i) => (i * 577) % 4096);

interface Page {
  bits: number;
  blocks: Uint8Array[];
  tags?: Record<number, number[]>;
  size?: { width: number; height: number };
}

/** A TIFF of these pages, as few tags as can be. */
function tiff(pages: readonly Page[], little = true): Uint8Array {
  const parts: Buffer[] = [];
  let at = 8;
  const add = (bytes: Uint8Array): number => {
    parts.push(Buffer.from(bytes));
    at += bytes.length;
    return at - bytes.length;
  };
  const numbers = (list: readonly number[], size: 2 | 4): Buffer => {
    const bytes = Buffer.alloc(list.length * size);
    for (const [i, value] of list.entries()) {
      if (little) bytes.writeUIntLE(value, i * size, size);
      else bytes.writeUIntBE(value, i * size, size);
    }
    return bytes;
  };
  const head = Buffer.concat([Buffer.from(little ? 'II' : 'MM'), numbers([42], 2)]);
  let link: Buffer | null = null;
  let first = 0;
  for (const { bits, blocks, tags = {}, size = { width, height } } of pages) {
    const isTiled = tags[322] !== undefined;
    const offsets = blocks.map(add);
    const all: Record<number, number[]> = {
      256: [size.width],
      257: [size.height],
      258: [bits],
      259: [1],
      262: [1],
      277: [1],
      [isTiled ? 324 : 273]: offsets,
      [isTiled ? 325 : 279]: blocks.map(({ length }) => length),
      ...tags,
    };
    const entries = Object.entries(all).map(([tag, list]) => {
      const value = list.length === 1 ? numbers(list, 4) : numbers([add(numbers(list, 4))], 4);
      return Buffer.concat([numbers([Number(tag), 4], 2), numbers([list.length], 4), value]);
    });
    const next = numbers([0], 4);
    const start = add(Buffer.concat([numbers([entries.length], 2), ...entries]));
    if (link === null) first = start;
    else link.set(numbers([start], 4));
    parts.push(next);
    at += 4;
    link = next;
  }
  return Buffer.concat([head, numbers([first], 4), ...parts]);
}

const words = (list: readonly number[], little = true): Uint8Array => {
  const bytes = Buffer.from(Uint16Array.from(list).buffer);
  return little ? bytes : bytes.swap16();
};

/** Rows of values of 9 to 15 bits, highest bit first, each from a whole byte on. */
function packed(list: readonly number[], bits: number): Uint8Array {
  const rows = Array.from({ length: height }, (_, row) => {
    const text = list.slice(row * width, (row + 1) * width).map(value => value.toString(2).padStart(bits, '0'));
    const whole = text.join('').padEnd(Math.ceil((width * bits) / 8) * 8, '0');
    return Uint8Array.from(whole.match(/.{8}/g)!, byte => Number.parseInt(byte, 2));
  });
  return Buffer.concat(rows);
}

const differences = values.map((value, i) => (i % width === 0 ? value : (value - values[i - 1]! + 65_536) % 65_536));
/** Two tiles of 16 × 16 beside each other. */
const tiles = [0, 16].map(left =>
  Array.from({ length: 256 }, (_, i) => {
    const [row, column] = [Math.floor(i / 16), left + (i % 16)];
    return row < height && column < width ? values[row * width + column]! : 0;
  }),
);
const tiled = { 322: [16], 323: [16] };
const small = { bits: 16, blocks: [words([1, 2, 3, 4])], size: { width: 2, height: 2 } };
const plain = { bits: 16, blocks: [words(values)] };

describe('a TIFF is read to the exact values', () => {
  test.each<[string, Uint8Array]>([
    [
      'Zstandard in strips',
      tiff([
        {
          bits: 16,
          blocks: [words(values.slice(0, 6 * width)), words(values.slice(6 * width))].map(strip =>
            zstdCompressSync(strip),
          ),
          tags: { 259: [50_000], 278: [6] },
        },
      ]),
    ],
    [
      'Zstandard with differences',
      tiff([{ bits: 16, blocks: [zstdCompressSync(words(differences))], tags: { 259: [50_000], 317: [2] } }]),
    ],
    [
      'Zstandard in tiles',
      tiff([{ bits: 16, blocks: tiles.map(tile => zstdCompressSync(words(tile))), tags: { ...tiled, 259: [50_000] } }]),
    ],
    [
      'Zstandard, big endian',
      tiff([{ bits: 16, blocks: [zstdCompressSync(words(values, false))], tags: { 259: [50_000] } }], false),
    ],
    ['packed 12 bits', tiff([{ bits: 12, blocks: [packed(values, 12)] }])],
    ['packed 12 bits, big endian', tiff([{ bits: 12, blocks: [packed(values, 12)] }], false)],
    [
      'packed 14 bits with Deflate',
      tiff([{ bits: 14, blocks: [deflateSync(packed(values, 14))], tags: { 259: [8] } }]),
    ],
    ['signed 16 bits', tiff([{ ...plain, tags: { 339: [2] } }])],
    [
      'signed 16 bits in tiles',
      tiff([{ bits: 16, blocks: tiles.map(tile => words(tile)), tags: { ...tiled, 339: [2] } }]),
    ],
    ['a thumbnail behind it', tiff([plain, { ...small, tags: { 254: [1] } }])],
    ['a thumbnail before it', tiff([{ ...small, tags: { 254: [1] } }, plain])],
    ['a smaller image behind it that says nothing of itself', tiff([plain, small])],
  ])('%s', async (_, bytes) => {
    const pixels = await decodeFrame(bytes);
    expect(pixels).toMatchObject({ width, height, depth: 16 });
    expect(Array.from(pixels.data)).toEqual(values);
  });

  test('signed 8 bits', async () => {
    const bytes = values.map(value => value % 128);
    const pixels = await decodeFrame(tiff([{ bits: 8, blocks: [Uint8Array.from(bytes)], tags: { 339: [2] } }]));
    expect(Array.from(pixels.data)).toEqual(bytes);
  });
});

describe('what is not read is told in one sentence', () => {
  const negative = values.with(25, 65_531);
  test.each<[string, Uint8Array, RegExp]>([
    [
      'a value below zero',
      tiff([{ bits: 16, blocks: [words(negative)], tags: { 339: [2] } }]),
      /signed pixels, of which one is -5 \(row 1, column 4\)/,
    ],
    ['two images', tiff([plain, plain]), /a TIFF of 2 pages; one image a file is read/],
    [
      'a strip of Zstandard that is cut off',
      tiff([{ bits: 16, blocks: [zstdCompressSync(words(values)).subarray(0, 60)], tags: { 259: [50_000] } }]),
      /strip or tile 0 can't be unpacked/,
    ],
    [
      'a strip that is too short',
      tiff([{ bits: 12, blocks: [packed(values, 12).subarray(0, 99)] }]),
      /strip or tile 0 holds 99 bytes of pixels instead of 320/,
    ],
    [
      'a strip that is a bomb',
      tiff([{ bits: 16, blocks: [zstdCompressSync(Buffer.alloc(1 << 24))], tags: { 259: [50_000] } }]),
      /strip or tile 0 can't be unpacked/,
    ],
    [
      'packed values with LZW',
      tiff([{ bits: 12, blocks: [packed(values, 12)], tags: { 259: [5] } }]),
      /packed pixels of 12 bits/,
    ],
    ['LZMA', tiff([{ ...plain, tags: { 259: [34_925] } }]), /compressed with LZMA, which is not read/],
    [
      'pixels of 32 bits',
      tiff([{ bits: 32, blocks: [new Uint8Array(4 * width * height)] }]),
      /pixels of 32 bits, unsigned integers/,
    ],
  ])('%s', async (_, bytes, says) => {
    const error = await decodeFrame(bytes, 'x.tif').catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ kind: 'bad_image', message: expect.stringMatching(says) });
    expect((error as Error).message).toMatch(/^x\.tif: [^\n]*$/);
  });
});
