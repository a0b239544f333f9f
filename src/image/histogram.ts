import type { FrameStatistics } from '../model/result.ts';
import { roundDecimals } from '../model/roundDecimals.ts';

/** How many pixels of a frame have each count: 256 levels, or 65,536. */
export type Histogram = Int32Array | Uint32Array;

/** The highest count that cameras of 8, 10, 12, 14 and 16 bits give; those of 12 bits write 16 bit files. */
const fullScales = [255, 1023, 4095, 16383, 65535];
/** So many pixels at one count are a pile, at least. */
const leastPile = 16;
/** And no pile below this count is saturation. */
const leastPicture = 64;

/** Brightness (mean) and contrast (95 % minus 5 % quantile) in counts, to two decimals. @param count of all pixels, at least one */
export function statisticsOf(histogram: Histogram, count: number): FrameStatistics {
  let sum = 0;
  for (let level = 0; level < histogram.length; level++) sum += level * histogram[level];
  const contrast = quantileOf(histogram, count, 0.95) - quantileOf(histogram, count, 0.05);
  return { brightness: roundDecimals(sum / count, 2), contrast: roundDecimals(contrast, 2) };
}

/**
 * Count at which pixels are taken for saturated: a full scale at which many more pixels stand than just below it, or a pile on the highest count of
 * all, as of cameras that write 12 bits into the upper ones of 16, or end at 235. Infinity when there is none. A few hot pixels are no pile and hide none.
 */
export function saturationOf(histogram: Histogram): number {
  return fullScales.find(level => isPile(histogram, level)) ?? highestPile(histogram);
}

function highestPile(histogram: Histogram): number {
  let highest = histogram.length - 1;
  for (let above = 0; highest >= 0 && above + histogram[highest] < leastPile; highest--) above += histogram[highest];
  // A frame of a few counts only is no picture.
  if (highest < leastPicture) return Number.POSITIVE_INFINITY;
  let below = 0;
  for (let level = highest - 1; level >= 0 && below < 4; level--) {
    if (histogram[level] === 0) continue;
    if (histogram[highest] < 4 * histogram[level]) return Number.POSITIVE_INFINITY;
    below++;
  }
  return below === 4 && histogram[highest] >= leastPile ? highest : Number.POSITIVE_INFINITY;
}

/** The full scale that the frame fits in: where it is saturated, else the lowest that no pixel exceeds. */
export function fullScaleOf(histogram: Histogram): number {
  const saturation = saturationOf(histogram);
  if (saturation < histogram.length) return saturation;
  const highest = histogram.findLastIndex(count => count > 0);
  return fullScales.find(level => level >= highest && (level > 255 || histogram.length === 256)) ?? 65535;
}

/** Share of the pixels, 0 to 1, at a count or above. @param count of all pixels */
export function shareFrom(histogram: Histogram, level: number, count: number): number {
  let reached = 0;
  for (let at = level; at < histogram.length; at++) reached += histogram[at];
  return reached / count;
}

/** Linear between neighbours. @param share 0 to 1 @param count of all pixels */
export function quantileOf(histogram: Histogram, count: number, share: number): number {
  const place = share * (count - 1);
  const below = Math.floor(place);
  const lower = levelAt(histogram, below);
  const upper = levelAt(histogram, Math.min(below + 1, count - 1));
  return lower + (place - below) * (upper - lower);
}

/** The value at a place of the sorted pixels. */
function levelAt(histogram: Histogram, place: number): number {
  let seen = 0;
  let level = 0;
  while ((seen += histogram[level]) <= place) level++;
  return level;
}

/** {@link leastPile} pixels, and four times as many as on any of the four levels below. */
function isPile(histogram: Histogram, level: number): boolean {
  if (level >= histogram.length || histogram[level] < leastPile) return false;
  for (let below = level - 4; below < level; below++) if (histogram[level] < 4 * histogram[below]) return false;
  return true;
}
