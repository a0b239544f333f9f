import sharp, { type Sharp } from 'sharp';
import { codecOf, decompress, decompressedHead } from '../model/compression.ts';
import type { Pixels } from '../model/frame.ts';
import { BadImageError } from './badImageError.ts';
import { decodePng } from './decodePng.ts';
import { decodeTiff } from './decodeTiff.ts';
import { type FrameTarget, ownMemory } from './frameTarget.ts';
import { sizeText } from './imageHeader.ts';
import { checkedHeader, imageMemory, limitText } from './imageMemory.ts';
import { plainTiff } from './plainTiff.ts';
import { readImageFile } from './readImageFile.ts';
import type { ReadAt } from './tiffDirectories.ts';

/**
 * Decodes one image to gray pixels at their native depth.
 *
 * PNG, JPEG and TIFF of 8 or 16 bits a channel, also when the whole file is compressed (`.gz`, `.zst`). Gray is exact; colour
 * becomes BT.601 luma, rounded to nearest; alpha is dropped; colour profiles and EXIF orientation are not applied, because
 * ROIs are given in stored pixels. Plain gray TIFF and PNG go by readers of our own, everything else by sharp.
 *
 * Rejects with {@link BadImageError} for content that is no such image (empty, cut off, foreign, several pages, floating
 * point). Errors of reading the file (`ENOENT`, `EIO`, `EACCES`, …) stay what they are: they are not the image's fault.
 *
 * @param file path, or the bytes of the file
 * @param name what error messages call it when bytes are given; its suffix says whether they are compressed
 * @param target where the pixels go; absent: memory of their own
 */
export async function decodeFrame(
  file: string | Uint8Array,
  name = typeof file === 'string' ? file : 'image',
  target: FrameTarget = ownMemory,
  limit = imageMemory(),
): Promise<Pixels> {
  const stored = typeof file === 'string' ? readImageFile(file, limit, size => new ArrayBuffer(size)) : file;
  const bytes = await unpacked(stored, name, limit);
  if (bytes.length === 0) throw new BadImageError(name, 'the file is empty');
  const fileBytes = bytes === stored ? bytes.length : bytes.length + stored.length;
  const header = checkedHeader(partsOf(bytes), name, fileBytes, limit);
  if (header?.isUncommon) {
    const plain = plainTiff(bytes, header.page, name);
    const pixels = decodeTiff(plain, target) ?? target.adopt(await decodeAny(plain, name, 0));
    return header.isSigned ? withoutNegatives(pixels, name) : pixels;
  }
  const pixels = decodeTiff(bytes, target) ?? (await decodePng(bytes, target));
  return pixels ?? target.adopt(await decodeAny(bytes, name, header?.page ?? 0));
}

const partsOf =
  (bytes: Uint8Array): ReadAt =>
  (at, length) =>
    bytes.subarray(at, at + length);

/** What an image may have beside its pixels: text, profiles, thumbnails. */
const besidePixels = 1 << 24;

/** @throws BadImageError when a value is below zero: it can be no count of light */
function withoutNegatives(pixels: Pixels, name: string): Pixels {
  const { data, depth, width } = pixels;
  const at = data.findIndex(value => value >= 2 ** (depth - 1));
  if (at < 0) return pixels;
  const place = `row ${Math.floor(at / width)}, column ${at % width}`;
  throw new BadImageError(
    name,
    `signed pixels, of which one is ${data[at] - 2 ** depth} (${place}); from 0 on they are read`,
  );
}

async function unpacked(stored: Uint8Array, name: string, limit: number): Promise<Uint8Array> {
  const codec = codecOf(name);
  if (codec === null) return stored;
  const header = checkedHeader(partsOf(decompressedHead(stored, codec)), name, stored.length, limit);
  const left = limit - stored.length;
  const whole = header === null ? left : header.width * header.height * header.channels * (header.bits > 8 ? 2 : 1);
  const most = Math.max(1, Math.floor(Math.min(left, 2 * whole + besidePixels)));
  try {
    return await decompress(stored, name, most);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      const claim = header === null ? limitText(limit) : `its header says ${sizeText(header)}`;
      throw new BadImageError(name, `unpacks to more than ${most} bytes; ${claim}`, { cause: error });
    }
    throw new BadImageError(name, `can't be decompressed: ${message} (${stored.length} bytes)`, { cause: error });
  }
}

const formats = ['png', 'jpeg', 'tiff'];
const depths: Readonly<Record<string, 8 | 16>> = { uchar: 8, ushort: 16 };

async function decodeAny(bytes: Uint8Array, name: string, page: number): Promise<Pixels> {
  // `failOn: 'error'` refuses cut off data, yet lets pass the private tags that microscopes write into TIFF files.
  const image = sharp(bytes, { failOn: 'error', ignoreIcc: true, page });
  try {
    const found = await image.metadata();
    const depth = depths[found.depth];
    if (!formats.includes(found.format)) {
      throw new BadImageError(name, `a ${found.format} image; PNG, JPEG and TIFF are read`);
    }
    if (depth === undefined) {
      throw new BadImageError(
        name,
        `pixels of type ${found.depth}; integers of up to 16 bits, without a sign, are read`,
      );
    }
    const gray = found.channels < 3 && !found.isPalette;
    return gray ? await decodeGray(image, depth) : await decodeColour(image, depth);
  } catch (error) {
    if (error instanceof BadImageError) throw error;
    const kind = kindOfFile(bytes);
    if (kind !== null) throw new BadImageError(name, `${kind}; PNG, JPEG and TIFF are read`, { cause: error });
    const said = saidOnce((error as Error).message);
    const cut =
      /bad seek|unexpected end|premature end|truncated/i.test(said) || isCutPng(bytes) ? '; the file is cut off' : '';
    const size = `${bytes.length} bytes, beginning ${Buffer.from(bytes.subarray(0, 8)).toString('hex')}`;
    throw new BadImageError(name, `not a readable image: ${said}${cut} (${size})`, { cause: error });
  }
}

/** Its decoder only says that it could not read. */
const isCutPng = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.subarray(0, 4)).toString('latin1') === '\x89PNG' &&
  !Buffer.from(bytes.subarray(-4096)).includes('IEND');

/** Kinds of files that stand where an image should, by how they begin. */
const kindsOfFiles: readonly (readonly [begin: RegExp, kind: string])[] = [
  [/^BM/, 'a BMP image'],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the signature has such bytes
  [/^\0\0\0\x0cjP {2}|^\xff\x4f\xff\x51/, 'a JPEG 2000 image'],
  [/^version https:\/\/git-lfs/, 'a pointer of Git LFS, and no image: get the file itself with "git lfs pull"'],
  [/^\s*(?:<!doctype html|<html)/i, 'a page of HTML, and no image'],
  [/^(?:SIMPLE {2}=|\x89HDF\r\n)/, 'a file of FITS or HDF5'],
  [/^[\t\r\n\x20-\x7e]{16,}$/, 'a file of text, and no image'],
  [/^\0+$/, 'a file that holds zeros at its beginning, as a power cut leaves one'],
];

function kindOfFile(bytes: Uint8Array): string | null {
  const begin = Buffer.from(bytes.subarray(0, 64)).toString('latin1');
  return kindsOfFiles.find(([pattern]) => pattern.test(begin))?.[1] ?? null;
}

/** A decoder says the same for each strip, and once more with its own name before it. */
function saidOnce(message: string): string {
  const lines = message.split('\n').flatMap(line => line.replace(/^\w+: (?=bad|un)/, '').trim() || []);
  return [...new Set(lines.map(line => line.replace(/[;\s]+$/, '')))].join('; ');
}

async function decodeGray(image: Sharp, depth: 8 | 16): Promise<Pixels> {
  // The colour space has to be said: plain `raw` gives three channels of 8 bits.
  const plain = image.removeAlpha();
  const raw = depth === 16 ? plain.toColourspace('grey16').raw({ depth: 'ushort' }) : plain.toColourspace('b-w').raw();
  const { data, info } = await raw.toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, depth, data: typed(data, depth) };
}

async function decodeColour(image: Sharp, depth: 8 | 16): Promise<Pixels> {
  // Not sharp's `recomb`: it cuts instead of rounding, and takes 16 bit colour through 8 bits.
  const plain = image.removeAlpha();
  const raw = depth === 16 ? plain.toColourspace('rgb16').raw({ depth: 'ushort' }) : plain.toColourspace('srgb').raw();
  const { data, info } = await raw.toBuffer({ resolveWithObject: true });
  const colour = typed(data, depth);
  const count = info.width * info.height;
  const luma = depth === 16 ? new Uint16Array(count) : new Uint8Array(count);
  for (let i = 0, c = 0; i < count; i++, c += info.channels) {
    luma[i] = 0.299 * colour[c] + 0.587 * colour[c + 1] + 0.114 * colour[c + 2] + 0.5;
  }
  return { width: info.width, height: info.height, depth, data: luma };
}

/** Views sharp's bytes as pixels; copies only when they are not aligned. */
function typed(data: Buffer, depth: 8 | 16): Uint8Array | Uint16Array {
  if (depth === 8) return new Uint8Array(data.buffer, data.byteOffset, data.length);
  if (data.byteOffset % 2 === 0) return new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  return new Uint16Array(new Uint8Array(data).buffer);
}
