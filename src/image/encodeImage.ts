import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { constants, crc32, createDeflate, deflateSync, zstdCompress } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { codecSuffixes } from '../model/compression.ts';
import type { Pixels } from '../model/frame.ts';

/** How a captured frame is written, without loss: the words of `image_format`. */
export type ImageFormat = 'PNG' | 'TIFF' | 'TIFF_ZSTD';

/** What the names of such files end with. */
export const imageExtensions: Readonly<Record<ImageFormat, string>> = {
  PNG: '.png',
  TIFF: '.tif',
  TIFF_ZSTD: `.tif${codecSuffixes.zstd}`,
};

/** A frame as a file of its format, at its native depth. @throws Error when the pixels are not those of such a frame. */
export async function encodeImage(pixels: Pixels, format: ImageFormat): Promise<Uint8Array> {
  if (format === 'PNG') return encodePng(pixels);
  const tiff = await rawImage(pixels).tiff({ compression: 'none' }).toBuffer();
  if (format === 'TIFF') return tiff;
  const { ZSTD_c_compressionLevel: level, ZSTD_c_checksumFlag: checksum } = constants;
  return promisify(zstdCompress)(tiff, { params: { [level]: 1, [checksum]: 1 }, pledgedSrcSize: tiff.length });
}

/** A level above this one costs much for a few per cent of the bytes. */
const pngLevel = 3;

/**
 * A frame as PNG at its native depth. @throws Error when the pixels are not those of such a frame.
 *
 * 8 bits by an encoder of our own: each pixel as its difference to the one before it, by Huffman codes alone. Of noise there is nothing
 * else to gain, and it costs less than half (measured: `npm run bench -- frames`).
 */
export async function encodePng(pixels: Pixels): Promise<Buffer> {
  if (pixels.depth === 8) return encodeDifferences(pixels);
  return rawImage(pixels).png({ compressionLevel: pngLevel, adaptiveFiltering: false }).toBuffer();
}

function rawImage({ width, height, data }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels: 1 } }).toColourspace(
    data instanceof Uint16Array ? 'grey16' : 'b-w',
  );
}

const signature = Buffer.from('89504e470d0a1a0a', 'hex');
/** Bytes that are filtered in one go, and of compressed data at a time. */
const bandBytes = 1 << 20;

/** So few take less time than their way to another thread and back. */
const atOnceBytes = 1 << 16;
const deflating = { level: 1, strategy: constants.Z_HUFFMAN_ONLY, chunkSize: bandBytes };

/** Source: Portable Network Graphics, third edition (W3C): 8-bit gray, filter 1 (Sub) in each row. */
async function encodeDifferences({ width, height, data }: Pixels): Promise<Buffer> {
  if (!(width > 0 && height > 0) || data.length !== width * height)
    throw new Error(`${data.length} pixels, where ${width}×${height} were expected`);
  const compressed =
    data.length > atOnceBytes
      ? await compressBands(bands(data, width, height))
      : [deflateSync(differences(data, width, 0, height), deflating)];
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  return Buffer.concat([
    signature,
    ...chunk('IHDR', header),
    ...compressed.flatMap(part => chunk('IDAT', part)),
    ...chunk('IEND', Buffer.alloc(0)),
  ]);
}

async function compressBands(bands: Iterable<Uint8Array>): Promise<Buffer[]> {
  const compressed: Buffer[] = [];
  // The next band is filtered while a thread of libuv compresses this one.
  await pipeline(bands, createDeflate(deflating), async parts => {
    for await (const part of parts) compressed.push(part);
  });
  return compressed;
}

function* bands(data: Pixels['data'], width: number, height: number): Generator<Uint8Array> {
  const rows = Math.max(1, Math.floor(bandBytes / (width + 1)));
  for (let from = 0; from < height; from += rows) yield differences(data, width, from, Math.min(from + rows, height));
}

/** Rows as PNG has them: the number of the filter, then each pixel less the one before it. */
function differences(data: Pixels['data'], width: number, from: number, to: number): Uint8Array {
  const band = new Uint8Array((to - from) * (width + 1));
  for (let y = from, out = 0; y < to; y++) {
    band[out++] = 1;
    let before = 0;
    for (let i = y * width; i < (y + 1) * width; i++) {
      const value = data[i]!;
      band[out++] = value - before;
      before = value;
    }
  }
  return band;
}

function chunk(type: string, content: Buffer): Buffer[] {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(content.length, 0);
  head.write(type, 4, 'latin1');
  const end = Buffer.alloc(4);
  end.writeUInt32BE(crc32(content, crc32(head.subarray(4))), 0);
  return [head, content, end];
}
