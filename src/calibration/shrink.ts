import type { Pixels } from '../model/frame.ts';

/** Pixels on a side of a picture for people. */
const largest = 2000;

/**
 * An image for people to look at: 8 bits, of at most 2,000 pixels on a side, its counts stretched so that dark ones are seen too.
 *
 * @returns with it, how many pixels of a drawing one of the image is, and the counts of what is dark and bright in it
 */
export function shrink(
  { width, height, data }: Pixels,
  most = largest,
): { picture: Pixels; zoom: number; dark: number; bright: number } {
  const factor = Math.max(1, Math.ceil(Math.max(width, height) / most));
  const columns = Math.max(1, Math.floor(width / factor));
  const rows = Math.max(1, Math.floor(height / factor));
  const means = new Float32Array(columns * rows);
  for (let row = 0, to = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, to++) {
      let sum = 0;
      for (let k = 0, from = row * factor * width + column * factor; k < factor; k++, from += width) {
        for (let i = from; i < from + factor; i++) sum += data[i];
      }
      means[to] = sum;
    }
  }
  const sample = means.filter((_, i) => i % Math.ceil(means.length / 50_000) === 0).toSorted();
  const dark = sample[Math.floor(0.01 * sample.length)];
  const bright = Math.max(dark + 1, sample[Math.floor(0.998 * (sample.length - 1))]);
  const shown = Uint8Array.from(
    means,
    mean => 255 * Math.sqrt(Math.min(1, Math.max(0, (mean - dark) / (bright - dark)))),
  );
  // Names are to be read in the drawings of small images too.
  const zoom = factor > 1 ? 1 / factor : Math.max(1, Math.min(3, Math.floor(most / Math.max(width, height))));
  const count = factor ** 2;
  return {
    picture: { width: columns, height: rows, depth: 8, data: shown },
    zoom,
    dark: dark / count,
    bright: bright / count,
  };
}
