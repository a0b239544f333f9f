/**
 * What chip and optics make of the light: a field that multiplies it, the same in all frames but for the part that is asked to be new in
 * each. In its logarithm it is a sum of normal fields, each with its contrast and the length of the Gaussian kernel that correlates it.
 */

import { randomStream } from '../../../model/randomStream.ts';
import type { Band } from './frameGeometry.ts';
import { type NoiseTile, noiseTile } from './noiseTile.ts';
import type { SimulatorOptions } from './simulatorOptions.ts';

/** Factors on the light; null: that part is 1 everywhere. */
export interface LightPattern {
  fixed: NoiseTile | null;
  fresh: NoiseTile | null;
}

/** Larger frames have the pattern again after so many pixels, in which no grating lies as another one does. */
const largest = { width: 1021, height: 1019 };
const least = 256;
/** Pixels of a kernel above which its field is made from fewer points. */
const coarseSigma = 3;

/** Null when no pattern is asked for. */
export function lightPattern(options: SimulatorOptions): LightPattern | null {
  const { seed, patternContrast, patternLength, patternStaticShare } = options;
  if (patternContrast.every(contrast => contrast === 0)) return null;
  const width = Math.min(largest.width, Math.max(least, options.width));
  const height = Math.min(largest.height, Math.max(least, options.height));
  const log = new Float32Array(width * height);
  for (const [i, contrast] of patternContrast.entries()) {
    const field = smoothField(width, height, patternLength[i], `pattern ${i} of ${patternLength[i]} px`, seed);
    for (let k = 0; k < log.length; k++) log[k] += contrast * field[k];
  }
  const factors = (share: number): NoiseTile | null =>
    share === 0 ? null : { width, height, values: log.map(value => Math.exp(Math.sqrt(share) * value)) };
  return { fixed: factors(patternStaticShare), fresh: factors(1 - patternStaticShare) };
}

/**
 * Multiplies the light by the pattern.
 *
 * @param moved pixels to the right and down that the chip has moved, and the fixed part with it
 */
export function applyPattern(
  band: Band,
  { fixed, fresh }: LightPattern,
  { moved, timeMs, seed }: { moved: readonly [number, number]; timeMs: number; seed: number },
): void {
  if (fixed) multiply(band, fixed, moved);
  if (!fresh) return;
  const random = randomStream(seed, `pattern of frame ${timeMs}`);
  multiply(band, fresh, [Math.floor(random.uniform() * fresh.width), Math.floor(random.uniform() * fresh.height)]);
}

/** Straight lines between the pixels of the tile, where it has moved by parts of one. */
function multiply(
  { light, width, top, bottom }: Band,
  tile: NoiseTile,
  [right, down]: readonly [number, number],
): void {
  const left = Math.floor(-right);
  const above = Math.floor(-down);
  const fx = -right - left;
  const fy = -down - above;
  const { values } = tile;
  const column = wrap(left, tile.width);
  for (let y = top; y < bottom; y++) {
    const upper = wrap(y + above, tile.height) * tile.width;
    const lower = wrap(y + above + 1, tile.height) * tile.width;
    const from = (y - top) * width;
    let at = column;
    for (let x = 0; x < width; x++) {
      const next = at + 1 === tile.width ? 0 : at + 1;
      light[from + x] *=
        fx === 0 && fy === 0
          ? values[upper + at]
          : (1 - fy) * ((1 - fx) * values[upper + at] + fx * values[upper + next]) +
            fy * ((1 - fx) * values[lower + at] + fx * values[lower + next]);
      at = next;
    }
  }
}

const wrap = (index: number, length: number): number => ((index % length) + length) % length;

/** Normal noise that wraps around, of variance 1 about. A long kernel leaves nothing that points some pixels apart do not tell. */
function smoothField(width: number, height: number, sigma: number, name: string, seed: number): Float32Array {
  const step = Math.max(1, sigma / coarseSigma);
  const columns = Math.round(width / step);
  const rows = Math.round(height / step);
  const tile = noiseTile(columns, rows, Math.min(sigma, coarseSigma), randomStream(seed, name));
  if (step === 1) return tile.values;
  const { values } = tile;
  const field = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const v = (y * rows) / height;
    const upper = Math.floor(v) * columns;
    const lower = ((Math.floor(v) + 1) % rows) * columns;
    const fy = v - Math.floor(v);
    for (let x = 0; x < width; x++) {
      const u = (x * columns) / width;
      const i = Math.floor(u);
      const j = i + 1 === columns ? 0 : i + 1;
      const fx = u - i;
      field[y * width + x] =
        (1 - fy) * ((1 - fx) * values[upper + i] + fx * values[upper + j]) +
        fy * ((1 - fx) * values[lower + i] + fx * values[lower + j]);
    }
  }
  return field;
}
