import type { Pixels } from '../model/frame.ts';
import type { FrameStatistics } from '../model/result.ts';
import { roundDecimals } from './roundDecimals.ts';

/** {@link FrameStatistics}, and what else the one pass over the frame tells. */
export interface FrameSurvey {
  statistics: FrameStatistics;
  /**
   * Count at which pixels are taken for saturated: the full scale of a camera of 8, 10, 12, 14 or 16 bits (12 bit
   * cameras write 16 bit files) where many more pixels stand than just below it; Infinity when there is none. A few hot
   * pixels are no pile and hide none.
   */
  saturation: number;
}

const fullScales = [255, 1023, 4095, 16383, 65535];

/** A survey that is made part by part, while the parts are in the core's cache. */
export interface SurveyInParts {
  /** Takes pixels that were not taken yet. */
  add(part: Pixels['data']): void;
  /** Of all pixels that were added; at least one. */
  survey(): FrameSurvey;
}

/**
 * Brightness (mean) and contrast (95 % minus 5 % quantile) of a whole frame in its own counts, to two decimals, and its
 * saturation level. One pass fills a histogram, from which mean and interpolated quantiles are exact.
 */
export function frameStatistics({ data, depth }: Pixels): FrameSurvey {
  const parts = createSurvey(depth);
  parts.add(data);
  return parts.survey();
}

/** {@link frameStatistics} of a frame of this depth, in parts; the same whatever they are. */
export function createSurvey(depth: 8 | 16): SurveyInParts {
  const counts = depth === 16 ? countsOfWords() : countsOfBytes();
  let count = 0;
  return {
    add(part) {
      counts.add(part);
      count += part.length;
    },
    survey() {
      const histogram = counts.histogram();
      let sum = 0;
      for (let level = 0; level < histogram.length; level++) sum += level * histogram[level];
      const contrast = quantileOf(histogram, count, 0.95) - quantileOf(histogram, count, 0.05);
      return {
        statistics: { brightness: roundDecimals(sum / count, 2), contrast: roundDecimals(contrast, 2) },
        saturation: fullScales.find(level => isPile(histogram, level)) ?? Number.POSITIVE_INFINITY,
      };
    },
  };
}

interface Counts {
  add(part: Pixels['data']): void;
  histogram(): Uint32Array;
}

function countsOfWords(): Counts {
  const histogram = new Uint32Array(2 ** 16);
  return {
    add(part) {
      for (let i = 0; i < part.length; i++) histogram[part[i]]++;
    },
    histogram: () => histogram,
  };
}

const noQuads = new Int32Array(0);

/**
 * Counts pairs of bytes, four bytes a step in turns into two tables: a third of the work of single ones. Neighbours are often
 * alike, and the same count again has to wait for the one before.
 */
function countsOfBytes(): Counts {
  // Signed: the engine then stays with whole numbers of 32 bits. A frame of 2^28 pixels has room.
  const first = new Int32Array(2 ** 16);
  const second = new Int32Array(2 ** 16);
  const single = new Uint32Array(2 ** 8);
  return {
    add(part) {
      // Whole words of memory only; what is before and behind them is counted one by one.
      const from = Math.min(-part.byteOffset & 3, part.length);
      const count = (part.length - from) >> 2;
      const quads = count === 0 ? noQuads : new Int32Array(part.buffer, part.byteOffset + from, count);
      for (let i = 0; i < quads.length; i++) {
        const quad = quads[i];
        first[quad & 0xffff]++;
        second[quad >>> 16]++;
      }
      for (let i = 0; i < from; i++) single[part[i]]++;
      for (let i = from + 4 * quads.length; i < part.length; i++) single[part[i]]++;
    },
    histogram() {
      const histogram = single.slice();
      for (let pair = 0; pair < first.length; pair++) {
        const count = first[pair] + second[pair];
        histogram[pair & 0xff] += count;
        histogram[pair >>> 8] += count;
      }
      return histogram;
    },
  };
}

function quantileOf(histogram: Uint32Array, count: number, share: number): number {
  const place = share * (count - 1);
  const below = Math.floor(place);
  const lower = levelAt(histogram, below);
  const upper = levelAt(histogram, Math.min(below + 1, count - 1));
  return lower + (place - below) * (upper - lower);
}

/** The value at a place of the sorted pixels. */
function levelAt(histogram: Uint32Array, place: number): number {
  let seen = 0;
  let level = 0;
  while ((seen += histogram[level]) <= place) level++;
  return level;
}

/** At least 16 pixels, and four times as many as on any of the four levels below. */
function isPile(histogram: Uint32Array, level: number): boolean {
  if (level >= histogram.length || histogram[level] < 16) return false;
  for (let below = level - 4; below < level; below++) if (histogram[level] < 4 * histogram[below]) return false;
  return true;
}
