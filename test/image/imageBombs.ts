import { crc32, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { tiffBytes } from './tiffBytes.ts';

/** Files of at most some megabytes that ask for gigabytes, or never end, by name; `length`: how long the file is to be made. */
export function imageBombs(): Record<string, { bytes: Uint8Array; length?: number; says: RegExp }> {
  const claim = /an image of 100000×100000 pixels/;
  return {
    'claims.png': { bytes: png(100_000, 100_000, 16, 2), says: claim },
    'colour16.png': { bytes: png(16_000, 16_000, 16, 2), says: /16000×16000 pixels: reading it takes about \d+ MB/ },
    'interlaced.png': { bytes: png(12_000, 12_000, 16, 0, 1), says: /12000×12000 pixels: reading it takes about/ },
    'claims.jpg': { bytes: jpeg(65_535, 65_535), says: /an image of 65535×65535 pixels/ },
    'claims.tif': { bytes: tiff({ 256: 100_000, 257: 100_000 }), says: claim },
    'tile.tif': { bytes: tiff({ 322: 2 ** 30, 323: 2 ** 30 }), says: /8×8 pixels: reading it takes about/ },
    'counts.tif': { bytes: tiff({}, 2 ** 32 - 1), says: /not a readable image/ },
    'loop.tif': { bytes: looped(), says: /a TIFF whose chain of directories has no end/ },
    'stack.tif': { bytes: stack(20), length: 900_000_000, says: /a TIFF of 20 pages; one image a file is read/ },
    'long.png': {
      bytes: png(8, 8, 8, 0),
      length: 900_000_000,
      says: /8×8 pixels: reading it takes about \d+ MB; one image may take/,
    },
    'bomb.tif.gz': {
      bytes: many(gzipSync(tiff({})), gzipSync(zeros)),
      says: /unpacks to more than \d+ bytes; its header says 8×8/,
    },
    'bomb.tif.zst': { bytes: zstdCompressSync(Buffer.concat([tiff({}), zeros, zeros])), says: /unpacks to more than/ },
    'zeros.png.gz': {
      bytes: many(gzipSync(zeros), gzipSync(zeros)),
      says: /unpacks to more than \d+ bytes; one image may/,
    },
    'nested.png.gz': { bytes: gzipSync(many(gzipSync(zeros), gzipSync(zeros))), says: /not a readable image/ },
    'claims.png.gz': { bytes: gzipSync(png(100_000, 100_000, 16, 2)), says: claim },
  };
}

const zeros = Buffer.alloc(64 << 20);

/** A gigabyte and more, unpacked. */
const many = (first: Uint8Array, next: Uint8Array): Uint8Array =>
  Buffer.concat([first, ...Array.from({ length: 17 }, () => next)]);

function png(width: number, height: number, depth: number, colour: number, interlaced = 0): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([depth, colour, 0, 0, interlaced], 8);
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const bytes = Buffer.alloc(12 + data.length);
    bytes.writeUInt32BE(data.length, 0);
    bytes.write(type, 4, 'latin1');
    bytes.set(data, 8);
    bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
    return bytes;
  };
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(zeros.subarray(0, 1 << 24))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function jpeg(width: number, height: number): Buffer {
  const bytes = Buffer.from('ffd8ffc00011080000000003011100021100031100ffda', 'hex');
  bytes.writeUInt16BE(height, 7);
  bytes.writeUInt16BE(width, 9);
  return bytes;
}

/** A small TIFF, changed. @param offsets how many strip offsets there are said to be */
function tiff(values: Record<number, number>, offsets = 1): Buffer {
  const bytes = Buffer.from(tiffBytes({ width: 8, height: 8, bits: 16 }));
  const at = bytes.readUInt32LE(4);
  const given = { ...values };
  for (let entry = 0; entry < bytes.readUInt16LE(at); entry++) {
    const place = at + 2 + 12 * entry;
    const tag = bytes.readUInt16LE(place);
    if (given[tag] !== undefined) bytes.writeUInt32LE(given[tag], place + 8);
    delete given[tag];
    if (tag === 273) bytes.writeUInt32LE(offsets, place + 4);
  }
  // What is new takes the place of the last entries, the tile's of row count and length of strips.
  for (const [i, [tag, value]] of Object.entries(given).entries()) {
    const place = at + 2 + 12 * (bytes.readUInt16LE(at) - 3 + i);
    bytes.writeUInt16LE(Number(tag), place);
    bytes.writeUInt32LE(value, place + 8);
  }
  return bytes;
}

function looped(): Buffer {
  const bytes = Buffer.from(tiffBytes({ width: 8, height: 8, bits: 16, pages: 2 }));
  bytes.writeUInt32LE(bytes.readUInt32LE(4), bytes.length - 4);
  return bytes;
}

const stack = (pages: number): Uint8Array => tiffBytes({ width: 64, height: 64, bits: 16, pages });
