import { isUncommonTiff } from './plainTiff.ts';
import { type ReadAt, type TiffDirectory, tiffDirectories, tiffTag, tiffValues } from './tiffDirectories.ts';

/** What an image file says of itself, read from some hundred bytes of it. */
export interface ImageHeader {
  width: number;
  height: number;
  /** Values that a pixel has, alpha among them; of a palette those of its colours. */
  channels: number;
  /** Bits of a stored value. */
  bits: number;
  /** Which image of the file is meant. */
  page: number;
  /** Why it is not read, as the rest of a sentence; null: nothing is known against it. */
  refusal: string | null;
  /** Bytes that decoding takes at most, those of the file not counted. */
  decodeBytes: number;
  /** A TIFF that has to be written anew before a decoder reads it. */
  isUncommon: boolean;
  isSigned: boolean;
}

/** Of sharp, against a header that claims an image of any size. */
const maxPixels = 0x3fff * 0x3fff;

/** Null for a file that is neither PNG, JPEG nor TIFF, or has no whole header. */
export function imageHeader(readAt: ReadAt): ImageHeader | null {
  const header = pngHeader(readAt) ?? jpegHeader(readAt) ?? tiffHeader(readAt);
  if (header === null || header.refusal !== null || header.width * header.height <= maxPixels) return header;
  return { ...header, refusal: `an image of ${sizeText(header)}; images of up to ${maxPixels} pixels are read` };
}

export const sizeText = ({ width, height }: Pick<ImageHeader, 'width' | 'height'>): string =>
  `${width}×${height} pixels`;

/** @param isKeptWhole whether the reader needs all of the image beside what it gives, as interlaced ones do */
function header(shape: Pick<ImageHeader, 'width' | 'height' | 'channels' | 'bits'>, isKeptWhole: boolean): ImageHeader {
  const bytes = shape.bits > 8 ? 2 : 1;
  const stored = bytes * shape.channels;
  // Measured: what the decoder gives, half of a plane of its own, and of colour the luma that is made of it.
  const perPixel = stored * (isKeptWhole ? 2 : 1) + bytes * (shape.channels < 3 ? 0.5 : 1.25);
  const decodeBytes = shape.width * shape.height * perPixel;
  return { ...shape, page: 0, refusal: null, decodeBytes, isUncommon: false, isSigned: false };
}

const u16 = (bytes: Uint8Array, at: number): number => ((bytes[at] as number) << 8) + (bytes[at + 1] as number);
const u32 = (bytes: Uint8Array, at: number): number => u16(bytes, at) * 65_536 + u16(bytes, at + 2);

const pngSignature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

function pngHeader(readAt: ReadAt): ImageHeader | null {
  const bytes = readAt(0, 29);
  if (bytes.length < 29 || pngSignature.some((value, at) => bytes[at] !== value)) return null;
  const channels = { 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 }[bytes[25] as number] ?? 4;
  const shape = { width: u32(bytes, 16), height: u32(bytes, 20), channels, bits: bytes[24] as number };
  return header(shape, bytes[28] !== 0);
}

/** Segments before the one that says the size: ICC profiles come in up to 255, other programs' data in any number. */
const maxSegments = 4096;

function jpegHeader(readAt: ReadAt): ImageHeader | null {
  const start = readAt(0, 2);
  if (start[0] !== 0xff || start[1] !== 0xd8) return null;
  for (let at = 2, i = 0; i < maxSegments; i++) {
    const segment = readAt(at, 10);
    if (segment.length < 10 || segment[0] !== 0xff) return null;
    const marker = segment[1] as number;
    if (marker === 0xff) {
      at++;
      continue;
    }
    // Frames, but for the tables of Huffman and arithmetic coding between them.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const shape = {
        width: u16(segment, 7),
        height: u16(segment, 5),
        channels: segment.length > 9 ? (segment[9] as number) : 3,
        bits: segment[4] as number,
      };
      // Progressive ones keep two bytes for each value.
      return header(shape, (marker & 3) === 2);
    }
    if (marker === 0xda || marker === 0xd9) return null;
    at += 2 + u16(segment, 2);
  }
  return null;
}

/** What a TIFF may be compressed with that nothing here reads. */
const unreadCompressions: Readonly<Record<number, string>> = {
  33003: 'JPEG 2000',
  33005: 'JPEG 2000',
  34712: 'JPEG 2000',
  34887: 'LERC',
  34892: 'lossy JPEG of DNG',
  34925: 'LZMA',
  34933: 'PNG',
  34934: 'JPEG XR',
  22610: 'JPEG XR',
  50001: 'WebP',
  50002: 'JPEG XL',
  52546: 'JPEG XL',
};

const sampleKinds: Readonly<Record<number, string>> = {
  2: 'signed integers',
  3: 'floating point numbers',
  5: 'complex integers',
  6: 'complex numbers',
};

/** Of an image with smaller versions of itself. */
const maxPages = 32;

function tiffHeader(readAt: ReadAt): ImageHeader | null {
  const file = tiffDirectories(readAt);
  if (file === null || file.directories.length === 0) return null;
  const images = file.directories
    .slice(0, maxPages)
    .map(directory => tiffImage(readAt, directory, file.isLittleEndian));
  const { length: pages } = file.directories;
  const page = file.isEndless ? 0 : pages > maxPages ? null : mainImage(images);
  const { width, height, channels, bits, compression, sampleFormat, photometric, tilePixels } = images[
    page ?? 0
  ] as Image;
  if (!(width > 0 && height > 0)) return null;
  const isSigned = sampleFormat === 2;
  const refusal = (() => {
    if (file.isEndless) return 'a TIFF whose chain of directories has no end';
    if (page === null) return `a TIFF of ${pages} pages; one image a file is read`;
    const unread = unreadCompressions[compression];
    if (unread !== undefined)
      return `a TIFF compressed with ${unread}, which is not read; uncompressed, LZW, Deflate, Zstd, PackBits and JPEG are`;
    const isOdd = bits < 8 && ![1, 2, 4].includes(bits);
    if (bits > 16 || isOdd || ![1, 2, 4].includes(sampleFormat))
      return `pixels of ${bits} bits, ${sampleKinds[sampleFormat] ?? 'unsigned integers'}; integers of ${isOdd ? '1, 2, 4 and 8 to' : 'up to'} 16 bits are read`;
    if (isSigned && (bits % 8 !== 0 || channels > 1 || photometric !== blackIsZero))
      return `signed pixels of ${bits} bits in ${channels} channels; signed ones of 8 or 16 bits in one, black at zero, are read`;
    return null;
  })();
  const isUncommon = isUncommonTiff(bits, compression, isSigned);
  const whole = header({ width, height, channels, bits }, isUncommon);
  // A decoder has a tile or two in memory, whatever their size.
  const tiles = 2 * tilePixels * channels * (bits > 8 ? 2 : 1);
  return { ...whole, page: page ?? 0, refusal, isUncommon, isSigned, decodeBytes: whole.decodeBytes + tiles };
}

interface Image {
  width: number;
  height: number;
  channels: number;
  bits: number;
  compression: number;
  sampleFormat: number;
  /** Whether it is said to be a smaller version of another, or a mask. */
  isSecondary: boolean;
  photometric: number;
  tilePixels: number;
}

const blackIsZero = 1;
const paletteColours = 3;

function tiffImage(readAt: ReadAt, { entries }: TiffDirectory, isLittleEndian: boolean): Image {
  /** The first value. One entry has a value for each channel, which are mostly the same. */
  const one = (tag: number, otherwise: number): number => {
    const entry = entries.get(tag);
    if (entry === undefined) return otherwise;
    return tiffValues(readAt, { ...entry, count: Math.min(entry.count, 1) }, isLittleEndian, 1)?.[0] ?? otherwise;
  };
  return {
    width: one(tiffTag.width, 0),
    height: one(tiffTag.height, 0),
    channels: one(tiffTag.photometric, blackIsZero) === paletteColours ? 3 : one(tiffTag.samples, 1),
    bits: one(tiffTag.bits, 1),
    compression: one(tiffTag.compression, 1),
    sampleFormat: one(tiffTag.sampleFormat, 1),
    photometric: one(tiffTag.photometric, blackIsZero),
    isSecondary: (one(tiffTag.subfileType, 0) & 5) !== 0 || one(tiffTag.oldSubfileType, 1) === 2,
    tilePixels: one(tiffTag.tileWidth, 0) * one(tiffTag.tileLength, 0),
  };
}

/**
 * Which image of a file is meant: the only one that is not said to be a smaller version of another, else the one that is at
 * least twice as wide and high as each other. Null: there are several.
 */
function mainImage(images: readonly Image[]): number | null {
  if (images.length === 1) return 0;
  const own = [...images.keys()].filter(page => !(images[page] as Image).isSecondary);
  if (own.length === 1) return own[0] as number;
  const largest = images.reduce((best, { width }, page) => (width > (images[best] as Image).width ? page : best), 0);
  const { width, height } = images[largest] as Image;
  const isAlone = images.every(
    (image, page) => page === largest || (2 * image.width <= width && 2 * image.height <= height),
  );
  return isAlone ? largest : null;
}
