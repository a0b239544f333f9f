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

/**
 * Brightness (mean) and contrast (95 % minus 5 % quantile) of a whole frame in its own counts, to two decimals, and its
 * saturation level. One pass fills a histogram, from which mean and interpolated quantiles are exact.
 */
export function frameStatistics({ data, depth }: Pixels): FrameSurvey {
  const histogram = data instanceof Uint8Array ? histogramOfBytes(data) : histogramOf(data, 2 ** depth);
  let sum = 0;
  for (let level = 0; level < histogram.length; level++) sum += level * histogram[level];
  const contrast = quantileOf(histogram, data.length, 0.95) - quantileOf(histogram, data.length, 0.05);
  return {
    statistics: { brightness: roundDecimals(sum / data.length, 2), contrast: roundDecimals(contrast, 2) },
    saturation: fullScales.find(level => isPile(histogram, level)) ?? Number.POSITIVE_INFINITY,
  };
}

function histogramOf(data: Uint8Array | Uint16Array, levels: number): Uint32Array {
  const histogram = new Uint32Array(levels);
  for (let i = 0; i < data.length; i++) histogram[data[i]]++;
  return histogram;
}

/** Counts in turns into four: neighbours are often alike, and the same count again has to wait for the one before. */
function histogramOfBytes(data: Uint8Array): Uint32Array {
  const a = new Uint32Array(256);
  const b = new Uint32Array(256);
  const c = new Uint32Array(256);
  const whole = data.length - (data.length % 4);
  const histogram = histogramOf(data.subarray(whole), 256);
  for (let i = 0; i < whole; i += 4) {
    a[data[i]]++;
    b[data[i + 1]]++;
    c[data[i + 2]]++;
    histogram[data[i + 3]]++;
  }
  for (let level = 0; level < 256; level++) histogram[level] += a[level] + b[level] + c[level];
  return histogram;
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
