/** Bytes of a file from a place on; fewer where the file ends. */
export type ReadAt = (at: number, length: number) => Uint8Array;

/** An entry of a directory. Its values lie where the file says, and are read when they are wanted. */
export interface TiffEntry {
  type: number;
  count: number;
  /** Place of the values in the file. */
  at: number;
}

/** One image of a TIFF file, as its directory describes it. */
export interface TiffDirectory {
  /** By tag. */
  entries: ReadonlyMap<number, TiffEntry>;
  /** Whether tags come in ascending order, each once, as they are to. */
  isOrdered: boolean;
}

export interface TiffDirectories {
  isLittleEndian: boolean;
  /** The images in the order of the file; those of sub-directories are not among them. */
  directories: TiffDirectory[];
  /** More than {@link maxDirectories} are there, or the chain of directories leads back into itself. */
  isEndless: boolean;
  /** The chain ends as it is to: with a zero. */
  isWhole: boolean;
}

/** A directory of more entries is none. */
const maxEntries = 1024;
/** What has more is no image. Counted, so that a message can say how many pages there are. */
const maxDirectories = 65_536;

/**
 * The directories of a TIFF or BigTIFF file, read by their places: some hundred bytes each. Null for a file of another kind.
 * Whatever the file claims, it is read within its bounds, and the chain of its directories is followed once round at most.
 *
 * Source: TIFF Revision 6.0 (Adobe, 1992); BigTIFF as libtiff has it.
 */
export function tiffDirectories(readAt: ReadAt): TiffDirectories | null {
  const form = formOf(readAt(0, 16));
  if (form === null) return null;
  const { isLittleEndian, isBig } = form;
  const found: TiffDirectories = { isLittleEndian, directories: [], isEndless: false, isWhole: false };
  const [countBytes, entryBytes, placeBytes] = isBig ? [8, 20, 8] : [2, 12, 4];
  const seen = new Set<number>();
  for (let at = form.first; ; ) {
    if (at === 0) return { ...found, isWhole: true };
    if (seen.has(at) || seen.size === maxDirectories) return { ...found, isEndless: true };
    seen.add(at);
    const head = view(readAt(at, countBytes));
    if (head.byteLength < countBytes) return found;
    const count = isBig ? Number(head.getBigUint64(0, isLittleEndian)) : head.getUint16(0, isLittleEndian);
    if (count > maxEntries) return found;
    const bytes = view(readAt(at + countBytes, count * entryBytes + placeBytes));
    if (bytes.byteLength < count * entryBytes) return found;
    found.directories.push(directoryOf(bytes, at + countBytes, count, form));
    if (bytes.byteLength < count * entryBytes + placeBytes) return found;
    at = place(bytes, count * entryBytes, form);
  }
}

interface Form {
  isLittleEndian: boolean;
  isBig: boolean;
  first: number;
}

function formOf(head: Uint8Array): Form | null {
  if (head.length < 8) return null;
  const order = String.fromCharCode(head[0] as number, head[1] as number);
  if (order !== 'II' && order !== 'MM') return null;
  const isLittleEndian = order === 'II';
  const bytes = view(head);
  const version = bytes.getUint16(2, isLittleEndian);
  if (version === 42) return { isLittleEndian, isBig: false, first: bytes.getUint32(4, isLittleEndian) };
  if (version !== 43 || head.length < 16) return null;
  return { isLittleEndian, isBig: true, first: Number(bytes.getBigUint64(8, isLittleEndian)) };
}

function directoryOf(bytes: DataView, start: number, count: number, form: Form): TiffDirectory {
  const { isLittleEndian, isBig } = form;
  const [entryBytes, valueBytes] = isBig ? [20, 8] : [12, 4];
  const entries = new Map<number, TiffEntry>();
  let isOrdered = true;
  let last = 0;
  for (let entry = 0; entry < count; entry++) {
    const at = entry * entryBytes;
    const tag = bytes.getUint16(at, isLittleEndian);
    const type = bytes.getUint16(at + 2, isLittleEndian);
    const values = isBig ? Number(bytes.getBigUint64(at + 4, isLittleEndian)) : bytes.getUint32(at + 4, isLittleEndian);
    isOrdered &&= tag > last;
    last = tag;
    const valueAt = at + entryBytes - valueBytes;
    const isInside = values * (typeBytes[type] ?? 1) <= valueBytes;
    if (!entries.has(tag))
      entries.set(tag, { type, count: values, at: isInside ? start + valueAt : place(bytes, valueAt, form) });
  }
  return { entries, isOrdered };
}

const place = (bytes: DataView, at: number, { isLittleEndian, isBig }: Form): number =>
  isBig ? Number(bytes.getBigUint64(at, isLittleEndian)) : bytes.getUint32(at, isLittleEndian);

const view = ({ buffer, byteOffset, length }: Uint8Array): DataView => new DataView(buffer, byteOffset, length);

/** Types of whole numbers, and how many bytes a value has. */
const byte = 1;
const short = 3;
const long = 4;
const long8 = 16;
const typeBytes: Readonly<Record<number, number>> = { [byte]: 1, 2: 1, [short]: 2, [long]: 4, [long8]: 8 };

/**
 * The values of an entry of whole numbers.
 *
 * @param most values; an entry of more is not read
 * @returns null when they are no whole numbers, more than that, or lie outside of the file
 */
export function tiffValues(
  readAt: ReadAt,
  { type, count, at }: TiffEntry,
  isLittleEndian: boolean,
  most: number,
): number[] | null {
  const size = typeBytes[type];
  if (size === undefined || type === 2 || count === 0 || count > most) return null;
  const bytes = view(readAt(at, count * size));
  if (bytes.byteLength < count * size) return null;
  const value = (i: number): number => {
    if (type === short) return bytes.getUint16(2 * i, isLittleEndian);
    if (type === long) return bytes.getUint32(4 * i, isLittleEndian);
    return type === byte ? bytes.getUint8(i) : Number(bytes.getBigUint64(8 * i, isLittleEndian));
  };
  return Array.from({ length: count }, (_, i) => value(i));
}

/** The tags that say what an image's pixels are. */
export const tiffTag = {
  subfileType: 254,
  oldSubfileType: 255,
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  orientation: 274,
  samples: 277,
  rowsPerStrip: 278,
  stripLengths: 279,
  planes: 284,
  predictor: 317,
  colourMap: 320,
  tileWidth: 322,
  tileLength: 323,
  tileOffsets: 324,
  tileLengths: 325,
  extraSamples: 338,
  sampleFormat: 339,
} as const;
