import { factor, solve } from '../joint/choleskySolve.ts';
import { correlatedNoise } from '../joint/correlatedNoise.ts';
import type { LineKernel } from '../joint/lineKernel.ts';
import { solveNotNegative } from '../joint/solveNotNegative.ts';
import { nthSmallest } from '../nthSmallest.ts';
import {
  columnOf,
  createLogLine,
  factorOf,
  lineColumns,
  parametersOf,
  positionAt,
  slantAt,
  widthAt,
} from './logLine.ts';
import type { ReferenceLine } from './referenceFit.ts';
import type { BlockLayout } from './shiftBlocks.ts';

/** What a ROI of the reference is for the frames that come after it. */
export interface RoiReference extends ReferenceLine {
  layout: BlockLayout;
  /** Logarithm of the mean light of each block, less the dark level; NaN where it can't be used. */
  logs: Float32Array;
  /** What a movement of the chip by one pixel to the right, and downwards, adds to it. */
  byX: Float64Array;
  byY: Float64Array;
}

export interface FoundShift {
  /** Of the mean position over the rows since the reference, and its standard error, pixels. */
  shift: number;
  shiftError: number;
  /** Over that of the reference. */
  light: number;
  /** Median deviation of a pixel's logarithm from the fit, times what makes it a standard deviation. */
  noise: number;
  /** The part of the blocks that the fit rests on. */
  usedShare: number;
}

export interface ShiftFit {
  /**
   * Fits frame over reference, in the logarithm, in which the static pattern cancels; and with it the line's own shape, as far as the
   * reference leaves it open.
   *
   * @param logs of the frame's light, less the dark level, in the reference's blocks; NaN where a block can't be used
   * @param start of the shift, pixels
   * @returns null when the search leads nowhere, or when too little of the ROI can be used
   */
  find(of: RoiReference, logs: Float64Array, start: number): FoundShift | null;
  /** Of each block, after `find` has found a shift: what the fit leaves of the logarithm, and how far the block counts (0: left out). Overwritten by the next `find`. */
  readonly residuals: Float64Array;
  readonly trust: Float64Array;
}

/** Rounds of the search, and those in which the noise is measured again. */
const maxSteps = 25;
const noiseSteps = 1;
/** The search ends at a shorter step, widths. */
const tolerance = 2e-3;
/** The chip moves by so much between two frames, pixels: a standard deviation. */
const expectedMovement = 0.5;
/** Of the magnitude of a standard normal deviate. */
export const medianOfNormal = 0.6745;
/** Tukey's biweight: where a block is left out, standard deviations. */
const rejectAt = 6;
/** Unknowns beside the line's own: the shift, the light, the chip's movement to the right and down. */
const added = 4;

export function createShiftFit(kernel: LineKernel): ShiftFit {
  const reference = createLogLine(kernel);
  const moved = createLogLine(kernel);
  const own = parametersOf(kernel);
  const size = own + added;
  const shiftAt = own;
  const lightAt = own + 1;
  const xAt = own + 2;
  const yAt = own + 3;
  /** Columns: differences of the line's five, the place of the moved line, 1, movement by x, by y, residual. */
  const width = 10;
  const columnIndex = Int32Array.from({ length: size }, (_, p) => (p < own ? columnOf(p) : 5 + p - own));
  const columns: Float64Array[] = [];
  const sums = new Float64Array(width * (width + 1));
  const matrix = new Float64Array(size * size);
  const information = new Float64Array(size * size);
  const step = new Float64Array(size);
  const parameters = new Float64Array(size);
  const factors = new Float64Array(size);
  const terms = new Float64Array(3);
  let weights = new Float64Array(0);
  let residuals = new Float64Array(0);
  let deviations = new Float64Array(0);
  let trust = new Float64Array(0);
  let sorted = new Float64Array(0);
  /** One over the light of each block in the reference. */
  let inverse = new Float64Array(0);
  let differences: Float64Array[] = [];
  let ones = new Float64Array(0);
  let weighted = new Float64Array(0);

  function model(of: RoiReference, logs: Float64Array): void {
    const line = parameters.subarray(0, own);
    reference.fill(of.layout, line, of.sign, 0);
    moved.fill(of.layout, line, of.sign, parameters[shiftAt]);
    const light = parameters[lightAt];
    const right = parameters[xAt];
    const down = parameters[yAt];
    const { logs: before, byX, byY } = of;
    const from = reference.light;
    const to = moved.light;
    const left = residuals;
    for (let at = 0; at < left.length; at++) {
      left[at] = logs[at] - before[at] - Math.log(to[at] / from[at]) - light - right * byX[at] - down * byY[at];
    }
  }

  function assemble(of: RoiReference, scale: number): void {
    const { layout, byX, byY } = of;
    const { groups, count } = layout;
    information.fill(0);
    step.fill(0);
    for (let c = 0; c < lineColumns; c++) {
      if (c === 4 && !kernel.isAsymmetric) continue;
      const before = reference.columns[c];
      const after = moved.columns[c];
      const difference = differences[c];
      for (let at = 0; at < weights.length; at++) difference[at] = after[at] - before[at];
    }
    columns[lineColumns] = moved.columns[positionAt];
    columns[lineColumns + 1] = ones;
    columns[lineColumns + 2] = byX;
    columns[lineColumns + 3] = byY;
    columns[lineColumns + 4] = residuals;
    for (let c = 0; c < lineColumns; c++) columns[c] = differences[c];
    for (let group = 0; group < groups; group++) {
      const first = group * count;
      for (let i = 0; i < width; i++) {
        if (i === 4 && !kernel.isAsymmetric) continue;
        const column = columns[i];
        for (let k = 0; k < count; k++) weighted[k] = weights[first + k] * column[first + k];
        let j = 0;
        for (; j < i; j += 2) addProducts(weighted, columns[j], columns[j + 1], first, count, sums, i * width + j);
        if (j === i) addProducts(weighted, column, column, first, count, sums, i * width + j);
      }
      for (let p = 0; p < size; p++) factors[p] = p < own ? factorOf(p, group, layout, parameters) : 1;
      for (let p = 0; p < size; p++) {
        const i = columnIndex[p];
        for (let q = 0; q <= p; q++) {
          const j = columnIndex[q];
          information[p * size + q] += factors[p] * factors[q] * (i >= j ? sums[i * width + j] : sums[j * width + i]);
        }
        step[p] += factors[p] * sums[9 * width + i];
      }
    }
    for (let p = 0; p < size; p++) {
      for (let q = 0; q <= p; q++) information[p * size + q] *= scale;
      step[p] *= scale;
    }
    for (let p = 0; p < own; p++) {
      for (let q = 0; q < own; q++) {
        if (q <= p) information[p * size + q] += of.information[p * own + q];
        step[p] += of.information[p * own + q] * (of.parameters[q] - parameters[q]);
      }
    }
    for (const p of [xAt, yAt]) {
      information[p * size + p] += expectedMovement ** -2;
      step[p] -= parameters[p] * expectedMovement ** -2;
    }
  }

  /** Variance of a block's residual: what reading, photons and everything in proportion to the light give. */
  function measureNoise(logs: Float64Array, layout: BlockLayout, isFirst: boolean): void {
    // As if all blocks were alike, the first time: by the median.
    if (isFirst) {
      let used = 0;
      for (let at = 0; at < logs.length; at++)
        if (weights[at] > 0) sorted[used++] = Math.abs(residuals[at]) * Math.sqrt(layout.pixels[at]);
      const median = used > 0 ? nthSmallest(sorted, 0, used, used >> 1) : 0;
      terms.fill(0);
      terms[2] = Math.max((median / medianOfNormal) ** 2, 1e-12);
      return;
    }
    let a00 = 0,
      a01 = 0,
      a02 = 0,
      a11 = 0,
      a12 = 0,
      a22 = 0,
      b0 = 0,
      b1 = 0,
      b2 = 0;
    for (let at = 0; at < logs.length; at++) {
      if (weights[at] === 0) continue;
      const less = inverse[at];
      const before = terms[0] * less * less + terms[1] * less + terms[2];
      const square = residuals[at] * residuals[at] * layout.pixels[at];
      if (square > 12 * before) continue;
      const w = 1 / (before * before);
      const x0 = less * less;
      a00 += w * x0 * x0;
      a01 += w * x0 * less;
      a02 += w * x0;
      a11 += w * less * less;
      a12 += w * less;
      a22 += w;
      b0 += w * x0 * square;
      b1 += w * less * square;
      b2 += w * square;
    }
    const scale = 1 / 0.98;
    solveNotNegative(a00, a01, a02, a11, a12, a22, b0 * scale, b1 * scale, b2 * scale, terms);
    if (terms[0] + terms[1] + terms[2] <= 0) terms[2] = 1e-12;
  }

  function weigh({ pixels }: BlockLayout): void {
    const p0 = terms[0];
    const p1 = terms[1];
    const p2 = terms[2];
    const share = 1 / (rejectAt * rejectAt);
    for (let at = 0; at < residuals.length; at++) {
      const less = inverse[at];
      const precision = pixels[at] / (less * (p0 * less + p1) + p2);
      const z = residuals[at] * Math.sqrt(precision);
      // A block that is not used has no number, and no weight.
      if (!Number.isNaN(z)) {
        const part = Math.max(0, 1 - z * z * share);
        deviations[at] = z;
        trust[at] = part * part;
        weights[at] = part * part * precision;
      } else {
        deviations[at] = 0;
        trust[at] = 0;
        weights[at] = 0;
        residuals[at] = 0;
      }
    }
  }

  function find(of: RoiReference, logs: Float64Array, start: number): FoundShift | null {
    const { layout } = of;
    const blocks = logs.length;
    if (weights.length !== blocks) {
      weights = new Float64Array(blocks);
      residuals = new Float64Array(blocks);
      deviations = new Float64Array(blocks);
      trust = new Float64Array(blocks);
      sorted = new Float64Array(blocks);
      inverse = new Float64Array(blocks);
      differences = Array.from({ length: lineColumns }, () => new Float64Array(blocks));
      ones = new Float64Array(blocks).fill(1);
      weighted = new Float64Array(blocks);
    }
    parameters.fill(0);
    parameters.set(of.parameters);
    parameters[shiftAt] = start;
    model(of, logs);
    let mean = 0;
    let used = 0;
    for (let at = 0; at < blocks; at++) {
      inverse[at] = Math.exp(-of.logs[at]);
      const usable = !Number.isNaN(residuals[at]);
      weights[at] = usable ? layout.pixels[at] : 0;
      if (!usable) continue;
      mean += residuals[at];
      used++;
    }
    if (used < 4 * size) return null;
    parameters[lightAt] = mean / used;
    let scale = 1;
    let length = Number.POSITIVE_INFINITY;
    for (let round = 0; round < maxSteps; round++) {
      model(of, logs);
      if (round === 0) {
        measureNoise(logs, layout, true);
      } else if (round <= noiseSteps) measureNoise(logs, layout, false);
      weigh(layout);
      if (round >= noiseSteps) {
        const { groups, count: bins } = layout;
        const taken = directionsTaken(of);
        scale = 1 / correlatedNoise({ groups, bins, deviations, trust, parameters: taken }).scale;
      }
      assemble(of, scale);
      for (let p = 0; p < size; p++) for (let q = 0; q <= p; q++) matrix[p * size + q] = information[p * size + q];
      if (!factor(matrix, size)) return null;
      solve(matrix, size, step);
      const lineWidth = Math.exp(parameters[widthAt]);
      length = Math.max(
        Math.abs(step[shiftAt]) / lineWidth,
        Math.abs(step[widthAt]),
        Math.abs(step[positionAt]) / lineWidth,
      );
      const share = Math.min(1, 0.4 / length);
      for (let p = 0; p < size; p++) parameters[p] += share * step[p];
      if (!(length < 1e3)) return null;
      if (round > noiseSteps && length < tolerance) break;
    }
    if (!(length < 0.02)) return null;
    // Of the sums of unknowns that are asked for: the line moves with the chip, and up and down along its slant.
    const shiftOf = new Float64Array(size);
    shiftOf[shiftAt] = 1;
    shiftOf[xAt] = 1;
    shiftOf[yAt] = (2 * parameters[slantAt]) / layout.rows;
    const trusted = trust.reduce((sum, t) => sum + t, 0);
    let left = 0;
    for (let at = 0; at < blocks; at++) {
      if (!Number.isNaN(logs[at] - of.logs[at]))
        sorted[left++] = Math.abs(residuals[at]) * Math.sqrt(layout.pixels[at]);
    }
    const noise = nthSmallest(sorted, 0, left, left >> 1) / medianOfNormal;
    return {
      shift: along(shiftOf),
      shiftError: errorOf(shiftOf),
      light: Math.exp(parameters[lightAt]),
      usedShare: trusted / used,
      noise,
    };
  }

  /** So many directions the fit of the last round takes out of the residuals: it takes none for what is known beforehand (trace of M⁻¹ times its part). */
  function directionsTaken(of: RoiReference): number {
    let known = 0;
    for (let p = 0; p < size; p++) {
      if (p === shiftAt || p === lightAt) continue;
      step.fill(0);
      step[p] = 1;
      solve(matrix, size, step);
      if (p >= own) known += step[p] * expectedMovement ** -2;
      else for (let q = 0; q < own; q++) known += step[q] * of.information[p * own + q];
    }
    return size - known;
  }

  function along(direction: Float64Array): number {
    let sum = 0;
    for (let p = 0; p < size; p++) sum += direction[p] * parameters[p];
    return sum;
  }

  function errorOf(direction: Float64Array): number {
    const half = direction.slice();
    solve(matrix, size, half);
    let sum = 0;
    for (let p = 0; p < size; p++) sum += direction[p] * half[p];
    return Math.sqrt(sum);
  }

  return {
    find,
    get residuals() {
      return residuals;
    },
    get trust() {
      return trust;
    },
  };
}

/** Into `sums` at a place and the next: the products of one column with two others, in a group of blocks. */
function addProducts(
  weighted: Float64Array,
  one: Float64Array,
  other: Float64Array,
  first: number,
  count: number,
  sums: Float64Array,
  place: number,
): void {
  let a = 0;
  let b = 0;
  for (let k = 0, at = first; k < count; k++, at++) {
    const w = weighted[k];
    a += w * one[at];
    b += w * other[at];
  }
  sums[place] = a;
  sums[place + 1] = b;
}
