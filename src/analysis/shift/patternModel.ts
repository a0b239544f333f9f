import { factor } from '../joint/choleskySolve.ts';
import type { TakenDirections } from './referenceFit.ts';
import type { BlockLayout } from './shiftBlocks.ts';

/**
 * The static pattern under the lines: what multiplies the light the same way in every frame. Its logarithm is a field of
 * constant variance, a sum of Gaussian fields of several lengths: s pixels correlate as exp(−d²/4s²).
 */
export interface PatternModel {
  /** Pixels, ascending; 0 is white. */
  lengths: readonly number[];
  /** Variance of each length, of the light's logarithm. */
  variances: Float64Array;
}

/** Lengths that a pattern is told apart by, pixels. */
export const patternLengths: readonly number[] = [0, 1, 1.5, 2.2, 3.3, 5, 7.5, 11, 17, 25];

/** Covariances of a layout's blocks for each length and a variance of 1: that of two blocks is the product of those of their bins and groups. */
export interface BlockCovariance {
  readonly alongBins: readonly Float64Array[];
  readonly alongGroups: readonly Float64Array[];
}

export function blockCovariance({ count, width, groups, rows }: BlockLayout): BlockCovariance {
  const rowsOfGroup = Math.max(1, Math.round(rows / groups));
  return {
    alongBins: patternLengths.map(length => meanCorrelation(count, width, length)),
    alongGroups: patternLengths.map(length => meanCorrelation(groups, rowsOfGroup, length)),
  };
}

/** Mean correlation between the pixels of two bins of `width` pixels, of all pairs of `count` bins. */
function meanCorrelation(count: number, width: number, length: number): Float64Array {
  const byDistance = Float64Array.from({ length: count }, (_, distance) => {
    let sum = 0;
    for (let d = 1 - width; d < width; d++) {
      const apart = distance * width + d;
      const share = (width - Math.abs(d)) / (width * width);
      sum += share * (length === 0 ? Number(apart === 0) : Math.exp(-(apart * apart) / (4 * length * length)));
    }
    return sum;
  });
  return Float64Array.from(
    { length: count * count },
    (_, i) => byDistance[Math.abs(Math.floor(i / count) - (i % count))],
  );
}

/**
 * Factor of the pattern's covariance between blocks (Cholesky).
 *
 * @param blocks those that are used
 * @param added variance of each of them that is its own
 * @returns null when it is singular
 */
export function factorPattern(
  { variances }: PatternModel,
  { alongBins, alongGroups }: BlockCovariance,
  { count, groups }: BlockLayout,
  blocks: Int32Array,
  added?: Float64Array,
): Float64Array | null {
  const size = blocks.length;
  // Blocks correlate by how many groups and bins they lie apart.
  const covariances = Float64Array.from({ length: groups * count }, (_, apart) =>
    variances.reduce(
      (sum, variance, k) => sum + variance * alongGroups[k][Math.floor(apart / count)] * alongBins[k][apart % count],
      0,
    ),
  );
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const groupI = Math.floor(blocks[i] / count);
    const binI = blocks[i] - groupI * count;
    for (let j = 0; j <= i; j++) {
      const groupJ = Math.floor(blocks[j] / count);
      const apart = Math.abs(binI - blocks[j] + groupJ * count);
      matrix[i * size + j] = covariances[Math.abs(groupI - groupJ) * count + apart];
    }
    matrix[i * size + i] *= 1 + roundingReserve;
    if (added) matrix[i * size + i] += added[i];
  }
  return factor(matrix, size) ? matrix : null;
}

/** Long lengths alone make a matrix that is singular to within rounding. */
const roundingReserve = 1e-6;

/** Waves over the bins and groups that a pattern is measured in. */
const wavesAlong = [0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 28, 35, 43];
const wavesAcross = [0, 1, 2, 3, 5, 8];
const rounds = 300;
/** A correlation below it is none. */
const uncorrelated = 1e-9;

/** Collects what ROIs of one layout show of the pattern that all share. */
export interface PatternMeasurement {
  /** @param residuals of the logarithm, about a fit by least squares; 0 where a block is not used */
  add(residuals: Float64Array, taken: TakenDirections): void;
  /** The variances that make what was seen most likely (Whittle, Ark. Mat. 2, 423 (1953): the waves are taken as independent). */
  estimate(): PatternModel;
}

export function measurePattern(layout: BlockLayout, covariance: BlockCovariance): PatternMeasurement {
  const { count, groups } = layout;
  const size = count * groups;
  const energies: number[] = [];
  /** For each energy what it is for each length at a variance of 1. */
  const expected: Float64Array[] = [];
  const spare = new Float64Array(size);
  const half = new Float64Array(size);
  /** So many bins apart a length still correlates. */
  const reaches = covariance.alongBins.map(bins =>
    bins.subarray(0, count).findLastIndex(value => value > uncorrelated),
  );
  const waves = wavesAcross
    .filter(wave => wave < groups)
    .flatMap(m => wavesAlong.filter(wave => wave < count).map(n => cosineWave(m, n)));
  return {
    add(residuals, { blocks, columns, solve }) {
      const unknowns = columns.length;
      const isWhole = blocks.length === size;
      // K·J and J′·K·J of each length: a wave w less the directions that are taken, w − J·c, has w′Kw − 2·c′·J′Kw + c′·J′KJ·c.
      const correlated = patternLengths.map((_, k) =>
        columns.map(column => correlate(k, column, new Float64Array(size))),
      );
      const products = correlated.map(of =>
        Float64Array.from(columns.flatMap(column => of.map(other => dot(column, other)))),
      );
      const left = Float64Array.from(columns, column => dot(column, residuals));
      const part = new Float64Array(unknowns);
      for (const whole of waves) {
        const wave = isWhole ? whole.values : masked(whole.values, blocks);
        for (let p = 0; p < unknowns; p++) part[p] = dot(columns[p], wave);
        const along = part.slice();
        solve(part);
        const norm = dot(wave, wave) - dot(part, along);
        // Waves of the line itself: nothing of them is left.
        if (norm < 0.05 * size * whole.share) continue;
        const energy = dot(wave, residuals) - dot(part, left);
        energies.push(energy ** 2 / norm);
        expected.push(
          Float64Array.from(patternLengths, (_, k) => {
            let sum = isWhole ? whole.energies[k] : dot(wave, correlate(k, wave, spare));
            for (let p = 0; p < unknowns; p++) {
              let row = -2 * dot(correlated[k][p], wave);
              for (let q = 0; q < unknowns; q++) row += products[k][p * unknowns + q] * part[q];
              sum += part[p] * row;
            }
            return sum / norm;
          }),
        );
      }
    },
    estimate() {
      const total = energies.reduce((sum, energy) => sum + energy, 0);
      const lengths = patternLengths;
      const sums = lengths.map((_, k) => expected.reduce((sum, each) => sum + each[k], 0));
      const variances = Float64Array.from(sums, sum => (sum > 0 ? total / sum / lengths.length : 0));
      // Multiplicative steps on the Itakura–Saito divergence (Févotte et al., Neural Computation 21, 793 (2009)): they stay positive.
      for (let round = 0; round < rounds; round++) {
        const up = new Float64Array(lengths.length);
        const down = new Float64Array(lengths.length);
        for (let i = 0; i < energies.length; i++) {
          const each = expected[i];
          const model = dot(each, variances) || Number.MIN_VALUE;
          for (let k = 0; k < lengths.length; k++) {
            up[k] += (each[k] * energies[i]) / (model * model);
            down[k] += each[k] / model;
          }
        }
        for (let k = 0; k < lengths.length; k++) if (down[k] > 0) variances[k] *= up[k] / down[k];
      }
      return { lengths, variances };
    },
  };

  /** A wave over the blocks, m half waves across and n along; with its energy for each length at a variance of 1. */
  function cosineWave(m: number, n: number): { values: Float64Array; share: number; energies: readonly number[] } {
    const values = Float64Array.from(
      { length: size },
      (_, at) =>
        Math.cos((Math.PI * m * (Math.floor(at / count) + 0.5)) / groups) *
        Math.cos((Math.PI * n * ((at % count) + 0.5)) / count),
    );
    const share = (m === 0 ? 1 : 0.5) * (n === 0 ? 1 : 0.5);
    return { values, share, energies: patternLengths.map((_, k) => dot(values, correlate(k, values, spare))) };
  }

  /** K·vector of a length, into `out`. What lies too far apart to correlate is passed over. */
  function correlate(k: number, vector: Float64Array, out: Float64Array): Float64Array {
    const bins = covariance.alongBins[k];
    const across = covariance.alongGroups[k];
    const reach = reaches[k];
    half.fill(0);
    out.fill(0);
    for (let group = 0; group < groups; group++) {
      for (let other = 0; other < groups; other++) {
        const value = across[group * groups + other];
        if (value < uncorrelated) continue;
        for (let bin = 0; bin < count; bin++) half[group * count + bin] += value * vector[other * count + bin];
      }
    }
    for (let group = 0; group < groups; group++) {
      const first = group * count;
      for (let bin = first; bin < first + count; bin++) out[bin] += bins[0] * half[bin];
      for (let apart = 1; apart <= reach; apart++) {
        const value = bins[apart];
        for (let bin = first; bin < first + count - apart; bin++) {
          out[bin] += value * half[bin + apart];
          out[bin + apart] += value * half[bin];
        }
      }
    }
    return out;
  }
}

/** 0 but for the blocks that are used. */
function masked(wave: Float64Array, blocks: Int32Array): Float64Array {
  const out = new Float64Array(wave.length);
  for (const at of blocks) out[at] = wave[at];
  return out;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
