import { createRoiEstimator } from '../../../src/analysis/joint/roiEstimator.ts';
import { createReferenceBuilder } from '../../../src/analysis/shift/makeReference.ts';
import { decodeReference, encodeReference } from '../../../src/analysis/shift/reference.ts';
import { createShiftFinder } from '../../../src/analysis/shift/roiShift.ts';
import type { RandomStream } from '../../../src/model/randomStream.ts';
import { PatternedChip, type PatternedOptions } from './patternedRois.ts';
import { shiftBound } from './shiftBound.ts';

/** How the shift did on simulated chips with a static pattern. */
export interface ShiftAccuracy {
  /** ROIs and frames in all, and those without a shift. */
  count: number;
  missing: number;
  /** Root of the mean squared error of shifts that are not said to be mere differences, and its bound, px. */
  scatter: number;
  bound: number;
  /** Shares within one and two standard errors. */
  withinOne: number;
  withinTwo: number;
  /** The same for the position in the reference. */
  position: { scatter: number; bound: number; withinOne: number; withinTwo: number };
  /** Share of shifts without any flag that are wrong by more than 2 px. */
  wrong: number;
  /** The same of the difference of the positions that the frames alone give, px. */
  difference: number;
  byFlag: Record<string, number>;
  /** Every shift, also those that are mere differences. */
  each: MeasuredStep[];
}

export interface MeasuredStep {
  /** The true one, px. */
  step: number;
  error: number;
  uncertainty: number;
  /** Error of the difference of the positions that the frames alone give. */
  difference: number;
  flags: readonly string[];
}

const usualStep = (random: RandomStream): number => random.between(2, 12) * (random.uniform() < 0.2 ? -1 : 1);

/**
 * Chips of `rois` (40) ROIs with five frames at rest for the reference, then `frames` with steps of 2 to 12 px, one in five backwards.
 *
 * @param stepOf another step of each ROI in a frame, from 0
 */
export function shiftAccuracy(
  options: PatternedOptions,
  {
    chips,
    frames,
    bounded,
    rois = 40,
    seed = 1,
    stepOf = usualStep,
  }: {
    chips: number;
    frames: number;
    bounded: number;
    rois?: number;
    seed?: number;
    stepOf?: (random: RandomStream, frame: number) => number;
  },
): ShiftAccuracy {
  const method = options.lineShape === 'fano' ? 'fano' : 'gaussian';
  const estimator = createRoiEstimator(method);
  const saturation = options.fullScale < 4095 ? options.fullScale : Number.POSITIVE_INFINITY;
  const errors: number[] = [];
  const ratios: number[] = [];
  const positions: number[] = [];
  const positionRatios: number[] = [];
  const bounds: { position: number; step: number }[] = [];
  const differences: number[] = [];
  const byFlag: Record<string, number> = {};
  const each: MeasuredStep[] = [];
  let count = 0;
  let missing = 0;
  let wrong = 0;
  for (let k = 0; k < chips; k++) {
    const chip = new PatternedChip(seed + k, rois, options);
    const { random } = chip.rois[0];
    const rest = chip.rois.map(({ mean }) => mean);
    const builder = createReferenceBuilder({ rois: chip.manifest, method, estimator, shifts: true, darkLevel: null });
    for (let i = 0; i < 5; i++) builder.add(chip.frame(rest), saturation, chip.manifest);
    const reference = decodeReference(encodeReference(builder.finish()));
    for (const [i, { label }] of chip.manifest.rois.entries()) {
      const known = reference.rois.get(label);
      if (!known?.fit) continue;
      positions.push(known.position - rest[i]);
      positionRatios.push(Math.abs(known.position - rest[i]) / known.positionError);
    }
    const finder = createShiftFinder(reference);
    for (let frame = 0; frame < frames; frame++) {
      const steps = rest.map(() => stepOf(random, frame));
      const pixels = chip.frame(
        rest.map((at, i) => at + steps[i]),
        random.between(0.95, 1.05),
      );
      for (const [i, roi] of chip.manifest.rois.entries()) {
        count++;
        const estimate = estimator(pixels, roi, 0, saturation);
        const found = finder.find(pixels, roi, 0, saturation, estimate);
        if (found === null) {
          missing++;
          continue;
        }
        const flags = [...estimate.flags, ...found.flags];
        for (const flag of flags) byFlag[flag] = (byFlag[flag] ?? 0) + 1;
        const error = found.shift - steps[i];
        const { uncertainty } = found;
        const difference = (estimate.position as number) - reference.rois.get(roi.label)!.alone.position - steps[i];
        each.push({ step: steps[i], error, uncertainty, difference, flags });
        if (flags.length === 0 && Math.abs(error) > 2) wrong++;
        if (found.flags.length > 0) continue;
        errors.push(error);
        ratios.push(Math.abs(error) / uncertainty);
        differences.push(difference);
        if (bounds.length < bounded) bounds.push(shiftBound(chip.rois[i], steps[i], 5, options));
      }
    }
  }
  const share = (values: readonly number[], below: number): number =>
    values.filter(value => value < below).length / values.length;
  return {
    count,
    missing,
    scatter: rms(errors),
    bound: rms(bounds.map(({ step }) => step)),
    withinOne: share(ratios, 1),
    withinTwo: share(ratios, 2),
    position: {
      scatter: rms(positions),
      bound: rms(bounds.map(({ position }) => position)),
      withinOne: share(positionRatios, 1),
      withinTwo: share(positionRatios, 2),
    },
    wrong: wrong / count,
    difference: rms(differences),
    byFlag,
    each,
  };
}

const rms = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
