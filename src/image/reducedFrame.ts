import type { Pixels } from '../model/frame.ts';
import type { FrameHistogram, FrameRegion } from '../model/framePicture.ts';
import { fullScaleOf, type Histogram, saturationOf, shareFrom, statisticsOf } from './histogram.ts';

/** A frame made small enough to be kept, with what its pixels said before. */
export interface ReducedFrame {
  frameWidth: number;
  frameHeight: number;
  depth: 8 | 16;
  /** As in results: mean, and 95 % minus 5 % quantile, counts, to two decimals. */
  brightness: number;
  contrast: number;
  /** Share of pixels at full scale, 0 to 1. */
  saturated: number;
  /** Pixels of the reduced frame: means over blocks of the frame's, row by row. */
  width: number;
  height: number;
  means: Float32Array;
  /** Side of a block, pixels of the frame. */
  block: number;
  /** Of the frame itself. */
  histogram: Histogram;
}

/** The reduced frame is at most so wide and high, pixels: several times what a terminal shows in signs. */
export const longestSide = 1024;
/** Pixels that are taken in at one go, about 5 ms. */
const pixelsPerTurn = 2 << 20;

/**
 * Measures a frame and reduces it by a whole number, in pieces, so that keys and screen are served between.
 * @throws the signal's reason when it is aborted.
 */
export async function reduceFrame(
  { width, height, depth, data }: Pixels,
  signal: AbortSignal,
  longest = longestSide,
): Promise<ReducedFrame> {
  const block = Math.max(1, Math.ceil(width / longest), Math.ceil(height / longest));
  const columns = Math.ceil(width / block);
  const rows = Math.ceil(height / block);
  const means = new Float32Array(columns * rows);
  const histogram = new Uint32Array(2 ** depth);
  const sums = new Float64Array(columns);
  let sinceTurn = 0;
  for (let row = 0; row < rows; row++) {
    const top = row * block;
    const bottom = Math.min(height, top + block);
    sums.fill(0);
    for (let y = top; y < bottom; y++) {
      const start = y * width;
      for (let column = 0, x = 0; column < columns; column++) {
        const right = Math.min(width, x + block);
        let sum = 0;
        for (; x < right; x++) {
          const value = data[start + x];
          histogram[value]++;
          sum += value;
        }
        sums[column] += sum;
      }
    }
    for (let column = 0; column < columns; column++) {
      const across = Math.min(width, (column + 1) * block) - column * block;
      means[row * columns + column] = sums[column] / (across * (bottom - top));
    }
    sinceTurn += (bottom - top) * width;
    if (sinceTurn < pixelsPerTurn) continue;
    sinceTurn = 0;
    await new Promise(resolve => setImmediate(resolve));
    signal.throwIfAborted();
  }
  const count = width * height;
  const statistics = statisticsOf(histogram, count);
  const saturated = shareFrom(histogram, saturationOf(histogram), count);
  const frame = { frameWidth: width, frameHeight: height, depth, ...statistics, saturated };
  return { ...frame, width: columns, height: rows, means, block, histogram };
}

/**
 * The reduced frame as a picture of 0 (its darkest pixel) to 255 (its brightest), within a size whose aspect ratio it does not
 * follow. A flat one is mid grey. By exact area averaging.
 * @param part of the reduced frame, in its pixels, at any scale; by default all of it, never larger than it is
 */
export function drawFrame(
  frame: Pick<ReducedFrame, 'width' | 'height' | 'means'>,
  size: { width: number; height: number },
  part?: FrameRegion,
): { width: number; height: number; grey: Uint8Array; means: Float32Array } {
  const of = part ?? { left: 0, top: 0, width: frame.width, height: frame.height };
  const scale = Math.min(part ? Number.POSITIVE_INFINITY : 1, size.width / of.width, size.height / of.height);
  const width = Math.max(1, Math.round(of.width * scale));
  const height = Math.max(1, Math.round(of.height * scale));
  const across = averageRows(frame.means, frame.width, frame.height, width, [of.left, of.width]);
  const turned = averageRows(transpose(across, width, frame.height), frame.height, width, height, [of.top, of.height]);
  const means = transpose(turned, height, width);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of means) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const range = high - low;
  const grey = Uint8Array.from(means, value => (range > 0 ? Math.round((255 * (value - low)) / range) : 128));
  return { width, height, grey, means };
}

/** Whole pixels of a frame, copied. */
export function cropPixels({ width, depth, data }: Pixels, { left, top, width: w, height: h }: FrameRegion): Pixels {
  const cut = depth === 8 ? new Uint8Array(w * h) : new Uint16Array(w * h);
  for (let row = 0; row < h; row++) {
    const from = (top + row) * width + left;
    cut.set(data.subarray(from, from + w), row * w);
  }
  return { width: w, height: h, depth, data: cut };
}

/** Parts of a histogram that is shown. */
const shownBins = 256;

/** A histogram of 256 parts. */
export function shownHistogram(histogram: Histogram): FrameHistogram {
  const top = fullScaleOf(histogram);
  const bins = new Array<number>(shownBins).fill(0);
  for (let level = 0; level < histogram.length; level++) {
    if (histogram[level] === 0) continue;
    bins[Math.min(shownBins - 1, Math.floor((level * shownBins) / (top + 1)))]! += histogram[level]!;
  }
  const saturation = saturationOf(histogram);
  return { bins, top, saturation: Number.isFinite(saturation) ? saturation : null };
}

/** Of each row of `length` values a part (where it begins, how long it is) as `target` means over equal pieces of it. */
function averageRows(
  values: Float32Array,
  length: number,
  rows: number,
  target: number,
  [begin, long]: readonly [number, number],
): Float32Array {
  const means = new Float32Array(target * rows);
  const step = long / target;
  for (let i = 0; i < target; i++) {
    const from = Math.min(begin + i * step, length - 1e-6);
    const to = Math.min(length, from + step);
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let x = Math.floor(from); x < to; x++) {
        const weight = Math.min(to, x + 1) - Math.max(from, x);
        sum += weight * values[row * length + x];
      }
      means[row * target + i] = sum / (to - from);
    }
  }
  return means;
}

function transpose(values: Float32Array, width: number, height: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) turned[x * height + y] = values[y * width + x];
  return turned;
}
