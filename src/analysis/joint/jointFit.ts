import { createBlockNoise } from './blockNoise.ts';
import { createBlockWeights, type FittedModel } from './blockWeights.ts';
import { correlatedNoise } from './correlatedNoise.ts';
import { createExtrapolation } from './extrapolation.ts';
import { createKernelValues, type LineKernel } from './lineKernel.ts';
import { createNormalEquations, maxModes } from './normalEquations.ts';
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
  /** Of that fit: the variance of a pixel by height above the lowest value of its model, see `BlockNoise`. */
  readonly terms: Float64Array;
  /** The lowest value of its model. */
  readonly lowest: number;
}

/** Steps at most; an ordinary ROI takes five. */
const maxSteps = 20;
/** Steps in which the noise is measured again, the first robustly. */
const noiseSteps = 3;
const robustSteps = 1;
/**
 * The search ends at a step below this share of the line's width, 7.5e-4 px at 25; what is missing then is less than a sixth
 * of it, half a thousandth of the error.
 */
const tolerance = 3e-5;
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
  const extrapolation = createExtrapolation(step.length);
  /** Of each parameter, what makes its steps comparable. */
  const scales = new Float64Array(step.length);
  /** Of every block. */
  let values = createKernelValues(0);
  const fitted: FittedModel = {
    residuals: new Float64Array(0),
    model: new Float64Array(0),
    lowest: 0,
    terms: noise.terms,
  };
  let highest = 0;
  let modeValues = new Float64Array(0);
  /** Base, height and position, mode by mode. */
  const base = new Float64Array(maxModes);
  const height = new Float64Array(maxModes);
  const shift = new Float64Array(maxModes);
  let modes = 1;
  let width = 1;
  let asymmetry = 0;
  const shared = kernel.isAsymmetric ? 2 : 1;

  function prepare(blocks: RowBlocks, start: Line): void {
    const { groups, bins, pixels } = blocks;
    const count = groups * bins;
    if (fitted.model.length < count) {
      fitted.residuals = new Float64Array(count);
      fitted.model = new Float64Array(count);
      values = createKernelValues(count);
    }
    noise.prepare(groups, bins, pixels);
    robust.prepare(blocks);
    modes = Math.max(1, Math.min(maxModes, groups >> 1));
    if (modeValues.length < groups * maxModes) modeValues = new Float64Array(groups * maxModes);
    for (let group = 0; group < groups; group++) {
      for (let k = 0; k < modes; k++) modeValues[group * maxModes + k] = mode(k, blocks.places[group]);
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
    for (let k = 0; k < modes; k++) sum += coefficients[k] * modeValues[group * maxModes + k];
    return sum;
  };

  /** The model, its derivatives and the residuals at the point that the search has reached. */
  function evaluate(blocks: RowBlocks, roi: RoiBins): void {
    const { groups, bins, means } = blocks;
    const { line } = values;
    const { residuals, model } = fitted;
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let group = 0; group < groups; group++) {
      const b = inGroup(base, group);
      const a = inGroup(height, group);
      const first = group * bins;
      kernel.fill(roi, inGroup(shift, group), width, asymmetry, values, first);
      for (let at = first; at < first + bins; at++) {
        const light = b + a * line[at];
        if (light < low) low = light;
        if (light > high) high = light;
        model[at] = light;
        residuals[at] = means[at] - light;
      }
    }
    fitted.lowest = low;
    highest = high;
  }

  /** Normal equations of the linearised model. */
  function assemble({ groups, bins }: RowBlocks): void {
    equations.clear(modes, shared);
    const { weights } = robust;
    const { residuals } = fitted;
    for (let group = 0; group < groups; group++) {
      const a = inGroup(height, group);
      equations.add(group * bins, bins, values, a, weights, residuals, modeValues, group * maxModes);
    }
    equations.assemble();
    const size = Math.abs(height[0]);
    for (let k = 1; k < modes; k++) {
      equations.restrain(k, base[k], (expectedBase * size) / k);
      equations.restrain(modes + k, height[k], (expectedGain * size) / k);
      equations.restrain(2 * modes + k, shift[k], (k === 1 ? expectedSlant : expectedShift / k) * width);
    }
  }

  /** Takes the step, shortened where it leaves what the linear model is good for. */
  function advance(share: number): void {
    for (let k = 0; k < modes; k++) {
      base[k] += share * step[k];
      height[k] += share * step[modes + k];
      shift[k] += share * step[2 * modes + k];
    }
    width += share * step[3 * modes];
    if (kernel.isAsymmetric) asymmetry += share * step[3 * modes + 1];
  }

  /** Share of the step that may be taken, and the length of the step in line widths. */
  function measureStep(): { share: number; length: number } {
    const position = Math.abs(step[2 * modes] / width);
    const wider = Math.abs(step[3 * modes] / width);
    const skew = kernel.isAsymmetric ? Math.abs(step[3 * modes + 1]) : 0;
    return {
      share: Math.min(1, 0.5 / position, 0.3 / wider, 0.4 / skew),
      length: Math.max(position, wider, skew),
    };
  }

  /** The line that the search has come to rest at, of which the normal equations were solved last. */
  function judge(blocks: RowBlocks): JointLine {
    const { groups, bins } = blocks;
    const agreement = robust.judge(blocks, fitted);
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
      ...agreement,
    };
  }

  return {
    run(blocks, roi, start) {
      prepare(blocks, start);
      let length = 0;
      let isFirst = true;
      for (let round = 0; round < maxSteps; round++) {
        evaluate(blocks, roi);
        if (round < noiseSteps) {
          noise.measure(fitted.residuals, fitted.model, fitted.lowest, highest, round < robustSteps);
          if (round > 0) robust.findDust(blocks, fitted);
        }
        robust.weigh(blocks, fitted);
        assemble(blocks);
        if (!equations.solve()) return null;
        const taken = measureStep();
        length = taken.length;
        // From the last measurement of the noise on, all steps are of one kind.
        if (round >= noiseSteps - 1 && taken.share === 1) {
          scales
            .fill(height[0], 0, 2 * modes)
            .fill(width, 2 * modes, 3 * modes + 1)
            .fill(1, 3 * modes + 1);
          extrapolation.apply(step, scales, 3 * modes + shared, isFirst);
        }
        isFirst = round < noiseSteps - 1 || taken.share < 1;
        advance(taken.share);
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

    terms: noise.terms,
    get lowest() {
      return fitted.lowest;
    },
  };
}

/** Cosines of a DCT-II: all but the first have the mean 0 over the rows, so that the first is the mean. */
const mode = (k: number, place: number): number => (k === 0 ? 1 : Math.cos(Math.PI * k * place));
