import { endianness } from 'node:os';
import { inflateSync } from 'node:zlib';
import type { Pixels } from '../model/frame.ts';
import { detachBuffer } from './detachBuffer.ts';
import { byteLength, type FrameTarget, ownMemory, viewPixels } from './frameTarget.ts';
import { tiffTag } from './tiffDirectories.ts';

/**
 * Decodes the plain TIFF that microscopes write: one gray image of 8 or 16 bits, little endian, in strips, uncompressed or
 * Deflate with or without horizontal differences. Null for everything else, and for whatever is not exactly as it should be:
 * a general reader is to judge it. Two to twelve times faster than that.
 *
 * Blocks its thread while it inflates. Source: TIFF Revision 6.0 (Adobe, 1992), and Technical Note 2 for Deflate.
 *
 * @param bytes the whole file; nothing outside of it is read, whatever its directory says
 */
export function decodeTiff(bytes: Uint8Array, target: FrameTarget = ownMemory): Pixels | null {
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const tags = readTags(file);
  const layout = tags && readLayout(tags, bytes.length);
  if (!layout) return null;
  const { width, height, depth, rowsPerStrip } = layout;
  const start = plainFrom(layout, bytes);
  if (start !== null) return target.adopt(viewPixels(layout, bytes.buffer, start));
  const pixels = target.begin(layout);
  const { data } = pixels;
  const out = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const rowBytes = (width * depth) / 8;
  for (const [strip, offset] of layout.offsets.entries()) {
    const length = layout.lengths[strip] as number;
    if (offset + length > bytes.length) return null;
    const from = strip * rowsPerStrip;
    const to = Math.min(from + rowsPerStrip, height);
    const stored = bytes.subarray(offset, offset + length);
    const plain = layout.isDeflated ? inflated(stored, (to - from) * rowBytes) : stored;
    if (plain?.length !== (to - from) * rowBytes) return null;
    if (layout.isDifferences) {
      addUp(depth === 16 ? words(plain) : plain, data.subarray(from * width, to * width), width);
    } else out.set(plain, from * rowBytes);
    if (layout.isDeflated) detachBuffer(plain);
    target.rowsDone(to);
  }
  return pixels;
}

/** Where all pixels lie in memory as they are to be, one strip behind the other; null when they do not. */
function plainFrom(layout: Layout, bytes: Uint8Array): number | null {
  const { offsets, lengths, isDeflated, height, rowsPerStrip, depth } = layout;
  const [first] = offsets as [number];
  const start = bytes.byteOffset + first;
  const size = byteLength(layout);
  if (isDeflated || first + size > bytes.length || start % (depth / 8) !== 0) return null;
  const stripBytes = (size / height) * rowsPerStrip;
  const isGapless = offsets.every(
    (offset, strip) =>
      offset === first + strip * stripBytes && lengths[strip] === Math.min(stripBytes, size - strip * stripBytes),
  );
  return isGapless ? start : null;
}

interface Layout {
  width: number;
  height: number;
  depth: 8 | 16;
  isDeflated: boolean;
  isDifferences: boolean;
  rowsPerStrip: number;
  offsets: number[];
  lengths: number[];
}

const known = new Set<number>(Object.values(tiffTag));

/** Tags by which an image is something else: a palette, tiles, further images, extra samples, a colour profile. */
const excluded = new Set([320, 322, 323, 324, 325, 330, 338, 347, 34_675]);

const uncompressed = 1;
const deflate = [8, 32_946];
/** Of sharp, against a directory that claims an image of any size. */
const maxPixels = 0x3fff * 0x3fff;
/** Deflate can't do better. */
const maxCompression = 1032;

type Tags = ReadonlyMap<number, number[]>;

/** Values of the tags that matter; null where the file is not a TIFF with one directory of this kind. */
function readTags(file: DataView): Tags | null {
  if (endianness() !== 'LE' || file.byteLength < 8 || file.getUint32(0) !== 0x49492a00) return null;
  const at = file.getUint32(4, true);
  if (at + 2 > file.byteLength) return null;
  const count = file.getUint16(at, true);
  const end = at + 2 + 12 * count;
  if (end + 4 > file.byteLength || file.getUint32(end, true) !== 0) return null;
  const tags = new Map<number, number[]>();
  let last = 0;
  for (let entry = at + 2; entry < end; entry += 12) {
    const name = file.getUint16(entry, true);
    if (name <= last || excluded.has(name)) return null;
    last = name;
    if (!known.has(name)) continue;
    const values = readValues(file, entry);
    if (values === null) return null;
    tags.set(name, values);
  }
  return tags;
}

const short = 3;
const long = 4;

function readValues(file: DataView, entry: number): number[] | null {
  const type = file.getUint16(entry + 2, true);
  const count = file.getUint32(entry + 4, true);
  if (type !== short && type !== long) return null;
  const size = type === short ? 2 : 4;
  const at = count * size <= 4 ? entry + 8 : file.getUint32(entry + 8, true);
  if (count === 0 || at + count * size > file.byteLength) return null;
  return Array.from({ length: count }, (_, i) =>
    type === short ? file.getUint16(at + 2 * i, true) : file.getUint32(at + 4 * i, true),
  );
}

function readLayout(tags: Tags, fileLength: number): Layout | null {
  const one = (name: number, otherwise = 0): number => {
    const values = tags.get(name);
    return values === undefined ? otherwise : values.length === 1 ? (values[0] as number) : Number.NaN;
  };
  const width = one(tiffTag.width);
  const height = one(tiffTag.height);
  const depth = one(tiffTag.bits, 1);
  const compression = one(tiffTag.compression, uncompressed);
  const predictor = one(tiffTag.predictor, 1);
  const rowsPerStrip = Math.min(one(tiffTag.rowsPerStrip, height), height);
  const offsets = tags.get(tiffTag.stripOffsets);
  const lengths = tags.get(tiffTag.stripLengths);
  const isDeflated = deflate.includes(compression);
  const isPlain =
    (depth === 8 || depth === 16) &&
    (isDeflated || compression === uncompressed) &&
    (predictor === 1 || (predictor === 2 && isDeflated)) &&
    one(tiffTag.photometric, Number.NaN) === 1 &&
    one(tiffTag.subfileType) === 0 &&
    [tiffTag.fillOrder, tiffTag.orientation, tiffTag.samples, tiffTag.planes, tiffTag.sampleFormat].every(
      name => one(name, 1) === 1,
    );
  if (!isPlain || offsets === undefined || lengths === undefined) return null;
  if (!(width > 0 && rowsPerStrip > 0 && width * height <= maxPixels)) return null;
  if (((width * height * depth) / 8) * (isDeflated ? 1 / maxCompression : 1) > fileLength) return null;
  const strips = Math.ceil(height / rowsPerStrip);
  if (offsets.length !== strips || lengths.length !== strips) return null;
  return { width, height, depth, isDeflated, isDifferences: predictor === 2, rowsPerStrip, offsets, lengths };
}

/** A strip's bytes, checksum and all; null when there is anything wrong with them. */
function inflated(stored: Uint8Array, size: number): Uint8Array | null {
  try {
    // One chunk for all of it, and room to see that it is too long.
    return inflateSync(stored, { chunkSize: Math.max(64, size + 1), maxOutputLength: size + 1 });
  } catch {
    return null;
  }
}

/** Bytes as numbers of 16 bits. */
function words(bytes: Uint8Array): Uint16Array {
  const { buffer, byteOffset, length } = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint16Array(buffer, byteOffset, length / 2);
}

/**
 * Each stored value but a row's first is the difference from the one before, modulo its depth as typed arrays have it.
 * Each sum waits for the one before: two rows are done at a time.
 */
function addUp(differences: Uint8Array | Uint16Array, into: Uint8Array | Uint16Array, width: number): void {
  const rows = into.length / width;
  for (let row = 0; row < rows; row += 2) {
    // The last of an odd number is done twice.
    const below = row + 1 < rows ? width : 0;
    let value = 0;
    let valueBelow = 0;
    for (let i = row * width, end = i + width; i < end; i++) {
      value = (value + differences[i]) | 0;
      into[i] = value;
      valueBelow = (valueBelow + differences[i + below]) | 0;
      into[i + below] = valueBelow;
    }
  }
}
