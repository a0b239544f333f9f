import type { Pixels } from '../model/frame.ts';
import type { FrameStatistics } from '../model/result.ts';
import { roundDecimals } from '../model/roundDecimals.ts';

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

/**
 * {@link frameStatistics} of a frame of this depth, in parts; the same whatever they are. One at a time in a thread: what was
 * begun before and is not finished is void.
 */
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
  histogram(): Int32Array;
}

/**
 * Tables that each survey of this thread clears and uses again: fresh ones are a quarter of a megabyte that the collector hears
 * of late. Signed: the engine then stays with whole numbers of 32 bits. A frame of 2^28 pixels has room.
 */
const tables = [new Int32Array(2 ** 16), new Int32Array(2 ** 16)] as const;

const noWords = new Int32Array(0);

/**
 * Counts a part by words of 32 bits, which takes two thirds of the time of single pixels: the lower half of each into `low`, the
 * upper one into `high`. Pixels before and behind the whole words go into `single`.
 */
function countPart(part: Pixels['data'], low: Int32Array, high: Int32Array, single: Int32Array): void {
  const size = part.BYTES_PER_ELEMENT;
  const before = Math.min((-part.byteOffset & 3) / size, part.length);
  const count = Math.floor(((part.length - before) * size) / 4);
  const words = count === 0 ? noWords : new Int32Array(part.buffer, part.byteOffset + before * size, count);
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    low[word & 0xffff]++;
    high[word >>> 16]++;
  }
  for (let i = 0; i < before; i++) single[part[i]]++;
  for (let i = before + (4 / size) * count; i < part.length; i++) single[part[i]]++;
}

function countsOfWords(): Counts {
  const [counts] = tables;
  counts.fill(0);
  return {
    add: part => countPart(part, counts, counts, counts),
    histogram: () => counts,
  };
}

/** Counts pairs of bytes, in turns into two tables: neighbours are often alike, and the same count again has to wait for the one before. */
function countsOfBytes(): Counts {
  const [first, second] = tables;
  first.fill(0);
  second.fill(0);
  const single = new Int32Array(2 ** 8);
  return {
    add: part => countPart(part, first, second, single),
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

function quantileOf(histogram: Int32Array, count: number, share: number): number {
  const place = share * (count - 1);
  const below = Math.floor(place);
  const lower = levelAt(histogram, below);
  const upper = levelAt(histogram, Math.min(below + 1, count - 1));
  return lower + (place - below) * (upper - lower);
}

/** The value at a place of the sorted pixels. */
function levelAt(histogram: Int32Array, place: number): number {
  let seen = 0;
  let level = 0;
  while ((seen += histogram[level]) <= place) level++;
  return level;
}

/** At least 16 pixels, and four times as many as on any of the four levels below. */
function isPile(histogram: Int32Array, level: number): boolean {
  if (level >= histogram.length || histogram[level] < 16) return false;
  for (let below = level - 4; below < level; below++) if (histogram[level] < 4 * histogram[below]) return false;
  return true;
}
