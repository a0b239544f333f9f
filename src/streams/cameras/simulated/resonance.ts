/**
 * The line of one ROI: what of it stays the same (its shape over the rows) and how it moves with time. This is the truth
 * that frames are drawn from; the model is that of `reference/legacy_gauss/truth.json`.
 */

import type { RandomStream } from '../../../model/randomStream.ts';
import { randomStream } from '../../../model/randomStream.ts';
import type { Roi } from '../../../model/roi.ts';
import type { SimulatorOptions } from './simulatorOptions.ts';

/** Why a ROI is not an ordinary one. */
export type RoiCondition = 'normal' | 'low_signal' | 'dust' | 'saturated' | 'edge';

/** All lengths in pixels along the row of the ROI, after its flip, from 0. */
export interface Resonance {
  roi: Roi;
  condition: RoiCondition;
  /** Counts. */
  amplitude: number;
  /** Width of the line: σ of a Gaussian, γ of a Fano line. */
  width: number;
  /** Asymmetry q of a Fano line. */
  q: number;
  /** Position of row r less the mean position; their mean is zero. */
  rowOffset: Float32Array;
  /** Factor on the amplitude of row r. */
  rowGain: Float32Array;
  /** Median of `rowOffset`. */
  medianOffset: number;
  /** Mean position at rest. */
  rest: number;
  /** How strongly it follows what all share. */
  sensitivity: number;
  /** Its own slow movement. */
  own: { pixels: number; periodSeconds: number; phase: number };
}

/** Gain of saturated rows, as in the reference data. */
const saturatedGain = 60;

/** The resonance of a ROI; the same for the same seed and label, whatever else is on the chip. */
export function resonanceOf(roi: Roi, condition: RoiCondition, options: SimulatorOptions): Resonance {
  const random = randomStream(options.seed, `resonance ${roi.label}`);
  const [rows, columns] = roi.size;
  const width = columns * random.between(...options.lineWidth);
  const rowOffset = smoothRows(rows, options.rowOffset * columns, random);
  const rowGain = smoothRows(rows, options.rowGain, random).map(value => 1 + value);
  if (condition === 'saturated') rowGain.fill(saturatedGain, Math.round(rows * 0.3), Math.round(rows * 0.63));
  const middle = columns * random.between(...options.restPosition);
  const edge = width * random.between(0.4, 1);
  const sorted = [...rowOffset].sort((a, b) => a - b);
  return {
    roi,
    condition,
    amplitude: options.amplitude * random.between(0.8, 1.2),
    width,
    q: random.between(3, 6),
    rowOffset,
    rowGain,
    medianOffset: (sorted[Math.floor((rows - 1) / 2)] + sorted[Math.ceil((rows - 1) / 2)]) / 2,
    rest: condition === 'edge' ? (random.uniform() < 0.5 ? edge : columns - 1 - edge) : middle,
    sensitivity: random.between(0.7, 1.3),
    own: {
      pixels: 0.3 * options.driftPixels,
      periodSeconds: options.driftPeriodSeconds * random.between(0.8, 3),
      phase: random.between(0, 2 * Math.PI),
    },
  };
}

/** Mean position over the rows at a moment, pixels. */
export function positionAt(resonance: Resonance, seconds: number, options: SimulatorOptions): number {
  const { rest, sensitivity, own } = resonance;
  const alone = own.pixels * Math.sin(2 * Math.PI * fraction(seconds / own.periodSeconds) + own.phase);
  return rest + sensitivity * sharedMovement(seconds, options) + alone;
}

/** Drift and steps that all ROIs follow: temperature, and the analyte. */
function sharedMovement(seconds: number, options: SimulatorOptions): number {
  const { driftPixels, driftPeriodSeconds, stepPixels, stepPeriodSeconds, stepRiseSeconds } = options;
  const slow = Math.sin(2 * Math.PI * fraction(seconds / driftPeriodSeconds));
  const quick = Math.sin(2 * Math.PI * fraction((2.7 * seconds) / driftPeriodSeconds));
  const half = stepPeriodSeconds / 2;
  const since = seconds - Math.floor(seconds / half) * half;
  const settled = stepRiseSeconds === 0 ? 1 : 1 - Math.exp(-since / stepRiseSeconds);
  const isIn = Math.floor(seconds / half) % 2 !== 0;
  return driftPixels * (0.7 * slow + 0.3 * quick) + stepPixels * (isIn ? settled : 1 - settled);
}

/** Factor on all light at a moment. */
export function lightAt(seconds: number, { lightDrift, driftPeriodSeconds }: SimulatorOptions): number {
  return lightDrift === 0 ? 1 : 1 + lightDrift * Math.sin(2 * Math.PI * fraction((1.7 * seconds) / driftPeriodSeconds));
}

/** Seconds since 1970 times 2π would cost the sine its last digits. */
const fraction = (cycles: number): number => cycles - Math.floor(cycles);

/** A smooth curve over the rows from the first cosines of a DCT-II, whose means are exactly zero. */
function smoothRows(rows: number, size: number, random: RandomStream): Float32Array {
  const weights = [1, 0.5, 0.25].map(weight => weight * size * random.between(-1, 1));
  return Float32Array.from({ length: rows }, (_, r) =>
    weights.reduce((sum, weight, k) => sum + weight * Math.cos((Math.PI * (k + 1) * (r + 0.5)) / rows), 0),
  );
}

/**
 * The line at distance d from its position, between 0 and 1: Gaussian exp(−d²/2σ²), or Fano ((qγ + d)²/(γ² + d²))/(1 + q²),
 * whose maximum lies at γ/q (U. Fano, Phys. Rev. 124, 1866 (1961)).
 */
export function lineShapeAt(d: number, { width, q }: Resonance, shape: SimulatorOptions['lineShape']): number {
  if (shape === 'gauss') return Math.exp(-(d * d) / (2 * width * width));
  return (q * width + d) ** 2 / (width * width + d * d) / (1 + q * q);
}
