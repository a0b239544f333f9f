/**
 * When a JPEG, TIFF or PNG says it was taken: EXIF DateTimeOriginal, else DateTimeDigitized, else TIFF DateTime, each with
 * its sub-seconds and offset. Reads the few hundred bytes that hold it by position, never the image (a compressed file is unpacked
 * as far as that), and closes the file whatever it finds (exifr, which we tried, leaves files open when they are cut off or foreign).
 *
 * Sources: TIFF 6.0 section 2 (directories), EXIF 2.32 section 4.6 (tags), ITU T.81 annex B (JPEG segments), PNG 3rd edition (eXIf).
 */

import { type FileHandle, open } from 'node:fs/promises';
import { type Codec, codecOf, createDecompressor, largestImageBytes } from '../../model/compression.ts';
import { fractionMs, parseWallTime, type WallTime, zoneMinutesOf } from './wallTime.ts';

/** Bytes at a position of the file; fewer at its end. */
type ReadAt = (position: number, length: number) => Promise<Buffer>;

const exifDirectory = 34665;
/** Tags of [time, sub-seconds, offset], best first. */
const timeTags = [
  [36867, 37521, 36881],
  [36868, 37522, 36882],
  [306, 37520, 36880],
] as const;
const wanted = new Set<number>([exifDirectory, ...timeTags.flat()]);
/** More entries than any real directory has: what claims more is no directory. */
const entryLimit = 512;
const segmentLimit = 64;

/**
 * The time in a file's EXIF data; null when there is none, or when it makes no sense.
 *
 * @throws Node's error when the file can't be opened or read.
 */
export async function exifTime(path: string): Promise<WallTime | null> {
  const codec = codecOf(path);
  if (codec !== null) return timeInCompressed(path, codec);
  const file = await open(path, 'r');
  try {
    const readAt = headReader(file, await head(file));
    const start = await tiffStart(readAt);
    return start === null ? null : await timeInTiff(readAt, start);
  } finally {
    await file.close();
  }
}

/**
 * Unpacks as far as the tags lie, and keeps no more than is asked for. One that is damaged tells no time; that it can't be read is
 * its analysis's to say.
 */
async function timeInCompressed(path: string, codec: Codec): Promise<WallTime | null> {
  const packed = await open(path, 'r');
  const stream = packed.createReadStream({ autoClose: false });
  const unpacked = createDecompressor(codec);
  stream.on('error', error => unpacked.destroy(error));
  stream.pipe(unpacked);
  try {
    const readAt = forwardReader(unpacked);
    const start = await tiffStart(readAt);
    return start === null ? null : await timeInTiff(readAt, start);
  } catch (error) {
    if (isSystemError(error)) throw error;
    return null;
  } finally {
    stream.destroy();
    unpacked.destroy();
    await packed.close();
  }
}

const isSystemError = (error: unknown): boolean => (error as NodeJS.ErrnoException).syscall !== undefined;

/** Bytes that are kept of what is unpacked: directory and values lie close together, before or behind the pixels. */
const keptBytes = 1 << 16;

/**
 * Reads parts of a stream. The first bytes stay, and those around the place that was read last; what lies between is
 * passed over, and can't be read any more.
 */
function forwardReader(stream: AsyncIterable<Buffer>): ReadAt {
  const chunks = stream[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  let kept = head;
  let start = 0;
  const end = (): number => start + kept.length;

  async function readOn(position: number): Promise<boolean> {
    const { value, done } = await chunks.next();
    if (done || end() > largestImageBytes) return false;
    const drop = Math.max(0, Math.min(kept.length, position - keptBytes - start));
    kept = Buffer.concat([kept.subarray(drop), value]);
    start += drop;
    if (start === 0) head = kept.subarray(0, keptBytes);
    return true;
  }

  return async (position, length) => {
    const isInHead = position + length <= head.length;
    while (!isInHead && end() < position + length + keptBytes && (await readOn(position)));
    if (position + length <= head.length) return head.subarray(position, position + length);
    if (position < start) return head.subarray(position, position + length);
    return kept.subarray(position - start, position - start + length);
  };
}

/** One read serves nearly every JPEG and PNG. */
async function head(file: FileHandle): Promise<Buffer> {
  const bytes = Buffer.alloc(4096);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
  return bytes.subarray(0, bytesRead);
}

function headReader(file: FileHandle, first: Buffer): ReadAt {
  return async (position, length) => {
    if (position + length <= first.length) return first.subarray(position, position + length);
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await file.read(bytes, 0, length, position);
    return bytes.subarray(0, bytesRead);
  };
}

/** Where the TIFF structure begins that holds the tags. */
async function tiffStart(readAt: ReadAt): Promise<number | null> {
  const magic = (await readAt(0, 8)).toString('latin1');
  if (magic.startsWith('II*\0') || magic.startsWith('MM\0*')) return 0;
  if (magic.startsWith('\xff\xd8')) return exifInJpeg(readAt);
  if (magic === '\x89PNG\r\n\x1a\n') return exifInPng(readAt);
  return null;
}

async function exifInJpeg(readAt: ReadAt): Promise<number | null> {
  let position = 2;
  for (let i = 0; i < segmentLimit; i++) {
    const segment = await readAt(position, 10);
    // Start of scan or anything but a marker: the tables and pixels have begun.
    if (segment.length < 10 || segment[0] !== 0xff || segment[1] === 0xda) return null;
    if (segment[1] === 0xe1 && segment.toString('latin1', 4, 10) === 'Exif\0\0') return position + 10;
    position += 2 + segment.readUInt16BE(2);
  }
  return null;
}

async function exifInPng(readAt: ReadAt): Promise<number | null> {
  let position = 8;
  for (let i = 0; i < segmentLimit; i++) {
    const chunk = await readAt(position, 8);
    if (chunk.length < 8) return null;
    const type = chunk.toString('latin1', 4, 8);
    if (type === 'eXIf') return position + 8;
    if (type === 'IEND') return null;
    position += 12 + chunk.readUInt32BE(0);
  }
  return null;
}

async function timeInTiff(readAt: ReadAt, start: number): Promise<WallTime | null> {
  const header = await readAt(start, 8);
  if (header.length < 8) return null;
  const little = header.toString('latin1', 0, 2) === 'II';
  const u16 = (bytes: Buffer, at: number): number => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const u32 = (bytes: Buffer, at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const text = new Map<number, string>();

  const directory = async (offset: number): Promise<number | null> => {
    const count = await readAt(start + offset, 2);
    if (count.length < 2 || u16(count, 0) > entryLimit) return null;
    const entries = await readAt(start + offset + 2, 12 * u16(count, 0));
    let exif: number | null = null;
    for (let at = 0; at + 12 <= entries.length; at += 12) {
      const tag = u16(entries, at);
      if (!wanted.has(tag)) continue;
      const length = u32(entries, at + 4);
      if (tag === exifDirectory) exif = u32(entries, at + 8);
      // ASCII only, and no longer than a time can be: a count from a damaged file must not ask for gigabytes.
      else if (u16(entries, at + 2) === 2 && length <= 64) {
        const bytes =
          length <= 4 ? entries.subarray(at + 8, at + 8 + length) : await readAt(start + u32(entries, at + 8), length);
        text.set(tag, bytes.toString('latin1').split('\0', 1)[0].trim());
      }
    }
    return exif;
  };

  const exif = await directory(u32(header, 4));
  if (exif !== null) await directory(exif);
  for (const [time, fraction, zone] of timeTags) {
    const parsed = parseWallTime(text.get(time) ?? '');
    if (!parsed) continue;
    const digits = /^\d{1,9}/.exec(text.get(fraction) ?? '')?.[0];
    return { wallMs: parsed.wallMs + fractionMs(digits), zoneMinutes: zoneMinutesOf(text.get(zone)) };
  }
  return null;
}
