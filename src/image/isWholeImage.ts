import type { OpenFile } from '../files/files.ts';
import { readRange } from '../files/readBytes.ts';
import { codecOf } from '../model/compression.ts';
import { type ReadAt, tiffDirectories, tiffTag, tiffValues } from './tiffDirectories.ts';

/** `doubtful`: nothing is missing that can be told without decoding, and it may be unfinished all the same. */
export type Wholeness = 'whole' | 'doubtful' | 'cut';

/** Behind the end of an image some programs write a little more. */
const tailBytes = 4096;
const pngEnd = Buffer.from('IEND\xaeB`\x82', 'latin1');
const jpegEnd = Buffer.from([0xff, 0xd9]);

/**
 * Whether an image has come to its end, told from some hundred bytes of it: the last chunk of a PNG, the end mark of a JPEG, the
 * strips of a TIFF within the file. A file that was given its length before its pixels is told by their end, if that is nothing but
 * zeros; a compressed file does not tell.
 *
 * Errors are the file system's.
 */
export async function isWholeImage(file: Pick<OpenFile, 'read' | 'size'>, name: string): Promise<Wholeness> {
  const size = await file.size();
  if (size === 0) return 'cut';
  if (codecOf(name) !== null) return 'doubtful';
  const head = await readRange(file, 0, Math.min(16, size));
  const magic = head.toString('latin1');
  const endsWith = async (end: Buffer): Promise<Wholeness> =>
    (await readRange(file, Math.max(0, size - tailBytes), size)).includes(end) ? 'whole' : 'cut';
  if (magic.startsWith('\x89PNG')) return endsWith(pngEnd);
  if (magic.startsWith('\xff\xd8')) return endsWith(jpegEnd);
  if (magic.startsWith('II') || magic.startsWith('MM')) return isWholeTiff(file, size);
  return 'cut';
}

const maxStrips = 1 << 20;
/** Parts of the file that are read to learn where its pixels are; one that needs more is left to the decoder. */
const maxParts = 32;
/** Bytes of a value by its type; of others, and of text, one. */
// biome-ignore format: a table
const valueBytes: Readonly<Record<number, number>> = {
  3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8,
};
/** So many bytes at the end of the pixels are zero only where they are black, or have not come yet. */
const endBytes = 64;

async function isWholeTiff(file: Pick<OpenFile, 'read'>, size: number): Promise<Wholeness> {
  const parts: { at: number; bytes: Buffer }[] = [];
  for (let i = 0; i < maxParts; i++) {
    let missing: { at: number; length: number } | null = null;
    const ends = tiffEnds((at, length) => {
      const wanted = Math.max(0, Math.min(length, size - at));
      const part = parts.find(({ at: from, bytes }) => from <= at && at + wanted <= from + bytes.length);
      if (part) return part.bytes.subarray(at - part.at, at - part.at + wanted);
      if (wanted > 0) missing ??= { at, length: wanted };
      return new Uint8Array();
    });
    if (missing === null) {
      if (ends === null || Math.max(ends.pixels, ends.values) > size) return 'cut';
      const { pixels: end } = ends;
      return (await readRange(file, Math.max(0, end - endBytes), end)).some(value => value !== 0)
        ? 'whole'
        : 'doubtful';
    }
    const { at, length }: { at: number; length: number } = missing;
    const bytes = await readRange(file, at, Math.min(size, at + Math.max(length, tailBytes)));
    // It is being cut at this moment.
    if (bytes.length < length) return 'cut';
    parts.push({ at, bytes });
  }
  return 'doubtful';
}

/** Where the pixels that lie last end, and the values of the directories; null where the file does not say. */
function tiffEnds(readAt: ReadAt): { pixels: number; values: number } | null {
  const file = tiffDirectories(readAt);
  if (file === null || !file.isWhole || file.directories.length === 0) return null;
  let [pixels, values] = [0, 0];
  for (const { entries } of file.directories) {
    for (const { type, count, at } of entries.values()) values = Math.max(values, at + count * (valueBytes[type] ?? 1));
    const wholeNumbers = (tags: readonly number[]): number[] => {
      const entry = tags.map(tag => entries.get(tag)).find(found => found !== undefined);
      return (entry && tiffValues(readAt, entry, file.isLittleEndian, maxStrips)) ?? [];
    };
    const places = wholeNumbers([tiffTag.stripOffsets, tiffTag.tileOffsets]);
    const lengths = wholeNumbers([tiffTag.stripLengths, tiffTag.tileLengths]);
    if (places.length === 0 || lengths.length !== places.length) return null;
    for (const [i, place] of places.entries()) pixels = Math.max(pixels, place + lengths[i]!);
  }
  return pixels === 0 ? null : { pixels, values };
}
