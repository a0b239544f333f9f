import type { Pixels } from '../model/frame.ts';

/** Pixels that are looked at, at most; of larger frames only every second, third, … row. About 20 ms. */
const maxPixels = 4 << 20;

/**
 * How sharp a frame is, to set the focus by: Vollath's autocorrelation F4, the mean of `I(p)·I(p+1) − I(p)·I(p+2)` along rows and columns,
 * divided by the squared mean, times 1000. It is highest in focus. The noise of pixels, which makes measures by gradients or by the
 * Laplacian rise, has no share in it: in neither product does a pixel meet itself. The division takes out exposure and gain.
 *
 * Vollath, Journal of Microscopy 147 (1987) 279; among the best of the eighteen measures that Sun, Duthaler and Nelson compared on
 * microscopes (Microscopy Research and Technique 65 (2004) 139).
 *
 * @returns 0 for a black frame, and for one of fewer than three rows or columns; a flat frame with noise scatters about 0
 */
export function sharpness({ width, height, data }: Pixels): number {
  if (width < 3 || height < 3) return 0;
  const step = Math.ceil(((width - 2) * (height - 2)) / maxPixels);
  let differences = 0;
  let sum = 0;
  let count = 0;
  for (let y = 0; y < height - 2; y += step) {
    const start = y * width;
    for (let at = start, end = start + width - 2; at < end; at++) {
      const value = data[at];
      sum += value;
      differences += value * (data[at + 1] - data[at + 2] + data[at + width] - data[at + 2 * width]);
    }
    count += width - 2;
  }
  const mean = sum / count;
  return mean === 0 ? 0 : (1000 * differences) / (2 * count * mean * mean);
}
