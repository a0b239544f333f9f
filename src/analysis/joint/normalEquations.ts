import { factor, solve } from './choleskySolve.ts';

/** What the model changes by, block by block: with its height, its position, its width, its asymmetry. */
export interface JointColumns {
  line: Float64Array;
  slope: Float64Array;
  widening: Float64Array;
  skew: Float64Array;
}

/** Waves over the rows at most, the constant included. */
export const mostModes = 4;

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
   * @param modeValues the waves at the group's place, from `at` on
   */
  add(
    first: number,
    count: number,
    columns: JointColumns,
    weights: Float64Array,
    residuals: Float64Array,
    modeValues: Float64Array,
    at: number,
  ): void;
  /** Adds that a parameter is zero, give or take a deviation. */
  restrain(parameter: number, value: number, deviation: number): void;
  /** Solves for the step. False when the blocks don't determine it. */
  solve(): boolean;
  /** After `solve`, a diagonal element of the inverse; `step` is overwritten. */
  inverse(parameter: number): number;
}

export function createNormalEquations(): NormalEquations {
  const most = 3 * mostModes + 2;
  const matrix = new Float64Array(most * most);
  const step = new Float64Array(most);
  const moments = new Float64Array(15);
  const sums = new Float64Array(5);
  let modes = 1;
  let functions = 4;
  let free = 4;

  /** Weighted sums over a group of the products of 1, line, slope, widening and skew, and with the residuals. */
  function sum(
    first: number,
    count: number,
    { line: lines, slope: slopes, widening: widenings }: JointColumns,
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
      const slope = slopes[at];
      const widening = widenings[at];
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
    moments[0] = m00;
    moments[1] = m10;
    moments[2] = m11;
    moments[3] = m20;
    moments[4] = m21;
    moments[5] = m22;
    moments[6] = m30;
    moments[7] = m31;
    moments[8] = m32;
    moments[9] = m33;
    sums[0] = r0;
    sums[1] = r1;
    sums[2] = r2;
    sums[3] = r3;
  }

  function sumSkew(
    first: number,
    count: number,
    { line: lines, slope: slopes, widening: widenings, skew: skews }: JointColumns,
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
      const skew = skews[at];
      const w = weights[at] * skew;
      m40 += w;
      m41 += w * lines[at];
      m42 += w * slopes[at];
      m43 += w * widenings[at];
      m44 += w * skew;
      r4 += w * residuals[at];
    }
    moments[10] = m40;
    moments[11] = m41;
    moments[12] = m42;
    moments[13] = m43;
    moments[14] = m44;
    sums[4] = r4;
  }

  return {
    step,

    clear(modeCount, shared) {
      modes = modeCount;
      functions = 3 + shared;
      free = 3 * modes + shared;
      matrix.fill(0, 0, free * free);
      step.fill(0, 0, free);
    },

    add(first, count, columns, weights, residuals, modeValues, at) {
      sum(first, count, columns, weights, residuals);
      if (functions === 5) sumSkew(first, count, columns, weights, residuals);
      const wide = 3 * modes;
      // Of the functions the first three run over the rows by modes, the others are shared.
      for (let f = 0, m = 0; f < functions; f++) {
        for (let g = 0; g <= f; g++, m++) {
          const moment = moments[m];
          if (f < 3) {
            for (let k = 0; k < modes; k++) {
              const scaled = moment * modeValues[at + k];
              const line = (f * modes + k) * free + g * modes;
              for (let l = 0; l < modes; l++) matrix[line + l] += scaled * modeValues[at + l];
            }
          } else {
            const line = (wide + f - 3) * free;
            if (g < 3) for (let k = 0; k < modes; k++) matrix[line + g * modes + k] += moment * modeValues[at + k];
            else matrix[line + wide + g - 3] += moment;
          }
        }
        if (f < 3) for (let k = 0; k < modes; k++) step[f * modes + k] += sums[f] * modeValues[at + k];
        else step[wide + f - 3] += sums[f];
      }
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
