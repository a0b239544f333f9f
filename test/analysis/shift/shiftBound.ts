import { type PatternedOptions, type PatternedRoi, patternLight } from './patternedRois.ts';

/** Blocks of the bound, pixels: fine enough for a line of 20 pixels. */
const across = 4;
const down = 5;

/**
 * The least standard deviations (Cramér–Rao) that unbiased estimates of a ROI's position in a reference and of its step to a frame
 * can have, pixels: the pattern a Gaussian field of known spectrum in the logarithm of the light, independent of it noise in time of
 * known strength; unknown the line's base, height, width, asymmetry, slant, bend and their likes in height, and the light's factor.
 *
 * Of frames with saturated pixels it is the bound of what the others tell: blocks of which half is seen tell of the pattern, pixels that are seen in
 * both of the ratio. That a saturated pixel is bright tells a little more, which is left out.
 *
 * @param references frames that the reference is the mean of
 */
export function shiftBound(
  roi: PatternedRoi,
  step: number,
  references: number,
  options: PatternedOptions,
): { position: number; step: number } {
  const rows = Math.floor(options.rows / down);
  const cols = Math.floor(options.cols / across);
  const size = rows * cols;
  const parameters = roi.truth;
  const logs = (at: readonly number[], by: number): Float64Array => {
    const light = patternLight(at, by, options);
    return Float64Array.from({ length: size }, (_, i) => {
      let sum = 0;
      for (let y = 0; y < down; y++) {
        for (let x = 0; x < across; x++) sum += light(Math.floor(i / cols) * down + y, (i % cols) * across + x);
      }
      return Math.log(sum / (across * down));
    });
  };
  // A Gaussian line has no asymmetry.
  const asked = [...parameters.keys()].filter(k => k !== 4 || options.lineShape === 'fano');
  const columns = (by: number): Float64Array[] =>
    asked.map(k => {
      const value = parameters[k];
      const h = 1e-4 * Math.max(1, Math.abs(value));
      const up = logs(parameters.with(k, value + h), by);
      const low = logs(parameters.with(k, value - h), by);
      return up.map((v, i) => (v - low[i]) / (2 * h));
    });
  const before = columns(0);
  const after = columns(step);
  const unknown = asked.length;
  const count = unknown + 2;

  const isSeenBefore = roi.isSeen(roi.mean);
  const isSeenAfter = roi.isSeen(roi.mean + step);
  const shareOf = (isSeen: (row: number, col: number) => boolean): number[] =>
    Array.from({ length: size }, (_, i) => {
      let seen = 0;
      for (let k = 0; k < across * down; k++)
        seen += Number(isSeen(Math.floor(i / cols) * down + (k % down), (i % cols) * across + Math.floor(k / down)));
      return seen / (across * down);
    });

  // What the reference alone tells of the line.
  const information = new Float64Array(count * count);
  const used = shareOf(isSeenBefore).flatMap((share, i) => (share >= 0.5 ? [i] : []));
  const covariance = covarianceOf(rows, cols, options);
  const factor = cholesky(Float64Array.from(used.flatMap(i => used.map(j => covariance[i * size + j]))), used.length);
  const white = before.map(column =>
    forward(
      factor,
      used.length,
      Float64Array.from(used, i => column[i]),
    ),
  );
  for (let a = 0; a < unknown; a++)
    for (let b = 0; b < unknown; b++) information[a * count + b] = dot(white[a], white[b]);
  const alone = Math.sqrt(inverse(information, count, unknown)[0]);

  // And the ratio, in which the pattern cancels: the step is one more unknown, the light another.
  const light = logs(parameters, step);
  const ratio = [...after.map((column, k) => column.map((v, i) => v - before[k][i])), after[0], light.map(() => 1)];
  const seen = shareOf((row, col) => isSeenBefore(row, col) && isSeenAfter(row, col));
  const weights = light.map((log, i) => {
    const counts = options.exposure * Math.exp(log);
    // Speckle of kernel s counts as 4πs² pixels of one.
    const perPixel = 0.02 ** 2 * 4 * Math.PI * 0.9 ** 2 + 1 / counts + (4.2 / counts) ** 2;
    return (seen[i] * across * down) / (perPixel * (1 + 1 / references));
  });
  for (let a = 0; a < count; a++) {
    for (let b = 0; b < count; b++) {
      for (let i = 0; i < size; i++) information[a * count + b] += weights[i] * ratio[a][i] * ratio[b][i];
    }
  }
  return { position: alone, step: Math.sqrt(inverse(information, count, count)[unknown]) };
}

/** Covariance of the pattern between blocks. */
function covarianceOf(rows: number, cols: number, { pattern }: PatternedOptions): Float64Array {
  const size = rows * cols;
  const matrix = new Float64Array(size * size);
  for (const [contrast, length] of pattern) {
    const x = correlations(cols, across, length);
    const y = correlations(rows, down, length);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const dx = Math.abs((i % cols) - (j % cols));
        const dy = Math.abs(Math.floor(i / cols) - Math.floor(j / cols));
        matrix[i * size + j] += contrast ** 2 * x[dx] * y[dy];
      }
    }
  }
  for (let i = 0; i < size; i++) matrix[i * size + i] += 1e-5;
  return matrix;
}

/** Mean correlation of the pixels of two blocks so many blocks apart. */
function correlations(count: number, width: number, length: number): number[] {
  return Array.from({ length: count }, (_, apart) => {
    let sum = 0;
    for (let a = 0; a < width; a++) {
      for (let b = 0; b < width; b++) sum += Math.exp(-((apart * width + a - b) ** 2) / (4 * length * length));
    }
    return sum / width ** 2;
  });
}

/** Diagonal of the inverse of the first `used` rows and columns. */
function inverse(matrix: Float64Array, stride: number, used: number): Float64Array {
  const part = Float64Array.from({ length: used * used }, (_, i) => matrix[Math.floor(i / used) * stride + (i % used)]);
  for (let i = 0; i < used; i++) part[i * used + i] *= 1 + 1e-12;
  const factor = cholesky(part, used);
  return Float64Array.from({ length: used }, (_, k) => {
    const half = forward(
      factor,
      used,
      Float64Array.from({ length: used }, (__, i) => Number(i === k)),
    );
    return dot(half, half);
  });
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);

function cholesky(matrix: Float64Array, n: number): Float64Array {
  const factor = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j];
      for (let k = 0; k < j; k++) sum -= factor[i * n + k] * factor[j * n + k];
      factor[i * n + j] = i === j ? Math.sqrt(sum) : sum / factor[j * n + j];
    }
  }
  return factor;
}

function forward(factor: Float64Array, n: number, b: Float64Array): Float64Array {
  const x = b.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= factor[i * n + k] * x[k];
    x[i] /= factor[i * n + i];
  }
  return x;
}
