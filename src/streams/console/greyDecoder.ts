import { readFile } from 'node:fs/promises';
import { codecOf, decompress } from '../../model/compression.ts';
import type { Pixels } from '../../model/frame.ts';

/**
 * Loads what decodes images, when the first is wanted: that takes longer than all the rest of the console. It then works in
 * one thread and caches nothing.
 */
export async function loadGreyDecoder(): Promise<(path: string) => Promise<Pixels>> {
  const { default: sharp } = await import('sharp');
  sharp.cache(false);
  sharp.concurrency(1);
  return path => decodeGrey(sharp, path);
}

/**
 * Decodes an image file, also a compressed one (`.gz`, `.zst`), to grey pixels at its native depth: grey exactly, colour as
 * BT.601 luma, stored orientation.
 * Rejects when it is no image of 8 or 16 bits, or can't be read.
 */
async function decodeGrey(sharp: typeof import('sharp').default, path: string): Promise<Pixels> {
  const file = codecOf(path) === null ? path : await decompress(await readFile(path), path);
  const image = sharp(file, { failOn: 'error', ignoreIcc: true });
  const found = await image.metadata();
  const depth = found.depth === 'uchar' ? 8 : found.depth === 'ushort' ? 16 : null;
  if (depth === null) throw new Error(`${path} has pixels of type ${found.depth}; 8 or 16 bit integers are shown`);
  const grey = found.channels < 3 && !found.isPalette;
  // The colour space has to be said: plain `raw` gives three channels of 8 bits.
  const space = depth === 16 ? (grey ? 'grey16' : 'rgb16') : grey ? 'b-w' : 'srgb';
  const plain = image.removeAlpha().toColourspace(space);
  const raw = depth === 16 ? plain.raw({ depth: 'ushort' }) : plain.raw();
  const { data: bytes, info } = await raw.toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const data = depth === 8 ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : words(bytes);
  return { width, height, depth, data: channels === 1 ? data : luma(data, channels) };
}

function words(bytes: Buffer): Uint16Array {
  if (bytes.byteOffset % 2 === 0) return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  return new Uint16Array(new Uint8Array(bytes).buffer);
}

/** In place: what a pixel becomes stands no later than what it was. */
function luma(colour: Uint8Array | Uint16Array, channels: number): Uint8Array | Uint16Array {
  const count = colour.length / channels;
  for (let i = 0, c = 0; i < count; i++, c += channels) {
    colour[i] = 0.299 * colour[c] + 0.587 * colour[c + 1] + 0.114 * colour[c + 2] + 0.5;
  }
  return colour.subarray(0, count);
}
