import type { RandomStream } from '../../../model/randomStream.ts';

/** Normal noise of mean 0 and variance 1 that continues at its borders as if it were wrapped around. */
export interface NoiseTile {
  width: number;
  height: number;
  values: Float32Array;
}

/** @param sigma pixels of the Gaussian kernel that correlates neighbours; 0 gives white noise */
export function noiseTile(width: number, height: number, sigma: number, random: RandomStream): NoiseTile {
  const white = Float32Array.from({ length: width * height }, () => random.normal());
  return { width, height, values: standardised(sigma > 0 ? smooth(white, width, height, sigma) : white) };
}

function gaussianKernel(sigma: number): number[] {
  const radius = Math.ceil(4 * sigma);
  return Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)));
}

/** Filters along the rows, then along the columns, wrapped around at the borders. */
function smooth(source: Float32Array, width: number, height: number, sigma: number): Float32Array {
  const kernel = gaussianKernel(sigma);
  const radius = (kernel.length - 1) / 2;
  const alongRows = new Float32Array(source.length);
  const row = new Float32Array(width + 2 * radius);
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < row.length; i++) row[i] = source[y * width + ((i - radius + width) % width)];
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 0; k < kernel.length; k++) sum += kernel[k] * row[x + k];
      alongRows[y * width + x] = sum;
    }
  }
  const result = new Float32Array(source.length);
  for (let y = 0; y < height; y++) {
    for (let k = 0; k < kernel.length; k++) {
      const from = ((y + k - radius + height) % height) * width;
      for (let x = 0; x < width; x++) result[y * width + x] += kernel[k] * alongRows[from + x];
    }
  }
  return result;
}

/** Exactly mean 0 and variance 1, so that a tile's own luck is not a bias of every frame. */
function standardised(values: Float32Array): Float32Array {
  let mean = 0;
  for (const value of values) mean += value / values.length;
  let variance = 0;
  for (const value of values) variance += (value - mean) ** 2 / values.length;
  return values.map(value => (value - mean) / Math.sqrt(variance));
}
