import type { Pixels } from '../model/frame.ts';

/** How a camera lays out the pixels of one frame, none compressed. */
export interface RawLayout {
  /** Bytes from one pixel to the next. */
  step: number;
  depth: 8 | 16;
  /** Where in a pixel's bytes its luma is, or its red, green and blue. */
  at: number | readonly [red: number, green: number, blue: number];
  bigEndian?: true;
  /** Planes of colour behind the luma, each pixel of them for four of luma: two planes, or one with both. */
  chroma?: 'planes' | 'pairs';
}

/** The layouts that are read, by the names that GStreamer has for them. */
export const rawLayouts = {
  GRAY8: { step: 1, depth: 8, at: 0 },
  GRAY16_LE: { step: 2, depth: 16, at: 0 },
  GRAY16_BE: { step: 2, depth: 16, at: 0, bigEndian: true },
  YUY2: { step: 2, depth: 8, at: 0 },
  YVYU: { step: 2, depth: 8, at: 0 },
  UYVY: { step: 2, depth: 8, at: 1 },
  I420: { step: 1, depth: 8, at: 0, chroma: 'planes' },
  YV12: { step: 1, depth: 8, at: 0, chroma: 'planes' },
  NV12: { step: 1, depth: 8, at: 0, chroma: 'pairs' },
  NV21: { step: 1, depth: 8, at: 0, chroma: 'pairs' },
  RGB: { step: 3, depth: 8, at: [0, 1, 2] },
  BGR: { step: 3, depth: 8, at: [2, 1, 0] },
  RGBx: { step: 4, depth: 8, at: [0, 1, 2] },
  BGRx: { step: 4, depth: 8, at: [2, 1, 0] },
  RGBA: { step: 4, depth: 8, at: [0, 1, 2] },
  BGRA: { step: 4, depth: 8, at: [2, 1, 0] },
} as const satisfies Record<string, RawLayout>;

export type RawFormat = keyof typeof rawLayouts;

export interface RawShape {
  format: RawFormat;
  width: number;
  height: number;
  /** Bytes from one row to the next. */
  stride: number;
}

/** Bytes from one row to the next, where each row begins at a multiple of `align` bytes. */
export function rawStride(format: RawFormat, width: number, align = 1): number {
  const { step, at } = rawLayouts[format];
  // Two pixels share their colour: such rows have an even number of them.
  const isPaired = step === 2 && rawLayouts[format].depth === 8 && typeof at === 'number';
  return roundUp((isPaired ? roundUp(width, 2) : width) * step, align);
}

/** Bytes of a whole frame, with its planes of colour, each row of which begins at a multiple of `align` bytes. */
export function rawBytes({ format, width, height, stride }: RawShape, align = 1): number {
  const { chroma }: RawLayout = rawLayouts[format];
  if (chroma === undefined) return stride * height;
  const rows = Math.ceil(height / 2);
  const evenRows = align === 1 ? height : 2 * rows;
  if (chroma === 'pairs') return stride * evenRows + roundUp(roundUp(width, 2), align) * rows;
  return stride * evenRows + 2 * roundUp(Math.ceil(width / 2), align) * rows;
}

/** Gray pixels of a raw frame: its luma as it is, or BT.601 luma of its colours, rounded to nearest. @throws RangeError when bytes are missing */
export function decodeRaw(bytes: Uint8Array, { format, width, height, stride }: RawShape): Pixels {
  const { step, depth, at, bigEndian }: RawLayout = rawLayouts[format];
  const least = stride * (height - 1) + width * step;
  if (bytes.length < least) throw new RangeError(`a frame of ${bytes.length} bytes, of at least ${least}`);
  if (depth === 16)
    return { width, height, depth, data: words(bytes, { width, height, stride, bigEndian: bigEndian === true }) };
  const data = new Uint8Array(width * height);
  for (let row = 0, to = 0; row < height; row++) {
    const begin = row * stride;
    if (typeof at !== 'number') {
      for (let x = 0, from = begin; x < width; x++, from += step) {
        const [red, green, blue] = [bytes[from + at[0]]!, bytes[from + at[1]]!, bytes[from + at[2]]!];
        data[to++] = 0.299 * red + 0.587 * green + 0.114 * blue + 0.5;
      }
    } else if (step === 1) {
      data.set(bytes.subarray(begin, begin + width), to);
      to += width;
    } else {
      for (let x = 0, from = begin + at; x < width; x++, from += step) data[to++] = bytes[from]!;
    }
  }
  return { width, height, depth, data };
}

function words(
  bytes: Uint8Array,
  { width, height, stride, bigEndian }: { width: number; height: number; stride: number; bigEndian: boolean },
): Uint16Array {
  const data = new Uint16Array(width * height);
  const target = new Uint8Array(data.buffer);
  for (let row = 0; row < height; row++)
    target.set(bytes.subarray(row * stride, row * stride + 2 * width), row * 2 * width);
  if (bigEndian) Buffer.from(data.buffer).swap16();
  return data;
}

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;
