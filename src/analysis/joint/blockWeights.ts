import type { RowBlocks } from './rowBlocks.ts';

/** Where a block is left out altogether, standard deviations (Tukey's biweight). */
const rejectAt = 6;
const share = 1 / (rejectAt * rejectAt);
/**
 * A block that is off by more than the first, in standard deviations, beside one that is off the same way by more than the
 * second, belongs to something that lies on the ROI: dust. Its neighbours, which may be covered in part, are left out too.
 * Noise alone seldom does so; it then costs a ROI nine of its 500 blocks.
 */
const dustyFrom = 3.5;
const dustyBeside = 2;

/** What each block counts for in a fit; owns its buffers, which the next call overwrites. */
export interface BlockWeights {
  /** Robust weight over variance. */
  readonly weights: Float64Array;
  /** Residuals in standard deviations, after `judge`. */
  readonly deviations: Float64Array;
  /** Tukey's weight, 0 to 1, after `judge`. */
  readonly trust: Float64Array;
  /** Begins with blocks none of which is dusty. */
  prepare(blocks: RowBlocks): void;
  /** Looks for dust; what is found counts for every `weigh` until the next search. */
  findDust(blocks: RowBlocks, fitted: FittedModel): void;
  weigh(blocks: RowBlocks, fitted: FittedModel): void;
  /**
   * `misfit`: squared residuals in variances, those of what lies on the ROI cut off (twice Tukey's ρ), summed over all
   * blocks. `usedShare`: the part of the blocks that the fit rests on.
   */
  judge(blocks: RowBlocks, fitted: FittedModel): { misfit: number; usedShare: number };
}

/** A model of the blocks. */
export interface FittedModel {
  residuals: Float64Array;
  model: Float64Array;
  /** Lowest value of the model. */
  lowest: number;
  /** Of the variance by height above it, see `BlockNoise`. */
  terms: Float64Array;
}

export function createBlockWeights(): BlockWeights {
  let weights = new Float64Array(0);
  let deviations = new Float64Array(0);
  let trust = new Float64Array(0);
  /** Pixels of the blocks without dust. */
  let clean = new Float64Array(0);

  function normalise({ groups, bins, pixels }: RowBlocks, { residuals, model, lowest, terms }: FittedModel): void {
    const p0 = terms[0];
    const p1 = terms[1];
    const p2 = terms[2];
    const z = deviations;
    for (let at = 0; at < groups * bins; at++) {
      const h = model[at] - lowest;
      z[at] = residuals[at] * Math.sqrt(pixels[at] / (p0 + h * (p1 + h * p2)));
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

    prepare({ groups, bins, pixels }) {
      const count = groups * bins;
      if (weights.length < count) {
        weights = new Float64Array(count);
        deviations = new Float64Array(count);
        trust = new Float64Array(count);
        clean = new Float64Array(count);
      }
      for (let at = 0; at < count; at++) clean[at] = pixels[at];
    },

    findDust(blocks, fitted) {
      normalise(blocks, fitted);
      const { groups, bins, pixels } = blocks;
      const z = deviations;
      const left = clean;
      for (let at = 0; at < groups * bins; at++) left[at] = pixels[at];
      for (let at = 0; at < groups * bins; at++) {
        if (Math.abs(z[at]) < dustyFrom) continue;
        const sign = Math.sign(z[at]);
        const group = Math.floor(at / bins);
        const bin = at - group * bins;
        const top = Math.max(0, group - 1);
        const bottom = Math.min(groups - 1, group + 1);
        const from = Math.max(0, bin - 1);
        const to = Math.min(bins - 1, bin + 1);
        let beside = 0;
        for (let g = top; g <= bottom; g++) {
          for (let b = from; b <= to; b++) if (sign * z[g * bins + b] > dustyBeside) beside++;
        }
        // The block itself is one of them.
        if (beside < 2) continue;
        for (let g = top; g <= bottom; g++) left.fill(0, g * bins + from, g * bins + to + 1);
      }
    },

    weigh({ groups, bins }, { residuals, model, lowest, terms }) {
      const p0 = terms[0];
      const p1 = terms[1];
      const p2 = terms[2];
      // Own names, so that the compiler knows that they stay what they are.
      const w = weights;
      const counted = clean;
      for (let at = 0; at < groups * bins; at++) {
        const h = model[at] - lowest;
        const precision = counted[at] / (p0 + h * (p1 + h * p2));
        const part = Math.max(0, 1 - residuals[at] * residuals[at] * precision * share);
        w[at] = precision * part * part;
      }
    },

    judge(blocks, fitted) {
      normalise(blocks, fitted);
      const { groups, bins, pixels } = blocks;
      const z = deviations;
      const t = trust;
      let misfit = 0;
      let used = 0;
      let there = 0;
      for (let at = 0; at < groups * bins; at++) {
        const part = Math.max(0, 1 - z[at] * z[at] * share);
        t[at] = clean[at] > 0 ? part * part : 0;
        used += t[at];
        if (pixels[at] === 0) continue;
        misfit += ((rejectAt * rejectAt) / 3) * (1 - part * part * part);
        there++;
      }
      return { misfit, usedShare: used / there };
    },
  };
}
