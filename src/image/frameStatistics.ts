import type { Pixels } from '../model/frame.ts';
import type { FrameStatistics } from '../model/result.ts';
import { saturationOf, statisticsOf } from './histogram.ts';

/** {@link FrameStatistics}, and what else the one pass over the frame tells. */
export interface FrameSurvey {
  statistics: FrameStatistics;
  /** Count at which pixels are taken for saturated; Infinity when none are. See {@link saturationOf}. */
  saturation: number;
}

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
      return { statistics: statisticsOf(histogram, count), saturation: saturationOf(histogram) };
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
