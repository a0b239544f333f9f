import { Buffer } from 'node:buffer';
import type { Pixels } from '../model/frame.ts';

/** Puts the inflated bytes of a PNG, in pieces of any length, in place as pixels. */
export interface PngRows {
  /** False: the bytes are not those of such an image. */
  push(piece: Uint8Array): boolean;
  /** Whether all rows are there. */
  isComplete(): boolean;
}

/**
 * Each row comes as a byte that names its filter, and bytes that are differences from what that filter predicts: from the
 * byte a pixel to the left, the one above, their mean, or the nearest to left + above − corner (Paeth). Arithmetic is
 * modulo 256, as typed arrays have it.
 *
 * @param rowsDone told the number of rows that are ready after each piece
 */
export function createPngRows({ width, height, depth, data }: Pixels, rowsDone: (count: number) => void): PngRows {
  const out = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const step = depth / 8;
  const rowBytes = width * step;
  const stride = rowBytes + 1;
  /** A row that comes in more than one piece. */
  const split = new Uint8Array(stride);
  let held = 0;
  let row = 0;
  let ready = 0;

  function place(source: Uint8Array, at: number): boolean {
    const to = row * rowBytes;
    if (row === height || source[at] > 4) return false;
    out.set(source.subarray(at + 1, at + stride), to);
    if (source[at] !== 0) unfilter(source[at], out, to, rowBytes, step, row > 0);
    row++;
    return true;
  }

  /** The rows below need the last one in the order of the file's bytes. */
  function finish(): void {
    const end = depth === 8 || row === height ? row : row - 1;
    if (end <= ready) return;
    if (depth === 16) {
      Buffer.from(out.buffer, out.byteOffset + ready * rowBytes, (end - ready) * rowBytes).swap16();
    }
    ready = end;
    rowsDone(ready);
  }

  return {
    push(piece) {
      let at = 0;
      while (at < piece.length) {
        if (held > 0 || piece.length - at < stride) {
          const taken = piece.subarray(at, at + stride - held);
          split.set(taken, held);
          held += taken.length;
          at += taken.length;
          if (held < stride) break;
          held = 0;
          if (!place(split, 0)) return false;
        } else {
          if (!place(piece, at)) return false;
          at += stride;
        }
      }
      finish();
      return true;
    },
    isComplete: () => row === height && held === 0,
  };
}

/** Semaphore differences into values, in place. @param hasAbove whether there is a row above; else it counts as zeros */
function unfilter(filter: number, out: Uint8Array, to: number, length: number, step: number, hasAbove: boolean): void {
  const end = to + length;
  if (filter === 1 || (filter === 4 && !hasAbove)) {
    for (let i = to + step; i < end; i++) out[i] += out[i - step];
  } else if (filter === 2) {
    if (hasAbove) for (let i = to; i < end; i++) out[i] += out[i - length];
  } else if (filter === 3) {
    for (let i = to; i < end; i++) {
      const left = i < to + step ? 0 : out[i - step];
      out[i] += (left + (hasAbove ? out[i - length] : 0)) >> 1;
    }
  } else {
    for (let i = to; i < to + step; i++) out[i] += out[i - length];
    for (let i = to + step; i < end; i++) {
      out[i] += paeth(out[i - step], out[i - length], out[i - length - step]);
    }
  }
}

function paeth(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}
