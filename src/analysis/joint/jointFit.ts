import { createBlockNoise } from './blockNoise.ts';
import { createBlockWeights } from './blockWeights.ts';
import { correlatedNoise } from './correlatedNoise.ts';
import type { KernelValues, LineKernel } from './lineKernel.ts';
import { createNormalEquations, type JointColumns, mostModes } from './normalEquations.ts';
import type { RoiBins } from './roiBins.ts';
import type { RowBlocks } from './rowBlocks.ts';

/** A line in one row, or the start of a search. Lengths in pixels, heights in counts. */
export interface Line {
  base: number;
  height: number;
  position: number;
  width: number;
  /** See `fanoKernel`; 0 where the shape has none. */
  asymmetry: number;
}

/** What the joint fit found. */
export interface JointLine extends Line {
  /** Standard errors. */
  positionError: number;
  heightError: number;
  chiSquared: number;
  /** See `BlockWeights`. */
  misfit: number;
  usedShare: number;
}

/** The joint fit of one ROI after the other; owns its buffers. */
export interface JointFit {
  /** Fits a line to the blocks, from a start. Null when the search leads nowhere. */
  run(blocks: RowBlocks, bins: RoiBins, start: Line): JointLine | null;
  /** Base, height and position at a place (0 to 1) over the rows, of the fit that was run last; into `line`. */
  at(place: number, line: Line): void;
  /** Variance of a pixel of a block at a height above the base of the model, of that fit. */
  variance(height: number): number;
  /** The lowest value of its model. */
  readonly lowest: number;
}

/** Steps at most; an ordinary ROI takes five. */
const mostSteps = 20;
/** Steps in which the noise is measured again, the first robustly. */
const noiseSteps = 3;
const robustSteps = 1;
/** The search ends at a step below this share of the line's width: 2.5e-4 px at 25, a thousandth of the error. */
const tolerance = 1e-5;
/** One that is still moving so much in the end has found nothing, and one whose step is so long is lost at once. */
const restless = 1e-2;
const farAway = 1e3;
/**
 * What is known beforehand of the waves over the rows, as standard deviations: slant and waves of the position in line
 * widths, waves of height and base in line heights, all falling as 1 over their number. It matters where rows are missing.
 */
const expectedSlant = 0.3;
const expectedShift = 0.05;
const expectedGain = 0.2;
const expectedBase = 0.3;

export function createJointFit(kernel: LineKernel): JointFit {
  const noise = createBlockNoise();
  const robust = createBlockWeights();
  const equations = createNormalEquations();
  const { step } = equations;
  const values: KernelValues = {
    line: new Float64Array(0),
    byPosition: new Float64Array(0),
    byWidth: new Float64Array(0),
    byAsymmetry: new Float64Array(0),
  };
  let residuals = new Float64Array(0);
  let heights = new Float64Array(0);
  /** Of every block. */
  const columns: JointColumns = {
    line: new Float64Array(0),
    slope: new Float64Array(0),
    widening: new Float64Array(0),
    skew: new Float64Array(0),
  };
  let modeValues = new Float64Array(0);
  /** Base, height and position, mode by mode. */
  const base = new Float64Array(mostModes);
  const height = new Float64Array(mostModes);
  const shift = new Float64Array(mostModes);
  let modes = 1;
  let width = 1;
  let asymmetry = 0;
  let lowest = 0;
  const shared = kernel.isAsymmetric ? 2 : 1;

  function prepare(blocks: RowBlocks, start: Line): void {
    const { groups, bins } = blocks;
    const count = groups * bins;
    if (residuals.length < count) {
      residuals = new Float64Array(count);
      heights = new Float64Array(count);
      for (const name of Object.keys(columns) as (keyof JointColumns)[]) columns[name] = new Float64Array(count);
    }
    if (values.line.length < bins) {
      for (const name of Object.keys(values) as (keyof KernelValues)[]) values[name] = new Float64Array(bins);
    }
    robust.prepare(count);
    modes = Math.max(1, Math.min(mostModes, groups >> 1));
    if (modeValues.length < groups * mostModes) modeValues = new Float64Array(groups * mostModes);
    for (let group = 0; group < groups; group++) {
      for (let k = 0; k < modes; k++) modeValues[group * mostModes + k] = mode(k, blocks.places[group]);
    }
    base.fill(0);
    height.fill(0);
    shift.fill(0);
    base[0] = start.base;
    height[0] = start.height;
    shift[0] = start.position;
    width = start.width;
    asymmetry = start.asymmetry;
  }

  const inGroup = (coefficients: Float64Array, group: number): number => {
    let sum = 0;
    for (let k = 0; k < modes; k++) sum += coefficients[k] * modeValues[group * mostModes + k];
    return sum;
  };

  /** The model, its derivatives and the residuals at the point that the search has reached. */
  function evaluate(blocks: RowBlocks, roi: RoiBins): void {
    const { groups, bins, means } = blocks;
    const { line: lines, slope: slopes, widening: widenings, skew: skews } = columns;
    const rest = residuals;
    const above = heights;
    let low = Number.POSITIVE_INFINITY;
    for (let group = 0; group < groups; group++) {
      const b = inGroup(base, group);
      const a = inGroup(height, group);
      kernel.fill(roi.centres, bins, inGroup(shift, group), width, asymmetry, roi.width, values);
      const { line, byPosition, byWidth, byAsymmetry } = values;
      const first = group * bins;
      for (let i = 0; i < bins; i++) {
        const at = first + i;
        const model = b + a * line[i];
        if (model < low) low = model;
        above[at] = model;
        rest[at] = means[at] - model;
        lines[at] = line[i];
        slopes[at] = a * byPosition[i];
        widenings[at] = a * byWidth[i];
        skews[at] = a * byAsymmetry[i];
      }
    }
    for (let at = 0; at < groups * bins; at++) above[at] -= low;
    lowest = low;
  }

  const variance = (h: number): number => {
    const { terms } = noise;
    return terms[0] + h * (terms[1] + h * terms[2]);
  };

  /** Normal equations of the linearised model. */
  function assemble({ groups, bins }: RowBlocks): void {
    equations.clear(modes, shared);
    for (let group = 0; group < groups; group++) {
      equations.add(group * bins, bins, columns, robust.weights, residuals, modeValues, group * mostModes);
    }
    for (let k = 1; k < modes; k++) {
      const size = Math.abs(height[0]);
      equations.restrain(k, base[k], (expectedBase * size) / k);
      equations.restrain(modes + k, height[k], (expectedGain * size) / k);
      equations.restrain(2 * modes + k, shift[k], (k === 1 ? expectedSlant : expectedShift / k) * width);
    }
  }

  /** Takes the step, shortened where it leaves what the linear model is good for. @returns its length in line widths */
  function advance(): number {
    const position = step[2 * modes] / width;
    const wider = step[3 * modes] / width;
    const skew = kernel.isAsymmetric ? step[3 * modes + 1] : 0;
    const share = Math.min(1, 0.5 / Math.abs(position), 0.3 / Math.abs(wider), 0.4 / Math.abs(skew));
    for (let k = 0; k < modes; k++) {
      base[k] += share * step[k];
      height[k] += share * step[modes + k];
      shift[k] += share * step[2 * modes + k];
    }
    width += share * step[3 * modes];
    asymmetry += share * skew;
    return Math.max(Math.abs(position), Math.abs(wider), Math.abs(skew));
  }

  /** The line that the search has come to rest at, of which the normal equations were solved last. */
  function judge(blocks: RowBlocks): JointLine {
    const { groups, bins } = blocks;
    const { deviations, trust } = robust;
    const parameters = 3 * modes + shared;
    const { scale, chiSquared } = correlatedNoise({ groups, bins, deviations, trust, parameters });
    return {
      base: base[0],
      height: height[0],
      position: shift[0],
      width,
      asymmetry,
      positionError: Math.sqrt(scale * equations.inverse(2 * modes)),
      heightError: Math.sqrt(scale * equations.inverse(modes)),
      chiSquared,
      ...robust.agreement(blocks),
    };
  }

  return {
    run(blocks, roi, start) {
      prepare(blocks, start);
      const { groups, bins, pixels } = blocks;
      let length = 0;
      for (let round = 0; round < mostSteps; round++) {
        evaluate(blocks, roi);
        if (round < noiseSteps) noise.measure({ groups, bins, residuals, heights, pixels }, round < robustSteps);
        robust.weigh(blocks, residuals, heights, noise.terms, round > 0 && round < noiseSteps);
        assemble(blocks);
        if (!equations.solve()) return null;
        length = advance();
        // Also ends for NaN.
        if (!(length < farAway) || !(width > 0.1) || !(width < 4 * roi.cols)) return null;
        if (round >= noiseSteps && length < tolerance) break;
      }
      if (length > restless) return null;
      return judge(blocks);
    },

    at(place, line) {
      let b = 0;
      let a = 0;
      let x = 0;
      for (let k = 0; k < modes; k++) {
        const value = mode(k, place);
        b += base[k] * value;
        a += height[k] * value;
        x += shift[k] * value;
      }
      line.base = b;
      line.height = a;
      line.position = x;
      line.width = width;
      line.asymmetry = asymmetry;
    },

    variance,
    get lowest() {
      return lowest;
    },
  };
}

/** Cosines of a DCT-II: all but the first have the mean 0 over the rows, so that the first is the mean. */
const mode = (k: number, place: number): number => (k === 0 ? 1 : Math.cos(Math.PI * k * place));
