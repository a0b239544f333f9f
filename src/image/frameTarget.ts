import type { Pixels } from '../model/frame.ts';

export type FrameShape = Pick<Pixels, 'width' | 'height' | 'depth'>;

/**
 * Where a decoder puts the pixels of a frame, and whom it tells how far it is.
 *
 * A decoder either calls `begin`, fills the pixels from the first row to the last and says `rowsDone` as it goes, or gives
 * a whole frame to `adopt`. One that gives up may leave it at any place: the next begins anew, and what was told is void.
 */
export interface FrameTarget {
  /** Memory for a frame, not cleared. */
  begin(shape: FrameShape): Pixels;
  /** The first `count` rows are there, and stay as they are. */
  rowsDone(count: number): void;
  /** Takes a frame that is whole already; returns it from where it is to be read. */
  adopt(pixels: Pixels): Pixels;
}

/** A frame in memory of its own, of which nobody is told. */
export const ownMemory: FrameTarget = {
  begin: shape => viewPixels(shape, new ArrayBuffer(byteLength(shape))),
  rowsDone: () => undefined,
  adopt: pixels => pixels,
};

/** Bytes that a frame's pixels take. */
export const byteLength = ({ width, height, depth }: FrameShape): number => (width * height * depth) / 8;

/** The pixels of a frame that lie in a memory from some byte on; not a copy. 16 bits need an even one. */
export function viewPixels({ width, height, depth }: FrameShape, memory: ArrayBufferLike, at = 0): Pixels {
  const count = width * height;
  const data = depth === 16 ? new Uint16Array(memory, at, count) : new Uint8Array(memory, at, count);
  return { width, height, depth, data };
}
