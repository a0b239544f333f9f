import { lineShapeAt, type Resonance } from '../../src/streams/cameras/simulated/resonance.ts';
import type { SimulatorOptions } from '../../src/streams/cameras/simulated/simulatorOptions.ts';

/**
 * The least standard deviation that any unbiased estimate of a line's mean position over the rows of a ROI can have
 * (Cramér–Rao), with the shape's other parameters unknown but the same in all rows.
 *
 * The noise of light L is contrast·L·n + read·w, n normal with correlation exp(−d²/(4·s²)) (what a Gaussian kernel of
 * width s makes of white noise), w white: C = c²·K_y ⊗ (D·K_x·D) + r²·1 with D = diag(L), the rows' mean light standing for
 * each. In the eigenvectors of K_y it falls into one block an eigenvalue λ, c²·λ·D·K_x·D + r²·1, and the information of
 * parameters that all rows share is Σ (1·e)²·Jᵀ·C_λ⁻¹·J.
 */
export function cramerRaoBound(resonance: Resonance, options: SimulatorOptions): number {
  const { roiRows: rows, roiColumns: cols, background, speckleContrast, speckleSigma, readNoise, exposure } = options;
  const fano = options.lineShape === 'fano';
  const value = (x: number, p: readonly number[]): number =>
    exposure * (p[2] + p[3] * lineShapeAt(x - p[0], { ...resonance, width: p[1], q: p[4] ?? 0 }, options.lineShape));
  const at = [resonance.rest, resonance.width, background, resonance.amplitude, ...(fano ? [resonance.q] : [])];
  const light = Float64Array.from({ length: cols }, (_, x) => value(x, at));
  const jacobian = at.map((p, k) => {
    const h = 1e-4 * Math.abs(p);
    const up = at.with(k, p + h);
    const down = at.with(k, p - h);
    return Float64Array.from({ length: cols }, (_, x) => (value(x, up) - value(x, down)) / (2 * h));
  });
  const size = at.length;
  const information = new Float64Array(size * size);
  for (const { value: lambda, weight } of sharedSpectrum(rows, speckleSigma)) {
    if (weight < 1e-5 * rows) continue;
    const covariance = new Float64Array(cols * cols);
    for (let i = 0; i < cols; i++) {
      for (let j = 0; j < cols; j++) {
        const correlation = Math.exp(-((i - j) ** 2) / (4 * speckleSigma ** 2));
        covariance[i * cols + j] = speckleContrast ** 2 * Math.max(0, lambda) * light[i] * light[j] * correlation;
      }
      covariance[i * cols + i] += readNoise ** 2;
    }
    const factor = cholesky(covariance, cols);
    const white = jacobian.map(column => forward(factor, cols, column));
    for (let a = 0; a < size; a++)
      for (let b = 0; b < size; b++) information[a * size + b] += weight * dot(white[a], white[b]);
  }
  const factor = cholesky(information, size);
  const unit = new Float64Array(size);
  unit[0] = 1;
  const half = forward(factor, size, unit);
  return Math.sqrt(dot(half, half));
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

const spectra = new Map<string, { value: number; weight: number }[]>();

/** Eigenvalues of the rows' correlation, and the squared sums of the eigenvectors (Jacobi rotations). */
function sharedSpectrum(n: number, sigma: number): { value: number; weight: number }[] {
  const key = `${n} ${sigma}`;
  const known = spectra.get(key);
  if (known) return known;
  const a = Array.from({ length: n }, (_, i) =>
    Float64Array.from({ length: n }, (__, j) => Math.exp(-((i - j) ** 2) / (4 * sigma ** 2))),
  );
  const v = Array.from({ length: n }, (_, i) => Float64Array.from({ length: n }, (__, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 12; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(a[p][q]) < 1e-15) continue;
        const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < n; k++) {
          const x = a[k][p];
          const y = a[k][q];
          a[k][p] = c * x - s * y;
          a[k][q] = s * x + c * y;
        }
        for (let k = 0; k < n; k++) {
          const x = a[p][k];
          const y = a[q][k];
          a[p][k] = c * x - s * y;
          a[q][k] = s * x + c * y;
          const z = v[k][p];
          const w = v[k][q];
          v[k][p] = c * z - s * w;
          v[k][q] = s * z + c * w;
        }
      }
    }
  }
  const result = a.map((row, i) => ({ value: row[i], weight: v.reduce((sum, line) => sum + line[i], 0) ** 2 }));
  spectra.set(key, result);
  return result;
}
