import { factor, solve } from './choleskySolve.ts';
import type { KernelValues } from './lineKernel.ts';

/** Waves over the rows at most, the constant included. */
export const maxModes = 4;
/** Products of two waves. */
const maxPairs = (maxModes * (maxModes + 1)) / 2;

/**
 * The normal equations of the joint fit's linearised model. Parameters in order: base, height and position, each by modes,
 * then width, then asymmetry where there is one. Owns its buffers.
 */
export interface NormalEquations {
  /** Right-hand side, after `solve` the step. */
  readonly step: Float64Array;
  /** Begins anew, with `modes` waves and one or two parameters that all rows share. */
  clear(modes: number, shared: 1 | 2): void;
  /**
   * Adds the blocks `first … first + count` of one group of rows.
   *
   * @param height of the line in this group, which position, width and asymmetry change the model in proportion to
   * @param modeValues the waves at the group's place, from `at` on
   */
  add(
    first: number,
    count: number,
    values: KernelValues,
    height: number,
    weights: Float64Array,
    residuals: Float64Array,
    modeValues: Float64Array,
    at: number,
  ): void;
  /** Adds that a parameter is zero, give or take a deviation; when all groups have been added. */
  restrain(parameter: number, value: number, deviation: number): void;
  /** Ends the adding of groups. */
  assemble(): void;
  /** Solves for the step. False when the blocks don't determine it. */
  solve(): boolean;
  /** After `solve`, a diagonal element of the inverse; `step` is overwritten. */
  inverse(parameter: number): number;
}

export function createNormalEquations(): NormalEquations {
  const most = 3 * maxModes + 2;
  const matrix = new Float64Array(most * most);
  const step = new Float64Array(most);
  /** Of one group: products of 1, line, slope, widening and skew, and of these with the residuals. */
  const moments = new Float64Array(15);
  const sums = new Float64Array(5);
  /**
   * Over the groups: moments of the functions that run over the rows, times each product of two waves; moments of a shared
   * one with those, times each wave; moments of shared ones.
   */
  const waved = new Float64Array(6 * maxPairs);
  const mixed = new Float64Array(6 * maxModes);
  const plain = new Float64Array(3);
  const pairs = new Float64Array(maxPairs);
  let modes = 1;
  let shared: 1 | 2 = 1;
  let free = 4;

  function sum(
    first: number,
    count: number,
    { line: lines, byPosition, byWidth }: KernelValues,
    height: number,
    weights: Float64Array,
    residuals: Float64Array,
  ): void {
    let m00 = 0;
    let m10 = 0;
    let m11 = 0;
    let m20 = 0;
    let m21 = 0;
    let m22 = 0;
    let m30 = 0;
    let m31 = 0;
    let m32 = 0;
    let m33 = 0;
    let r0 = 0;
    let r1 = 0;
    let r2 = 0;
    let r3 = 0;
    for (let at = first; at < first + count; at++) {
      const w = weights[at];
      const residual = w * residuals[at];
      const line = lines[at];
      const slope = byPosition[at];
      const widening = byWidth[at];
      const wl = w * line;
      const ws = w * slope;
      const ww = w * widening;
      m00 += w;
      m10 += wl;
      m11 += wl * line;
      m20 += ws;
      m21 += ws * line;
      m22 += ws * slope;
      m30 += ww;
      m31 += ww * line;
      m32 += ww * slope;
      m33 += ww * widening;
      r0 += residual;
      r1 += residual * line;
      r2 += residual * slope;
      r3 += residual * widening;
    }
    const square = height * height;
    moments[0] = m00;
    moments[1] = m10;
    moments[2] = m11;
    moments[3] = height * m20;
    moments[4] = height * m21;
    moments[5] = square * m22;
    moments[6] = height * m30;
    moments[7] = height * m31;
    moments[8] = square * m32;
    moments[9] = square * m33;
    sums[0] = r0;
    sums[1] = r1;
    sums[2] = height * r2;
    sums[3] = height * r3;
  }

  function sumSkew(
    first: number,
    count: number,
    { line: lines, byPosition, byWidth, byAsymmetry }: KernelValues,
    height: number,
    weights: Float64Array,
    residuals: Float64Array,
  ): void {
    let m40 = 0;
    let m41 = 0;
    let m42 = 0;
    let m43 = 0;
    let m44 = 0;
    let r4 = 0;
    for (let at = first; at < first + count; at++) {
      const skew = byAsymmetry[at];
      const w = weights[at] * skew;
      m40 += w;
      m41 += w * lines[at];
      m42 += w * byPosition[at];
      m43 += w * byWidth[at];
      m44 += w * skew;
      r4 += w * residuals[at];
    }
    const square = height * height;
    moments[10] = height * m40;
    moments[11] = height * m41;
    moments[12] = square * m42;
    moments[13] = square * m43;
    moments[14] = square * m44;
    sums[4] = height * r4;
  }

  return {
    step,

    clear(modeCount, sharedCount) {
      modes = modeCount;
      shared = sharedCount;
      free = 3 * modes + shared;
      step.fill(0);
      waved.fill(0);
      mixed.fill(0);
      plain.fill(0);
    },

    add(first, count, values, height, weights, residuals, modeValues, at) {
      sum(first, count, values, height, weights, residuals);
      if (shared === 2) sumSkew(first, count, values, height, weights, residuals);
      let used = 0;
      for (let k = 0; k < modes; k++) {
        for (let l = 0; l <= k; l++) pairs[used++] = modeValues[at + k] * modeValues[at + l];
      }
      for (let m = 0; m < 6; m++) {
        const moment = moments[m];
        for (let pair = 0; pair < used; pair++) waved[m * maxPairs + pair] += moment * pairs[pair];
      }
      for (let k = 0; k < modes; k++) {
        const value = modeValues[at + k];
        for (let f = 0; f < 3; f++) {
          step[f * modes + k] += sums[f] * value;
          mixed[f * maxModes + k] += moments[6 + f] * value;
          if (shared === 2) mixed[(3 + f) * maxModes + k] += moments[10 + f] * value;
        }
      }
      plain[0] += moments[9];
      step[3 * modes] += sums[3];
      if (shared === 1) return;
      plain[1] += moments[13];
      plain[2] += moments[14];
      step[3 * modes + 1] += sums[4];
    },

    assemble() {
      // The lower triangle is all that the solver reads.
      for (let f = 0, m = 0; f < 3; f++) {
        for (let g = 0; g <= f; g++, m++) {
          for (let k = 0, pair = m * maxPairs; k < modes; k++) {
            for (let l = 0; l <= k; l++, pair++) {
              matrix[(f * modes + k) * free + g * modes + l] = waved[pair];
              matrix[(f * modes + l) * free + g * modes + k] = waved[pair];
            }
          }
        }
      }
      const wide = 3 * modes;
      for (let s = 0; s < shared; s++) {
        for (let f = 0; f < 3; f++) {
          for (let k = 0; k < modes; k++) matrix[(wide + s) * free + f * modes + k] = mixed[(3 * s + f) * maxModes + k];
        }
      }
      matrix[wide * free + wide] = plain[0];
      if (shared === 1) return;
      matrix[(wide + 1) * free + wide] = plain[1];
      matrix[(wide + 1) * free + wide + 1] = plain[2];
    },

    restrain(parameter, value, deviation) {
      const precision = 1 / (deviation * deviation);
      matrix[parameter * free + parameter] += precision;
      step[parameter] -= precision * value;
    },

    solve() {
      if (!factor(matrix, free)) return false;
      solve(matrix, free, step);
      return true;
    },

    inverse(parameter) {
      step.fill(0, 0, free);
      step[parameter] = 1;
      solve(matrix, free, step);
      return step[parameter];
    },
  };
}
