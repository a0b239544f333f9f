import type { Transform } from 'node:stream';
import { promisify } from 'node:util';
import {
  constants,
  createGunzip,
  createGzip,
  createZstdCompress,
  createZstdDecompress,
  gunzip,
  gunzipSync,
  zstdDecompress,
  zstdDecompressSync,
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
 * @param most bytes that they may be
 * @throws Error of zlib for content that is damaged, cut off, or more than that (`code` `ERR_BUFFER_TOO_LARGE`)
 */
export async function decompress(
  bytes: Uint8Array,
  filename: string,
  most: number = largestImageBytes,
): Promise<Uint8Array> {
  const codec = codecOf(filename);
  if (codec === null) return bytes;
  // One chunk for all of it, where its size is known: joining chunks takes twice the memory.
  const claimed = Math.min(claimedSize(bytes, codec) + 1, most + 1);
  return unpack[codec](bytes, { maxOutputLength: most, chunkSize: Math.max(chunkSize, claimed) });
}

/** How long the content says it is; 0 where it does not say so. Nothing vouches for it. */
function claimedSize(bytes: Uint8Array, codec: Codec): number {
  const { buffer, byteOffset, length } = bytes;
  if (length < 18) return 0;
  const view = new DataView(buffer, byteOffset, length);
  if (codec === 'gzip') return view.getUint32(length - 4, true);
  // RFC 8878, 3.1.1.1: a descriptor says how long window, dictionary and size are.
  const descriptor = view.getUint8(4);
  const isSingle = (descriptor & 0x20) !== 0;
  const at = 5 + (isSingle ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] as number);
  const form = descriptor >> 6;
  if (form === 0) return isSingle ? view.getUint8(at) : 0;
  if (form === 1) return view.getUint16(at, true) + 256;
  return form === 2 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}

/** Packed bytes from which a head is unpacked, fewer where they hold too much; and the most that a head may be. */
const headPackedBytes = [1 << 13, 1 << 9, 1 << 6];
const headBytes = 1 << 24;

/** The first bytes of a compressed image, from the first of the file; empty when they can't be had so. */
export function decompressedHead(packed: Uint8Array, codec: Codec): Uint8Array {
  for (const length of headPackedBytes) {
    const first = packed.subarray(0, length);
    try {
      return codec === 'gzip'
        ? gunzipSync(first, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: headBytes })
        : zstdDecompressSync(first, { finishFlush: constants.ZSTD_e_flush, maxOutputLength: headBytes });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') break;
    }
  }
  return new Uint8Array(0);
}
