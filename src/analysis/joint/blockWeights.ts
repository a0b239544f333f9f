import type { RowBlocks } from './rowBlocks.ts';

/** Where a block is left out altogether, standard deviations (Tukey's biweight). */
const rejectAt = 6;
/**
 * A block that is off by more than the first, in standard deviations, beside one that is off the same way by more than the
 * second, belongs to something that lies on the ROI: dust. Its neighbours, which may be covered in part, are left out too.
 * Noise alone seldom does so; it then costs a ROI nine of its 500 blocks.
 */
const dustyFrom = 3.5;
const dustyBeside = 2;

/** What each block counts for in a fit; owns its buffers, which the next `weigh` overwrites. */
export interface BlockWeights {
  /** Robust weight over variance. */
  readonly weights: Float64Array;
  /** Residuals in standard deviations. */
  readonly deviations: Float64Array;
  /** Tukey's weight, 0 to 1. */
  readonly trust: Float64Array;
  /** Begins with blocks none of which is dusty. */
  prepare(count: number): void;
  /**
   * @param terms of the variance by height, see `BlockNoise`
   * @param looksForDust otherwise what was found before counts, so that the search can come to rest
   */
  weigh(
    blocks: RowBlocks,
    residuals: Float64Array,
    heights: Float64Array,
    terms: Float64Array,
    looksForDust: boolean,
  ): void;
  /**
   * `misfit`: squared residuals in variances, those of what lies on the ROI cut off (twice Tukey's ρ), summed over all
   * blocks. `usedShare`: the part of the blocks that the fit rests on.
   */
  agreement(blocks: RowBlocks): { misfit: number; usedShare: number };
}

export function createBlockWeights(): BlockWeights {
  let weights = new Float64Array(0);
  let deviations = new Float64Array(0);
  let trust = new Float64Array(0);
  let dusty = new Uint8Array(0);

  function findDust(groups: number, bins: number): void {
    dusty.fill(0, 0, groups * bins);
    for (let at = 0; at < groups * bins; at++) {
      if (Math.abs(deviations[at]) < dustyFrom) continue;
      const sign = Math.sign(deviations[at]);
      const group = Math.floor(at / bins);
      const bin = at - group * bins;
      const top = Math.max(0, group - 1);
      const bottom = Math.min(groups - 1, group + 1);
      const left = Math.max(0, bin - 1);
      const right = Math.min(bins - 1, bin + 1);
      let beside = 0;
      for (let g = top; g <= bottom; g++) {
        for (let b = left; b <= right; b++) if (sign * deviations[g * bins + b] > dustyBeside) beside++;
      }
      // The block itself is one of them.
      if (beside < 2) continue;
      for (let g = top; g <= bottom; g++) dusty.fill(1, g * bins + left, g * bins + right + 1);
    }
  }

  return {
    get weights() {
      return weights;
    },
    get deviations() {
      return deviations;
    },
    get trust() {
      return trust;
    },

    prepare(count) {
      if (weights.length < count) {
        weights = new Float64Array(count);
        deviations = new Float64Array(count);
        trust = new Float64Array(count);
        dusty = new Uint8Array(count);
      }
      dusty.fill(0, 0, count);
    },

    weigh({ groups, bins, pixels }, residuals, heights, [p0, p1, p2], looksForDust) {
      const count = groups * bins;
      // Own names, so that the compiler knows that they stay what they are.
      const w = weights;
      const z = deviations;
      const t = trust;
      for (let at = 0; at < count; at++) {
        const h = heights[at];
        w[at] = pixels[at] / (p0 + h * (p1 + h * p2));
        z[at] = residuals[at] * Math.sqrt(w[at]);
      }
      if (looksForDust) findDust(groups, bins);
      for (let at = 0; at < count; at++) {
        const part = 1 - (z[at] * z[at]) / (rejectAt * rejectAt);
        const isUsed = part > 0 && dusty[at] === 0 && pixels[at] > 0;
        t[at] = isUsed ? part * part : 0;
        w[at] *= t[at];
      }
    },

    agreement({ groups, bins, pixels }) {
      let misfit = 0;
      let used = 0;
      let there = 0;
      for (let at = 0; at < groups * bins; at++) {
        if (pixels[at] === 0) continue;
        const part = Math.max(0, 1 - (deviations[at] * deviations[at]) / (rejectAt * rejectAt));
        misfit += ((rejectAt * rejectAt) / 3) * (1 - part * part * part);
        used += trust[at];
        there++;
      }
      return { misfit, usedShare: used / there };
    },
  };
}
