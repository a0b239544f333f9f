import type { Transform } from 'node:stream';
import { promisify } from 'node:util';
import {
  constants,
  createGunzip,
  createGzip,
  createZstdCompress,
  createZstdDecompress,
  gunzip,
  zstdDecompress,
} from 'node:zlib';

/**
 * How whole image files are compressed, and what they are called then: `image.png.gz`, `image.png.zst`. Everything that reads
 * images takes them in either form.
 */
export type Codec = 'gzip' | 'zstd';

/** The word that follows a file's name. */
export const codecSuffixes: Readonly<Record<Codec, string>> = { gzip: '.gz', zstd: '.zst' };

const codecs = Object.keys(codecSuffixes) as Codec[];

/** Images of more bytes are neither compressed nor decompressed: a small file must not be able to fill the memory. */
export const largestImageBytes = 2 ** 30;

/** What streams hold at a time, bytes. */
const chunkSize = 1 << 18;

/** How a file of this name is compressed; null when it is not. */
export function codecOf(filename: string): Codec | null {
  const name = filename.toLowerCase();
  return codecs.find(codec => name.length > codecSuffixes[codec].length && name.endsWith(codecSuffixes[codec])) ?? null;
}

/** The name without the compression's suffix. */
export function plainName(filename: string): string {
  const codec = codecOf(filename);
  return codec === null ? filename : filename.slice(0, -codecSuffixes[codec].length);
}

/** Every name under which the same image may stand, best first: the given one. */
export function imageNames(filename: string): string[] {
  const plain = plainName(filename);
  return [...new Set([filename, plain, ...codecs.map(codec => plain + codecSuffixes[codec])])];
}

/** A stream that compresses, on a thread of libuv. @param level 1 (fast) to 9 (small) */
export function createCompressor(codec: Codec, level: number): Transform {
  if (codec === 'gzip') return createGzip({ level, chunkSize });
  const { ZSTD_c_compressionLevel: levelKey, ZSTD_c_checksumFlag: checksumKey } = constants;
  // Gzip has a checksum always: what a disk damages later is noticed.
  return createZstdCompress({ chunkSize, params: { [levelKey]: level, [checksumKey]: 1 } });
}

/** A stream that decompresses; what is cut off or damaged is an error of it. */
export function createDecompressor(codec: Codec): Transform {
  return codec === 'gzip' ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize });
}

const unpack = { gzip: promisify(gunzip), zstd: promisify(zstdDecompress) };

/**
 * The bytes of an image file, decompressed when its name says that it is compressed.
 *
 * @throws Error of zlib for content that is damaged, cut off, or more than {@link largestImageBytes}
 */
export async function decompress(bytes: Uint8Array, filename: string): Promise<Uint8Array> {
  const codec = codecOf(filename);
  return codec === null ? bytes : unpack[codec](bytes, { maxOutputLength: largestImageBytes });
}
