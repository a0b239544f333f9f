import { Buffer } from 'node:buffer';
import { endianness } from 'node:os';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflate, inflateSync } from 'node:zlib';
import type { Pixels } from '../model/frame.ts';
import { detachBuffer } from './detachBuffer.ts';
import { byteLength, type FrameShape, type FrameTarget, ownMemory } from './frameTarget.ts';
import { createPngRows, type PngRows } from './pngRows.ts';

/**
 * Decodes the plain PNG that the collector writes: one gray channel of 8 or 16 bits, not interlaced. Null for everything else,
 * and for whatever is not exactly as it should be (a checksum, a length, a byte too many): a general reader is to judge it.
 *
 * A small image is inflated at once, which costs least. A large one is inflated on a thread of libuv, part by part, while
 * this one puts the part before in place: rows are told of as they come.
 *
 * Source: Portable Network Graphics (PNG) Specification, Third Edition (W3C, 2025).
 *
 * @param bytes the whole file
 * @param largeFrom bytes of pixels from which an image is large
 */
export async function decodePng(
  bytes: Uint8Array,
  target: FrameTarget = ownMemory,
  largeFrom = 1 << 23,
): Promise<Pixels | null> {
  const layout = readLayout(bytes);
  if (layout === null) return null;
  const pixels = target.begin(layout);
  const rows = createPngRows(pixels, count => target.rowsDone(count));
  try {
    const used = await (byteLength(layout) < largeFrom ? inflateWhole(layout, rows) : inflateInParts(layout, rows));
    return used === layout.dataLength && rows.isComplete() ? pixels : null;
  } catch (error) {
    if (isDamage(error)) return null;
    throw error;
  }
}

interface Layout extends FrameShape {
  /** The `IDAT` chunks: type, data and checksum of each. */
  data: Uint8Array[];
  dataLength: number;
}

const signature = Buffer.from('89504e470d0a1a0a', 'hex');
/** Chunks that say nothing of stored values, and the length that they must have. */
const harmless: Readonly<Record<string, number>> = { pHYs: 9, gAMA: 4, cHRM: 32, sRGB: 1, tIME: 7 };
/** Length and type before a chunk's data, checksum behind. */
const chunkFrame = 12;
/** Of sharp, against a header that claims an image of any size. */
const maxPixels = 0x3fff * 0x3fff;
/** Deflate can't do better. */
const maxCompression = 1032;

/** What the chunks say; null when there is one that is not known, damaged, or not in its place. Data are not looked at. */
function readLayout(bytes: Uint8Array): Layout | null {
  if (endianness() !== 'LE' || !signature.equals(bytes.subarray(0, signature.length))) return null;
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const data: Uint8Array[] = [];
  let shape: FrameShape | null = null;
  let dataLength = 0;
  let last = '';
  const seen = new Set<string>();
  for (let at = signature.length; last !== 'IEND'; ) {
    if (at + chunkFrame > file.length) return null;
    const length = file.readUInt32BE(at);
    const end = at + chunkFrame + length;
    if (end > file.length) return null;
    const type = file.toString('latin1', at + 4, at + 8);
    const chunk = file.subarray(at + 4, end);
    if (type === 'IDAT') {
      if (data.length > 0 && last !== 'IDAT') return null;
      data.push(chunk);
      dataLength += length;
    } else {
      const isKnown = type === 'IHDR' ? last === '' : type === 'IEND' ? length === 0 : harmless[type] === length;
      if (!isKnown || seen.has(type) || checked(chunk) === null) return null;
      seen.add(type);
    }
    if (last === '') {
      shape = type === 'IHDR' && length === 13 ? readHeader(chunk) : null;
      if (shape === null) return null;
    }
    last = type;
    at = end;
    if (last === 'IEND' && at !== file.length) return null;
  }
  if (shape === null || byteLength(shape) > dataLength * maxCompression) return null;
  return { ...shape, data, dataLength };
}

/** The image header chunk; null for all but plain gray. */
function readHeader(chunk: Buffer): FrameShape | null {
  const width = chunk.readUInt32BE(4);
  const height = chunk.readUInt32BE(8);
  const depth = chunk[12];
  const isPlain = chunk[13] === 0 && chunk[14] === 0 && chunk[15] === 0 && chunk[16] === 0;
  if (!isPlain || (depth !== 8 && depth !== 16)) return null;
  return width > 0 && height > 0 && width * height <= maxPixels ? { width, height, depth } : null;
}

/** A chunk's data, when its checksum is right. */
function checked(chunk: Uint8Array): Uint8Array | null {
  const end = chunk.length - 4;
  const sum = (chunk[end] * 2 ** 24 + (chunk[end + 1] << 16) + (chunk[end + 2] << 8) + chunk[end + 3]) >>> 0;
  return crc32(chunk.subarray(0, end)) === sum ? chunk.subarray(4, end) : null;
}

/**
 * Bytes that go to the inflating thread, and that come back, at a time: the way there and back costs up to 0.1 ms, and far more
 * where threads wait for a core.
 */
const partBytes = 1 << 20;

/**
 * The compressed data, joined to parts: writers make chunks of as little as 8 kB. The chunks' own checksums are not looked at:
 * that of the pixels stands in the compressed data, and is looked at where they are inflated.
 */
function* joined(chunks: readonly Uint8Array[], least: number): Generator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for (const chunk of chunks) {
    const data = chunk.subarray(4, -4);
    parts.push(data);
    length += data.length;
    if (length < least) continue;
    yield parts.length === 1 ? data : Buffer.concat(parts, length);
    parts = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(parts, length);
}

/** @returns bytes of compressed data that were used */
function inflateWhole({ data, dataLength, ...shape }: Layout, rows: PngRows): number {
  const stored = joined(data, dataLength).next().value as Uint8Array;
  if (!isPlainStream(stored)) throw damaged;
  // One chunk for all of it, and room to see that it is too long.
  const size = byteLength(shape) + shape.height + 1;
  const options = { chunkSize: Math.max(64, size), maxOutputLength: size, info: true };
  const { buffer, engine } = inflateSync(stored, options) as unknown as Inflated;
  if (!rows.push(buffer)) throw damaged;
  detachBuffer(buffer);
  return engine.bytesWritten;
}

/** What `inflateSync` gives with `info`. */
interface Inflated {
  buffer: Buffer;
  engine: { bytesWritten: number };
}

async function inflateInParts({ data }: Layout, rows: PngRows): Promise<number> {
  const engine = createInflate({ chunkSize: partBytes });
  const parts = joined(data, partBytes);
  await pipeline(
    function* () {
      let isFirst = true;
      for (const part of parts) {
        if (isFirst && !isPlainStream(part)) throw damaged;
        isFirst = false;
        yield part;
      }
    },
    engine,
    async (pieces: AsyncIterable<Buffer>) => {
      for await (const piece of pieces) if (!rows.push(piece)) throw damaged;
    },
  );
  return engine.bytesWritten;
}

/** Whether a zlib stream says what nearly all say: Deflate with the full window, no dictionary. Others may be read differently. */
const isPlainStream = (stored: Uint8Array): boolean => stored[0] === 0x78 && (stored[1] & 0x20) === 0;

const damaged = new Error('the data are damaged');

function isDamage(error: unknown): boolean {
  const code = String((error as NodeJS.ErrnoException).code);
  return error === damaged || code.startsWith('Z_') || code === 'ERR_BUFFER_TOO_LARGE';
}
