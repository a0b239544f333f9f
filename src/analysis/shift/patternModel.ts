import { factor } from '../joint/choleskySolve.ts';
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
  /**
   * @param residuals of the logarithm, about a fit by least squares; 0 where a block is not used
   * @param project takes out of a vector over the blocks what the fit has taken out of the residuals, in place
   */
  add(residuals: Float64Array, project: (vector: Float64Array) => void): void;
  /** The variances that make what was seen most likely (Whittle, Ark. Mat. 2, 423 (1953): the waves are taken as independent). */
  estimate(): PatternModel;
}

export function measurePattern(layout: BlockLayout, covariance: BlockCovariance): PatternMeasurement {
  const { count, groups } = layout;
  const size = count * groups;
  const energies: number[] = [];
  /** For each energy what it is for each length at a variance of 1. */
  const expected: Float64Array[] = [];
  const wave = new Float64Array(size);
  const half = new Float64Array(size);
  /** So many bins apart a length still correlates. */
  const reaches = covariance.alongBins.map(bins =>
    bins.subarray(0, count).findLastIndex(value => value > uncorrelated),
  );
  return {
    add(residuals, project) {
      for (const m of wavesAcross.filter(wave => wave < groups)) {
        for (const n of wavesAlong.filter(wave => wave < count)) {
          for (let group = 0; group < groups; group++) {
            const across = Math.cos((Math.PI * m * (group + 0.5)) / groups);
            for (let bin = 0; bin < count; bin++) {
              wave[group * count + bin] = across * Math.cos((Math.PI * n * (bin + 0.5)) / count);
            }
          }
          project(wave);
          const norm = dot(wave, wave);
          // Waves of the line itself: nothing of them is left.
          if (norm < 0.05 * size * (m === 0 ? 1 : 0.5) * (n === 0 ? 1 : 0.5)) continue;
          energies.push(dot(wave, residuals) ** 2 / norm);
          expected.push(Float64Array.from(patternLengths, (_, k) => quadratic(k) / norm));
        }
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

  /** wave′·K·wave of a length. What lies too far apart to correlate is passed over. */
  function quadratic(k: number): number {
    const bins = covariance.alongBins[k];
    const across = covariance.alongGroups[k];
    const reach = reaches[k];
    half.fill(0);
    for (let group = 0; group < groups; group++) {
      for (let other = 0; other <= group; other++) {
        const value = across[group * groups + other] * (other < group ? 2 : 1);
        if (value < uncorrelated) continue;
        for (let bin = 0; bin < count; bin++) half[group * count + bin] += value * wave[other * count + bin];
      }
    }
    let sum = 0;
    for (let group = 0; group < groups; group++) {
      const first = group * count;
      for (let apart = 0; apart <= reach; apart++) {
        let products = 0;
        for (let bin = first; bin < first + count - apart; bin++)
          products += wave[bin] * half[bin + apart] + wave[bin + apart] * half[bin];
        sum += (apart > 0 ? bins[apart] : bins[0] / 2) * products;
      }
    }
    return sum;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
