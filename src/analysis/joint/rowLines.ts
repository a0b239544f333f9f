import type { JointFit, Line } from './jointFit.ts';
import { createKernelValues, type KernelValues, type LineKernel } from './lineKernel.ts';
import type { RoiBins } from './roiBins.ts';

/** The line of one row, and the root of its mean squared residual a pixel. */
export interface RowLine extends Line {
  error: number;
}

/** What each single row says, given the shape that the ROI shares; owns its buffers. */
export interface RowLines {
  /** Prepares for rows at a place (0 to 1) over the ROI, which share one solution. */
  prepare(fit: JointFit, bins: RoiBins, place: number): void;
  /** The line of a row at that place; overwritten by the next call. */
  of(row: number): RowLine;
}

/**
 * Base, height and position of one row by one weighted linear step from the joint fit's line there: three sums over the
 * row's bins, and nothing to search. Width and asymmetry are the ROI's.
 */
export function createRowLines(kernel: LineKernel): RowLines {
  let values = createKernelValues(0);
  let model = new Float64Array(0);
  let weights = new Float64Array(0);
  /** Of 1, line and slope with each other, weighted and by pixels, where no bin of a row is missing. */
  const weighted = createMoments();
  const counted = createMoments();
  const some = createMoments();
  /** Weights of the bins of one row, 0 where they are missing. */
  let present = new Float64Array(0);
  const joint: Line = { base: 0, height: 0, position: 0, width: 1, asymmetry: 0 };
  const result: RowLine = { ...joint, error: 0 };
  let roi: RoiBins;
  /** Sums of one row: its residuals with 1, line and slope, weighted, then by pixels, and their squares. */
  const sums = new Float64Array(7);

  /** The sums; NaN of a row in which bins are missing. */
  function sum(row: number): void {
    const { count, means, sizes } = roi;
    const { line, byPosition } = values;
    const light = model;
    const precision = weights;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let u0 = 0;
    let u1 = 0;
    let u2 = 0;
    let own = 0;
    for (let i = 0, at = row * count; i < count; i++, at++) {
      const residual = means[at] - light[i];
      const l = line[i];
      const s = byPosition[i];
      const weight = precision[i] * residual;
      const pixels = sizes[i] * residual;
      s0 += weight;
      s1 += weight * l;
      s2 += weight * s;
      u0 += pixels;
      u1 += pixels * l;
      u2 += pixels * s;
      own += pixels * residual;
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = u0;
    sums[4] = u1;
    sums[5] = u2;
    sums[6] = own;
  }

  /** The same of the bins that are there. */
  function sumPresent(row: number): void {
    const { count, means, sizes } = roi;
    const { line, byPosition } = values;
    sums.fill(0);
    for (let i = 0, at = row * count; i < count; i++, at++) {
      const residual = means[at] - model[i];
      if (Number.isNaN(residual)) continue;
      sums[0] += weights[i] * residual;
      sums[1] += weights[i] * residual * line[i];
      sums[2] += weights[i] * residual * byPosition[i];
      sums[3] += sizes[i] * residual;
      sums[4] += sizes[i] * residual * line[i];
      sums[5] += sizes[i] * residual * byPosition[i];
      sums[6] += sizes[i] * residual * residual;
    }
  }

  /** Moments of the bins of a row that are there. */
  function takePresent(row: number, of: Float64Array): Moments {
    const { count, means } = roi;
    for (let i = 0; i < count; i++) present[i] = Number.isNaN(means[row * count + i]) ? 0 : of[i];
    take(some, present, values, count);
    return some;
  }

  return {
    prepare(fit, bins, place) {
      roi = bins;
      const { count, sizes } = bins;
      if (weights.length < count) {
        weights = new Float64Array(count);
        model = new Float64Array(count);
        present = new Float64Array(count);
        values = createKernelValues(count);
      }
      fit.at(place, joint);
      const { base, height, position, width, asymmetry } = joint;
      kernel.fill(bins, position, width, asymmetry, values, 0);
      const { lowest, terms } = fit;
      const p0 = terms[0];
      const p1 = terms[1];
      const p2 = terms[2];
      for (let i = 0; i < count; i++) {
        model[i] = base + height * values.line[i];
        const h = Math.max(0, model[i] - lowest);
        weights[i] = sizes[i] / (p0 + h * (p1 + h * p2));
      }
      take(weighted, weights, values, count);
      take(counted, sizes, values, count);
    },

    of(row) {
      sum(row);
      const isComplete = !Number.isNaN(sums[0]);
      if (!isComplete) sumPresent(row);
      const moments = isComplete ? weighted : takePresent(row, weights);
      const m00 = moments[0];
      const m01 = moments[1];
      const m02 = moments[2];
      const m11 = moments[3];
      const m12 = moments[4];
      const m22 = moments[5];
      const r0 = sums[0];
      const r1 = sums[1];
      const r2 = sums[2];
      const c00 = m11 * m22 - m12 * m12;
      const c01 = m02 * m12 - m01 * m22;
      const c02 = m01 * m12 - m02 * m11;
      const c11 = m00 * m22 - m02 * m02;
      const c12 = m01 * m02 - m00 * m12;
      const c22 = m00 * m11 - m01 * m01;
      const determinant = m00 * c00 + m01 * c01 + m02 * c02;
      const scale = determinant > 1e-9 * m00 * m11 * m22 ? 1 / determinant : 0;
      const b = (c00 * r0 + c01 * r1 + c02 * r2) * scale;
      const a = (c01 * r0 + c11 * r1 + c12 * r2) * scale;
      const ax = (c02 * r0 + c12 * r1 + c22 * r2) * scale;

      const pixelMoments = isComplete ? counted : takePresent(row, roi.sizes);
      const u00 = pixelMoments[0];
      const u01 = pixelMoments[1];
      const u02 = pixelMoments[2];
      const u11 = pixelMoments[3];
      const u12 = pixelMoments[4];
      const u22 = pixelMoments[5];
      const taken =
        b * (2 * sums[3] - b * u00) +
        a * (2 * sums[4] - a * u11 - 2 * b * u01) +
        ax * (2 * sums[5] - ax * u22 - 2 * b * u02 - 2 * a * u12);
      const { base, height, position, width, asymmetry } = joint;
      result.base = base + b;
      result.height = height + a;
      // Where a row hardly shows the line, the linear step may be of any length.
      result.position = position + Math.max(-width, Math.min(width, ax / height));
      result.width = width;
      result.asymmetry = asymmetry;
      result.error = Math.sqrt(Math.max(0, roi.scatter[row] + sums[6] - taken) / roi.cols);
      return result;
    },
  };
}

/** Weighted sums of the products of 1, line and slope: 1·1, 1·line, 1·slope, line·line, line·slope, slope·slope. */
type Moments = Float64Array;

const createMoments = (): Moments => new Float64Array(6);

function take(into: Moments, weights: Float64Array, { line, byPosition }: KernelValues, count: number): void {
  let m00 = 0;
  let m01 = 0;
  let m02 = 0;
  let m11 = 0;
  let m12 = 0;
  let m22 = 0;
  for (let i = 0; i < count; i++) {
    const w = weights[i];
    const wl = w * line[i];
    const ws = w * byPosition[i];
    m00 += w;
    m01 += wl;
    m02 += ws;
    m11 += wl * line[i];
    m12 += wl * byPosition[i];
    m22 += ws * byPosition[i];
  }
  into[0] = m00;
  into[1] = m01;
  into[2] = m02;
  into[3] = m11;
  into[4] = m12;
  into[5] = m22;
}
