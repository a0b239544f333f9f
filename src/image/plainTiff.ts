import { deflateSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { BadImageError } from './badImageError.ts';
import {
  type ReadAt,
  type TiffDirectory,
  type TiffEntry,
  tiffDirectories,
  tiffTag,
  tiffValues,
} from './tiffDirectories.ts';

/** Codes of Zstandard: libtiff's, and that of its first versions. */
const zstd = [50_000, 34_926];
const deflate = [8, 32_946];
const uncompressed = 1;

/** Whether an image of this kind has to be written anew before a decoder reads it. */
export const isUncommonTiff = (bits: number, compression: number, isSigned: boolean): boolean =>
  zstd.includes(compression) || (bits > 8 && bits < 16) || isSigned;

/** Tags that are taken over as they are. */
const keptTags = [
  tiffTag.width,
  tiffTag.height,
  tiffTag.photometric,
  tiffTag.samples,
  tiffTag.rowsPerStrip,
  tiffTag.planes,
  tiffTag.predictor,
  tiffTag.colourMap,
  tiffTag.tileWidth,
  tiffTag.tileLength,
  tiffTag.extraSamples,
];

/**
 * One image of a TIFF file, written anew as a kind that the decoders read: Zstandard becomes Deflate, packed values of 9 to
 * 15 bits become 16 bits, signed values become unsigned ones of the same bits. All else stays: strips or tiles, order of bytes,
 * predictor, colours.
 *
 * @throws BadImageError for a strip or tile that does not hold what it is to hold, or a combination that is not read
 */
export function plainTiff(bytes: Uint8Array, page: number, name: string): Uint8Array {
  const readAt: ReadAt = (at, length) => bytes.subarray(at, at + length);
  const file = tiffDirectories(readAt);
  const directory = file?.directories[page];
  if (!file || directory === undefined) throw new BadImageError(name, 'a TIFF without a directory');
  const source = readSource(bytes, readAt, directory, file.isLittleEndian, name);
  const blocks = source.blocks.map((stored, block) => rewritten(stored, block, source, name));
  return written(blocks, source, file.isLittleEndian);
}

interface Source {
  one(tag: number, otherwise: number): number;
  all(tag: number): number[];
  /** Stored bytes of strips or tiles. */
  blocks: Uint8Array[];
  isTiled: boolean;
  bits: number;
  compression: number;
}

function readSource(
  bytes: Uint8Array,
  readAt: ReadAt,
  { entries }: TiffDirectory,
  isLittleEndian: boolean,
  name: string,
): Source {
  const all = (tag: number): number[] => {
    const entry: TiffEntry | undefined = entries.get(tag);
    return entry ? (tiffValues(readAt, entry, isLittleEndian, bytes.length) ?? []) : [];
  };
  const one = (tag: number, otherwise: number): number => all(tag)[0] ?? otherwise;
  const isTiled = entries.has(tiffTag.tileOffsets);
  const offsets = all(isTiled ? tiffTag.tileOffsets : tiffTag.stripOffsets);
  const lengths = all(isTiled ? tiffTag.tileLengths : tiffTag.stripLengths);
  const blocks = offsets.map((offset, block) => bytes.subarray(offset, offset + (lengths[block] ?? bytes.length)));
  const bits = one(tiffTag.bits, 1);
  const compression = one(tiffTag.compression, uncompressed);
  const canUnpack = [uncompressed, ...deflate, ...zstd].includes(compression) && one(tiffTag.predictor, 1) === 1;
  if (bits % 8 !== 0 && !canUnpack)
    throw new BadImageError(
      name,
      `packed pixels of ${bits} bits; without a predictor, and plain, Deflate or Zstd, they are read`,
    );
  return { one, all, blocks, isTiled, bits, compression };
}

/** What a strip or tile becomes. */
function rewritten(stored: Uint8Array, block: number, source: Source, name: string): Uint8Array {
  const { bits, compression } = source;
  const isPacked = bits % 8 !== 0;
  if (!isPacked && !zstd.includes(compression)) return stored;
  const { values, rows } = shapeOf(source, block);
  const rowBytes = Math.ceil((values * bits) / 8);
  const plain = unpacked(stored, compression, rowBytes * rows, `strip or tile ${block}`, name);
  if (isPacked) return wide(plain, values, rows, bits);
  return isDifferences(source) ? deflateSync(plain, { level: 1 }) : plain;
}

/** Differences are known to Deflate and Zstandard only: a decoder would take uncompressed ones for values. */
const isDifferences = ({ one }: Source): boolean => one(tiffTag.predictor, 1) !== 1;

/** Rows of a strip or tile, and values of each. */
function shapeOf({ one, isTiled, blocks }: Source, block: number): { values: number; rows: number } {
  const height = one(tiffTag.height, 0);
  const samples = one(tiffTag.planes, 1) === 2 ? 1 : one(tiffTag.samples, 1);
  if (isTiled) return { values: one(tiffTag.tileWidth, 0) * samples, rows: one(tiffTag.tileLength, 0) };
  const perStrip = Math.min(one(tiffTag.rowsPerStrip, height), height);
  const strips = samples === one(tiffTag.samples, 1) ? blocks.length : blocks.length / one(tiffTag.samples, 1);
  return { values: one(tiffTag.width, 0) * samples, rows: Math.min(perStrip, height - (block % strips) * perStrip) };
}

function unpacked(stored: Uint8Array, compression: number, size: number, block: string, name: string): Uint8Array {
  const options = { maxOutputLength: Math.max(size, 1), chunkSize: Math.max(size, 64) };
  let plain = stored.subarray(0, size);
  try {
    if (zstd.includes(compression)) plain = zstdDecompressSync(stored, options);
    else if (deflate.includes(compression)) plain = inflateSync(stored, options);
  } catch (error) {
    throw new BadImageError(name, `${block} can't be unpacked: ${(error as Error).message}`, { cause: error });
  }
  if (plain.length === size) return plain;
  throw new BadImageError(name, `${block} holds ${plain.length} bytes of pixels instead of ${size}`);
}

/** Packed values, highest bit first, each row from a whole byte on, as values of 16 bits in this machine's order of bytes. */
function wide(packed: Uint8Array, values: number, rows: number, bits: number): Uint8Array {
  const out = new Uint16Array(values * rows);
  const rowBytes = Math.ceil((values * bits) / 8);
  const mask = (1 << bits) - 1;
  for (let row = 0, to = 0; row < rows; row++) {
    let at = row * rowBytes;
    for (let i = 0, held = 0, have = 0; i < values; i++) {
      while (have < bits) {
        held = ((held << 8) | (packed[at++] as number)) & 0x7fffff;
        have += 8;
      }
      have -= bits;
      out[to++] = (held >> have) & mask;
    }
  }
  return new Uint8Array(out.buffer);
}

function written(blocks: readonly Uint8Array[], source: Source, isLittleEndian: boolean): Uint8Array {
  const { one, all, isTiled, bits, compression } = source;
  const isPacked = bits % 8 !== 0;
  // Packed values are written in the order of bytes of this machine; they have no predictor that could mind.
  const little = isPacked ? true : isLittleEndian;
  const samples = one(tiffTag.samples, 1);
  const unpackedAs = isDifferences(source) ? (deflate[0] as number) : uncompressed;
  const tags = new Map<number, number[]>(keptTags.map(tag => [tag, all(tag)]));
  tags.set(tiffTag.bits, new Array(samples).fill(isPacked ? 16 : bits));
  tags.set(tiffTag.compression, [isPacked || zstd.includes(compression) ? unpackedAs : compression]);
  tags.set(
    isTiled ? tiffTag.tileLengths : tiffTag.stripLengths,
    blocks.map(({ length }) => length),
  );
  tags.set(
    isTiled ? tiffTag.tileOffsets : tiffTag.stripOffsets,
    blocks.map(() => 0),
  );
  const present = [...tags].filter(([, values]) => values.length > 0).sort(([a], [b]) => a - b);
  const directoryEnd = 8 + 2 + 12 * present.length + 4;
  const valuesEnd = present.reduce((end, [, { length }]) => end + (length > 1 ? 4 * length : 0), directoryEnd);
  // Pixels of 16 bits from an even place on: they then need not be copied.
  const starts: number[] = [];
  let end = valuesEnd + (valuesEnd % 2);
  for (const { length } of blocks) {
    starts.push(end);
    end += length + (length % 2);
  }
  tags.set(isTiled ? tiffTag.tileOffsets : tiffTag.stripOffsets, starts);
  const out = Buffer.alloc(end);
  const view = new DataView(out.buffer, out.byteOffset, out.length);
  out.write(little ? 'II' : 'MM', 0, 'latin1');
  view.setUint16(2, 42, little);
  view.setUint32(4, 8, little);
  view.setUint16(8, present.length, little);
  let valueAt = directoryEnd;
  for (const [entry, [tag]] of present.entries()) {
    const at = 10 + 12 * entry;
    const values = tags.get(tag) as number[];
    const isShort = shortTags.has(tag);
    const size = isShort ? 2 : 4;
    const isInside = values.length * size <= 4;
    view.setUint16(at, tag, little);
    view.setUint16(at + 2, isShort ? 3 : 4, little);
    view.setUint32(at + 4, values.length, little);
    const first = isInside ? at + 8 : valueAt;
    if (!isInside) {
      view.setUint32(at + 8, valueAt, little);
      valueAt += values.length * size;
    }
    for (const [i, value] of values.entries()) {
      if (isShort) view.setUint16(first + 2 * i, value, little);
      else view.setUint32(first + 4 * i, value, little);
    }
  }
  for (const [block, bytes] of blocks.entries()) out.set(bytes, starts[block]);
  return out;
}

/** Tags whose values have 16 bits. */
const shortTags = new Set<number>([
  tiffTag.bits,
  tiffTag.compression,
  tiffTag.photometric,
  tiffTag.samples,
  tiffTag.planes,
  tiffTag.predictor,
  tiffTag.colourMap,
  tiffTag.extraSamples,
]);
