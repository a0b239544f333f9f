import type { Pixels } from '../model/frame.ts';
import { fullScaleOf, quantileOf, shareFrom } from './histogram.ts';
import type { ReducedFrame } from './reducedFrame.ts';

/** What a frame says that was taken without light. Counts. */
export interface DarkFrame {
  median: number;
  /** Mean without pixels that are far off: a median is a whole number, and the level is not. */
  level: number;
  /** Standard deviation of a pixel, of the same pixels. */
  spread: number;
  /** Shares of all pixels: far above the level, and at 0, where the camera cuts off what is below. */
  hot: number;
  zero: number;
  /** Means over the darkest and the brightest part of the frame. */
  darkest: number;
  brightest: number;
  /** Why the frame can't be one without light; null when nothing speaks against it. */
  light: 'bright' | 'uneven' | 'spots' | null;
}

/** Pixels so many spreads above the level are hot; a mean leaves out those beyond fewer. */
const hotSpreads = 8;
const keptSpreads = 5;
/** More hot pixels than that are something that shines. */
const mostHot = 0.01;
/** No camera has its black above this share of its full scale; of 16 bits, 12 at least are taken for used. */
const highestBlack = 0.5;
const leastFullScale = 4095;
/** The frame in so many parts along each side … */
const parts = 8;
/** … whose means differ by no more than so many times the noise of a pixel, and by a count in any case. */
const mostUneven = 2;

/** Measures a frame that should be dark. @param reduced the same frame */
export function measureDark({ width, height, depth, data }: Pixels, { histogram }: ReducedFrame): DarkFrame {
  const count = width * height;
  const median = quantileOf(histogram, count, 0.5);
  const half = (quantileOf(histogram, count, 0.8413) - quantileOf(histogram, count, 0.1587)) / 2;
  // Half a count: the noise may be less than a count, and all pixels but few the same.
  const broad = Math.max(0.5, half);
  const [least, most] = [median - keptSpreads * broad, median + keptSpreads * broad];
  let kept = 0;
  let sum = 0;
  let squares = 0;
  for (let value = Math.max(0, Math.ceil(least)); value <= Math.min(most, histogram.length - 1); value++) {
    kept += histogram[value];
    sum += histogram[value] * (value - median);
    squares += histogram[value] * (value - median) ** 2;
  }
  const level = median + sum / kept;
  const spread = Math.sqrt(Math.max(0, squares / kept - (sum / kept) ** 2));
  const hot = shareFrom(histogram, Math.ceil(median + hotSpreads * broad), count);

  const sums = new Float64Array(parts * parts);
  const sizes = new Float64Array(parts * parts);
  let differences = 0;
  let pairs = 0;
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * parts) / height) * parts;
    for (let x = 0; x < width; x++) {
      const value = Math.min(most, Math.max(least, data[y * width + x]));
      const part = row + Math.floor((x * parts) / width);
      sums[part] += value;
      sizes[part]++;
      if (x < 2) continue;
      differences += Math.abs(value - Math.min(most, Math.max(least, data[y * width + x - 2])));
      pairs++;
    }
  }
  const means = sums.map((total, part) => total / sizes[part]).filter(Number.isFinite);
  const [darkest, brightest] = [Math.min(...means), Math.max(...means)];
  // Of a normal distribution; between pixels nearby, so that no slope is in it.
  const noise = pairs === 0 ? 0 : (Math.sqrt(Math.PI) / 2) * (differences / pairs);
  const fullScale = depth === 8 ? 255 : Math.max(leastFullScale, fullScaleOf(histogram));
  const isUneven = brightest - darkest > Math.max(1, mostUneven * noise);
  const light = level > highestBlack * fullScale ? 'bright' : isUneven ? 'uneven' : hot > mostHot ? 'spots' : null;
  return { median, level, spread, hot, zero: histogram[0] / count, darkest, brightest, light };
}
