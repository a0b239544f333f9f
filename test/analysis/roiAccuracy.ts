import type { RoiEstimate, RoiEstimator } from '../../src/analysis/roiEstimate.ts';
import type { Resonance, RoiCondition } from '../../src/streams/cameras/simulated/resonance.ts';
import { cramerRaoBound } from './cramerRao.ts';
import type { RoiSimulator } from './simulatedRois.ts';

/** How an estimator did on ROIs of one kind. */
export interface RoiAccuracy {
  count: number;
  /** ROIs without a position. */
  missing: number;
  /** Mean error and root of the mean squared error, px. */
  bias: number;
  scatter: number;
  /** Root of the mean squared Cramér–Rao bound of these ROIs (of some of them: it is slow to compute), px. */
  bound: number;
  /** Shares of the errors within one and two standard errors. */
  withinOne: number;
  withinTwo: number;
  /** Mean reduced χ². */
  chiSquared: number;
  flagged: number;
  byFlag: Record<string, number>;
  /** Greatest error, and greatest of ROIs without a flag, px. */
  worst: number;
  worstUnflagged: number;
}

export function roiAccuracy(
  simulator: RoiSimulator,
  estimate: RoiEstimator,
  condition: RoiCondition,
  count: number,
  /** Bounds computed. */
  bounded = 6,
  adapt?: (resonance: Resonance) => void,
): RoiAccuracy {
  const { fullScale } = simulator.options;
  const errors: number[] = [];
  const ratios: number[] = [];
  const bounds: number[] = [];
  const byFlag: Record<string, number> = {};
  let chiSquared = 0;
  let flagged = 0;
  let worstUnflagged = 0;
  for (let i = 0; i < count; i++) {
    const { pixels, roi, truth, resonance } = simulator.draw(condition, adapt);
    const saturation = condition === 'saturated' ? fullScale : Number.POSITIVE_INFINITY;
    const found: RoiEstimate = estimate(pixels, roi, 0, saturation);
    if (found.flags.length > 0) flagged++;
    for (const flag of found.flags) byFlag[flag] = (byFlag[flag] ?? 0) + 1;
    if (i < bounded) {
      const exposure = condition === 'low_signal' ? 0.09 : 1;
      bounds.push(cramerRaoBound(resonance, { ...simulator.options, exposure }));
    }
    if (found.position === null || found.uncertainty === null) continue;
    const error = found.position - truth;
    errors.push(error);
    ratios.push(Math.abs(error) / found.uncertainty);
    chiSquared += found.chiSquared ?? Number.NaN;
    if (found.flags.length === 0) worstUnflagged = Math.max(worstUnflagged, Math.abs(error));
  }
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  return {
    count,
    missing: count - errors.length,
    bias: mean,
    scatter: rms(errors),
    bound: rms(bounds),
    withinOne: ratios.filter(ratio => ratio < 1).length / ratios.length,
    withinTwo: ratios.filter(ratio => ratio < 2).length / ratios.length,
    chiSquared: chiSquared / errors.length,
    flagged: flagged / count,
    byFlag,
    worst: Math.max(...errors.map(Math.abs)),
    worstUnflagged,
  };
}

const rms = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
