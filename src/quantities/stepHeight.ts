import { type AllanPoint, addToAllan, allanDeviations, breakAllan, newAllan } from './allan.ts';
import { commonErrors } from './commonErrors.ts';
import { differenceError, type MeanOf, type NoiseModel, noiseModel } from './noiseModel.ts';
import { type Plateau, plateau } from './plateau.ts';

/** Values of a ROI in a window of time, in order of time. */
export interface WindowValues {
  /** px; NaN where there is none. */
  shifts: readonly number[];
  /** Their own standard errors, px; NaN where unknown. */
  sigmas: readonly number[];
}

/** What is known of a series besides its values in the windows. */
export interface StepSurroundings {
  /** Of the run, changes taken out. */
  allan: readonly AllanPoint[];
  /** px a frame; null: not known. */
  drift: number | null;
  /** Levels that the drift is of. */
  levels: number;
  /** Frames from the middle of one window to that of the other. */
  apart: number;
}

export interface StepHeight {
  /** px: mean in the second window less that in the first, and less what drift makes of the time between. */
  height: number;
  sigma: number;
  /** px: what was taken out for drift. */
  drift: number;
  before: Plateau;
  after: Plateau;
}

/**
 * The step between two windows, with its true standard error. That is the error of the difference of two means of as many values, as far apart, by the
 * noise of the run, which has in it what is slower than a window ({@link noiseModel}, {@link differenceError}); by the noise in the windows where that
 * tells more, or is surely louder. What a drift of the run makes of the time between is no step, and is taken out as far as the drift is known: a
 * drift that its error could have made is drawn to zero (James and Stein, Proc. 4th Berkeley Symp. 1, 361 (1961)).
 *
 * What the ROI's own errors have in them beside its scatter is added ({@link commonErrors}). Null where a window has fewer than three values.
 */
export function stepHeight(first: WindowValues, second: WindowValues, run: StepSurroundings): StepHeight | null {
  const own = allanWithin(first, second);
  const isLonger = known(run.allan) > known(own);
  const { model, slope, slopeVariance } = isLonger
    ? noiseAndDrift(run)
    : { model: noiseModel(own), slope: 0, slopeVariance: 0 };
  const [before, after] = [levelOf(first, slope), levelOf(second, slope)];
  if (!before || !after) return null;
  const meanOf = ({ count: values }: Plateau, { shifts: { length: frames } }: WindowValues): MeanOf => ({
    values,
    frames,
  });
  const random = model
    ? differenceError(model, meanOf(before, first), meanOf(after, second), run.apart) * louder(own, run.allan)
    : Math.hypot(before.sigma, after.sigma);
  const common = commonErrors([
    { sigmas: first.sigmas, level: before, known: random * Math.SQRT1_2 },
    { sigmas: second.sigmas, level: after, known: random * Math.SQRT1_2 },
  ]);
  return {
    height: after.mean - before.mean - slope * run.apart,
    sigma: Math.hypot(random, Math.sqrt(slopeVariance) * run.apart, ...common),
    drift: slope * run.apart,
    before,
    after,
  };
}

const known = ([point]: readonly AllanPoint[]): number => point?.differences ?? 0;

/** Without what the drift makes of it. */
const levelOf = ({ shifts }: WindowValues, slope: number): Plateau | null =>
  plateau(shifts.map((shift, i) => shift - slope * (i - (shifts.length - 1) / 2)));

function allanWithin(...windows: readonly WindowValues[]): AllanPoint[] {
  const state = newAllan();
  for (const { shifts } of windows) {
    const level = plateau(shifts);
    breakAllan(state);
    for (const shift of shifts) {
      addToAllan(state, level && Math.abs(shift - level.mean) <= 6 * level.scatter ? shift : Number.NaN);
    }
  }
  return allanDeviations(state);
}

/** By how much the windows are louder than the run, where that is sure: five errors of their variance. */
function louder([own]: readonly AllanPoint[], [run]: readonly AllanPoint[]): number {
  if (!own || !run) return 1;
  const ratio = own.deviation / run.deviation;
  return ratio ** 2 > 1 + 5 * Math.sqrt(2 / own.differences) ? ratio : 1;
}

/** Frames that tell a drift. */
const fewest = 16;
const rounds = 3;

/** Noise and drift of a run, each less the other. The drift in px a frame. */
function noiseAndDrift({ allan, drift, levels }: StepSurroundings): {
  model: NoiseModel | null;
  slope: number;
  slopeVariance: number;
} {
  // A slope of several levels is as good as that of one which is longer by the third root of their number.
  const frames = known(allan) / levels ** (2 / 3);
  const half = { values: frames / 2, frames: frames / 2 };
  let square = drift !== null && frames >= fewest ? drift ** 2 : 0;
  let variance = 0;
  let model = noiseModel(allan, Math.sqrt(square));
  for (let round = 0; round < rounds && model && square > 0; round++) {
    variance = (differenceError(model, half, half, frames / 2) / (frames / 2)) ** 2;
    square = Math.max(0, drift! ** 2 - variance);
    model = noiseModel(allan, Math.sqrt(square));
  }
  const share = square > 0 ? square / drift! ** 2 : 0;
  return { model, slope: share * (drift ?? 0), slopeVariance: share * variance };
}
