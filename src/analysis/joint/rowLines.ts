import type { JointFit, Line } from './jointFit.ts';
import type { KernelValues, LineKernel } from './lineKernel.ts';
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
  const values: KernelValues = {
    line: new Float64Array(0),
    byPosition: new Float64Array(0),
    byWidth: new Float64Array(0),
    byAsymmetry: new Float64Array(0),
  };
  let weights = new Float64Array(0);
  const joint: Line = { base: 0, height: 0, position: 0, width: 1, asymmetry: 0 };
  const result: RowLine = { ...joint, error: 0 };
  let roi: RoiBins;

  return {
    prepare(fit, bins, place) {
      roi = bins;
      if (weights.length < bins.count) {
        weights = new Float64Array(bins.count);
        for (const name of Object.keys(values) as (keyof KernelValues)[]) values[name] = new Float64Array(bins.count);
      }
      fit.at(place, joint);
      kernel.fill(bins.centres, bins.count, joint.position, joint.width, joint.asymmetry, bins.width, values);
      for (let i = 0; i < bins.count; i++) {
        const height = Math.max(0, joint.base + joint.height * values.line[i] - fit.lowest);
        weights[i] = bins.sizes[i] / fit.variance(height);
      }
    },

    of(row) {
      const { line, byPosition } = values;
      const { count, means, sizes } = roi;
      const { base, height, position, width, asymmetry } = joint;
      const first = row * count;
      let m00 = 0;
      let m01 = 0;
      let m02 = 0;
      let m11 = 0;
      let m12 = 0;
      let m22 = 0;
      let r0 = 0;
      let r1 = 0;
      let r2 = 0;
      for (let i = 0; i < count; i++) {
        const residual = means[first + i] - base - height * line[i];
        if (Number.isNaN(residual)) continue;
        const w = weights[i];
        const wl = w * line[i];
        const ws = w * byPosition[i];
        m00 += w;
        m01 += wl;
        m02 += ws;
        m11 += wl * line[i];
        m12 += wl * byPosition[i];
        m22 += ws * byPosition[i];
        r0 += w * residual;
        r1 += wl * residual;
        r2 += ws * residual;
      }
      const c00 = m11 * m22 - m12 * m12;
      const c01 = m02 * m12 - m01 * m22;
      const c02 = m01 * m12 - m02 * m11;
      const c11 = m00 * m22 - m02 * m02;
      const c12 = m01 * m02 - m00 * m12;
      const c22 = m00 * m11 - m01 * m01;
      const determinant = m00 * c00 + m01 * c01 + m02 * c02;
      const isDetermined = determinant > 1e-9 * m00 * m11 * m22;
      const b = isDetermined ? (c00 * r0 + c01 * r1 + c02 * r2) / determinant : 0;
      const a = isDetermined ? (c01 * r0 + c11 * r1 + c12 * r2) / determinant : 0;
      const ax = isDetermined ? (c02 * r0 + c12 * r1 + c22 * r2) / determinant : 0;

      let squares = roi.scatter[row];
      let pixels = 0;
      for (let i = 0; i < count; i++) {
        const residual = means[first + i] - base - b - (height + a) * line[i] - ax * byPosition[i];
        if (!Number.isNaN(residual)) squares += sizes[i] * residual * residual;
        pixels += sizes[i];
      }
      result.base = base + b;
      result.height = height + a;
      // Where a row hardly shows the line, the linear step may be of any length.
      result.position = position + Math.max(-width, Math.min(width, ax / height));
      result.width = width;
      result.asymmetry = asymmetry;
      result.error = Math.sqrt(Math.max(0, squares) / pixels);
      return result;
    },
  };
}
