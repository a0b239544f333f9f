import { createFano } from '../fano.ts';
import { createGaussian } from '../gaussian.ts';
import type { RowMethod } from '../rowMethod.ts';
import type { Line } from './jointFit.ts';
import { fanoKernel, gaussianKernel, type LineKernel } from './lineKernel.ts';

/** A line shape of the joint fit, and how the row method of that name writes the same line. */
export interface JointShape {
  kernel: LineKernel;
  /** Finds the start, in the typical row. */
  rowMethod: () => RowMethod;
  lineOf(parameters: Float64Array): Line;
  /** @param error root of the mean squared residual, counts */
  write(line: Line, error: number, out: Float64Array): void;
}

export const gaussianShape: JointShape = {
  kernel: gaussianKernel,
  rowMethod: createGaussian,
  lineOf: ([height, position, width, base]) => ({ base, height, position, width, asymmetry: 0 }),
  write: ({ base, height, position, width }, error, out) => {
    out[0] = height;
    out[1] = position;
    out[2] = width;
    out[3] = base;
    out[4] = error;
  },
};

export const fanoShape: JointShape = {
  kernel: fanoKernel,
  rowMethod: createFano,
  lineOf: ([amplitude, q, position, width, offset]) => {
    const l = amplitude * (q * q - 1);
    const d = 2 * amplitude * q;
    // A dip has a negative height, so that the asymmetry stays within a right angle.
    const sign = l < 0 ? -1 : 1;
    const height = sign * Math.hypot(l, d);
    return { base: offset + amplitude, height, position, width, asymmetry: Math.atan2(sign * d, sign * l) };
  },
  write: ({ base, height, position, width, asymmetry }, error, out) => {
    // Of the two pairs of amplitude and q with the same curve the one with |q| ≤ 1, as of the row fits.
    const l = height * Math.cos(asymmetry);
    const d = height * Math.sin(asymmetry);
    const size = Math.abs(height);
    const amplitude = l > 0 ? -(l + size) / 2 : (size - l) / 2;
    out[0] = amplitude;
    out[1] = amplitude === 0 ? 0 : d / (2 * amplitude);
    out[2] = position;
    out[3] = width;
    out[4] = base - amplitude;
    out[5] = error;
  },
};

const gammaOfSigma = Math.sqrt(2 * Math.LN2);

/**
 * A Fano line whose asymmetry can't be told, because one of its flanks lies outside of the ROI: fitted as a Gaussian, and
 * written as the symmetric Fano line of the same height, centre and half width.
 */
export const symmetricFanoShape: JointShape = {
  ...gaussianShape,
  write: ({ base, height, position, width }, error, out) => {
    out[0] = -height;
    out[1] = 0;
    out[2] = position;
    out[3] = width * gammaOfSigma;
    out[4] = base + height;
    out[5] = error;
  },
};
