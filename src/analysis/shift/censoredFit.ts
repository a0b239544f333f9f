import { solve } from '../joint/choleskySolve.ts';
import { positionAt, widthAt } from './logLine.ts';
import { type BlockCovariance, factorPattern, type PatternModel } from './patternModel.ts';
import { type Expectation, type ReferenceFit, type ReferenceLine, usedBlocks } from './referenceFit.ts';
import type { BlockLayout } from './shiftBlocks.ts';

/**
 * Of what varies within a block by so much, a part of a block's pixels that is cut off at its quantile takes 0.57 times the logarithm of the share that is
 * left (of a normal distribution, within a twelfth from a fifth on). The rest of its mean is known to the light beside it no better than this:
 */
const lossByLogarithm = 0.57;
const lossError = 0.6;
/** A block that is saturated all over, or nearly, tells only that its mean lies above the ceiling by so many of what varies within it. */
const fullShare = 0.95;
const fullLoss = 1.7;
const maxRounds = 12;
/** The search ends at a shorter step, widths. */
const tolerance = 2e-3;
/** Variance of a site that says nothing, over the pattern's. */
const saysNothing = 1e4;

export interface CensoredRoi {
  fit: ReferenceFit;
  layout: BlockLayout;
  /** Logarithm of the light of each block, with saturated pixels as they are; NaN where it is not known. */
  logs: Float32Array;
  /** Share of each block that is saturated. */
  hidden: Float64Array;
  start: ReferenceLine;
  pattern: PatternModel;
  covariance: BlockCovariance;
  /** Of the lines of other ROIs. */
  widths: Expectation;
}

/**
 * The fit of a reference in which blocks are saturated. Left out, they would leave those blocks of the line's top where the pattern happens to be dark:
 * the line would come out too low and too wide. What a few saturated pixels take from a block's mean is added. A block that is saturated all over is
 * brighter than what was seen: it counts as a measurement whose value and variance give what is then known of its light the same mean and
 * variance (expectation propagation: Minka, Proc. Uncertainty in Artificial Intelligence 17, 362 (2001)).
 *
 * @returns null when the search leads nowhere
 */
export function fitCensored({
  fit,
  layout,
  logs,
  hidden,
  start,
  pattern,
  covariance,
  widths,
}: CensoredRoi): ReferenceLine | null {
  const variance = pattern.variances.reduce((sum, each) => sum + each, 0);
  // Standard deviation of the logarithm within a block.
  const between = pattern.variances.reduce(
    (sum, each, k) => sum + each * covariance.alongBins[k][0] * covariance.alongGroups[k][0],
    0,
  );
  const within = Math.sqrt(variance - between);
  const all = usedBlocks(logs);
  const exact = all.filter(at => hidden[at] < fullShare);
  const full = all.filter(at => hidden[at] >= fullShare);
  // Those last for which the diagonal of the inverse is asked: that costs little then.
  const blocks = Int32Array.from([...exact, ...full]);
  const values = logs.slice();
  const floors = logs.slice();
  const added = new Float64Array(blocks.length);
  for (const [i, at] of exact.entries()) {
    const lost = within * lossByLogarithm * -Math.log(1 - hidden[at]);
    values[at] += lost;
    added[i] = (lossError * lost) ** 2;
  }
  for (const at of full) floors[at] += fullLoss * within;
  for (const [i, above] of fit.deviations(layout, floors, start, full).entries()) {
    values[full[i]] = floors[full[i]] - Math.min(0, above);
    added[exact.length + i] = variance;
  }
  let line = start;
  for (let round = 0; round < maxRounds; round++) {
    const lower = factorPattern(pattern, covariance, layout, blocks, added);
    const next = lower && fit.whitened(layout, values, [line], lower, blocks, widths);
    if (lower === null || next === null) return null;
    const step =
      Math.abs(next.parameters[widthAt] - line.parameters[widthAt]) +
      Math.abs(next.parameters[positionAt] - line.parameters[positionAt]) * Math.exp(-next.parameters[widthAt]);
    line = next;
    if (full.length === 0 || (round > 0 && step < tolerance)) break;
    const deviations = fit.deviations(layout, values, line, blocks);
    const weighed = deviations.slice();
    solve(lower, blocks.length, weighed);
    for (let i = exact.length; i < blocks.length; i++) {
      const at = blocks[i];
      const precision = ownPrecision(lower, blocks.length, i);
      // Without what this block itself has said so far.
      const mean = values[at] - weighed[i] / precision;
      const spread = 1 / precision - added[i];
      if (!(spread > 0)) continue;
      const deviation = Math.sqrt(spread);
      const alpha = (mean - floors[at]) / deviation;
      const lambda = hazard(alpha);
      const shrink = lambda * (lambda + alpha);
      const seen = spread * (1 - shrink);
      // A measurement of this variance and value beside the rest gives mean and variance of what lies above the floor.
      const own = shrink > 1 / saysNothing ? spread * (1 / shrink - 1) : saysNothing * spread;
      const target = mean + deviation * lambda;
      added[i] = own;
      values[at] = own * (target / seen - mean / spread);
    }
  }
  return line;
}

/** Element of the diagonal of the inverse, by the factor. */
function ownPrecision(lower: Float64Array, size: number, of: number): number {
  const column = new Float64Array(size - of);
  let sum = 0;
  for (let i = of; i < size; i++) {
    let rest = i === of ? 1 : 0;
    for (let k = of; k < i; k++) rest -= lower[i * size + k] * column[k - of];
    column[i - of] = rest / lower[i * size + i];
    sum += column[i - of] ** 2;
  }
  return sum;
}

/** Density over distribution of the standard normal: φ(x)/Φ(x), by the fraction of Laplace far below 0 and by the series of Φ elsewhere. */
function hazard(x: number): number {
  if (x < -3) {
    let fraction = -x;
    for (let k = 30; k > 0; k--) fraction = -x + k / fraction;
    return fraction;
  }
  const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  let term = x;
  let sum = x;
  for (let k = 3; Math.abs(term) > 1e-12; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return x > 8 ? 0 : density / (0.5 + density * sum);
}
