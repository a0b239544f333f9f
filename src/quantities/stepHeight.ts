import { type AllanPoint, addToAllan, allanDeviations, breakAllan, newAllan } from './allan.ts';
import { commonErrors } from './commonErrors.ts';
import { differenceError, independentOf, type MeanOf, type NoiseModel, noiseModel } from './noiseModel.ts';
import { type Plateau, plateau } from './plateau.ts';
import { type DriftEstimate, pooledAllan, pooledDrifts } from './pooledNoise.ts';

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

/** A series with the windows whose difference is asked for. */
export interface StepWindows {
  first: WindowValues;
  second: WindowValues;
  run: StepSurroundings;
}

/**
 * The steps between two windows in the series of a chip, each with its true standard error. That is the error of the difference of two means of as many
 * values, as far apart, by the noise of the run, which has in it what is slower than a window ({@link noiseModel}, {@link differenceError}); by the
 * noise in the windows where that tells more, or is surely louder. What the other series tell of such noise counts too ({@link pooledAllan}). What a
 * drift of the run makes of the time between is no step, and is taken out as far as the drift is known: a drift that its error could have made is
 * drawn to zero (James and Stein, Proc. 4th Berkeley Symp. 1, 361 (1961)).
 *
 * What the ROI's own errors have in them beside its scatter is added ({@link commonErrors}). Null where a window has fewer than three values.
 */
export function stepHeights(series: readonly StepWindows[]): (StepHeight | null)[] {
  const own = series.map(({ first, second }) => allanWithin(first, second));
  const isLonger = series.map(({ run }, i) => known(run.allan) > known(own[i]!));
  const alone = series.map(({ run }, i) => isLonger[i]! && isMostlyDrift(run));
  const allan = series.map(({ run }, i) => (isLonger[i] ? run.allan : own[i]!));
  const noise = pooledAllan(allan.map((each, i) => (alone[i] ? [] : each)));
  const found = noiseAndDrifts(
    series.map(({ run }, i) => ({
      ...run,
      allan: alone[i] ? allan[i]! : noise[i]!,
      values: isLonger[i] ? known(run.allan) : 0,
      alone: alone[i]!,
    })),
  );
  return series.map((each, i) => stepHeight(each, found[i]!, louder(own[i]!, each.run.allan)));
}

/** @param louder by how much the windows are louder than the noise */
function stepHeight(
  { first, second, run: { apart } }: StepWindows,
  { model, drift }: NoiseAndDrift,
  louder: number,
): StepHeight | null {
  const [before, after] = [levelOf(first, drift.value), levelOf(second, drift.value)];
  if (!before || !after) return null;
  const meanOf = ({ count: values }: Plateau, { shifts: { length: frames } }: WindowValues): MeanOf => ({
    values,
    frames,
  });
  const random = model
    ? differenceError(model, meanOf(before, first), meanOf(after, second), apart) * louder
    : Math.hypot(before.sigma, after.sigma);
  const common = commonErrors([
    { sigmas: first.sigmas, level: before, known: random * Math.SQRT1_2 },
    { sigmas: second.sigmas, level: after, known: random * Math.SQRT1_2 },
  ]);
  return {
    height: after.mean - before.mean - drift.value * apart,
    sigma: Math.hypot(random, Math.sqrt(drift.variance) * apart, ...common),
    drift: drift.value * apart,
    before,
    after,
  };
}

/**
 * Whether the longest averages that are known tell of the drift and hardly of noise. The drift is known well then, and what is left of them without it is
 * less than the others could tell.
 */
function isMostlyDrift({ allan, drift }: StepSurroundings): boolean {
  const longest = allan.findLast(point => independentOf(point) >= 4);
  return longest !== undefined && (longest.frames * (drift ?? 0)) ** 2 / 2 > 0.7 * longest.deviation ** 2;
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
  return allanDeviations(state, 1);
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

const unknownDrift: DriftEstimate = { value: 0, variance: Number.POSITIVE_INFINITY };

/** Noise and drift of a series, each less the other. */
interface NoiseAndDrift {
  model: NoiseModel | null;
  /** px a frame. */
  drift: DriftEstimate;
}

/** @param series with as many values as tell their drift; what the others tell counts for those that do not stand alone */
function noiseAndDrifts(
  series: readonly (Pick<StepSurroundings, 'allan' | 'drift' | 'levels'> & { values: number; alone: boolean })[],
): NoiseAndDrift[] {
  // A slope of several levels is as good as that of one which is longer by the third root of their number.
  const frames = series.map(({ values, levels }) => values / levels ** (2 / 3));
  const measured = series.map(({ drift }, i) => (drift !== null && frames[i]! >= fewest ? drift : null));
  const lessDrift = (drifts: readonly DriftEstimate[]): NoiseAndDrift[] =>
    series.map(({ allan }, i) => ({ model: noiseModel(allan, Math.abs(drifts[i]!.value)), drift: drifts[i]! }));
  let found = lessDrift(measured.map(value => ({ value: value ?? 0, variance: 0 })));
  for (let round = 0; round < rounds; round++) {
    const drifts = found.map(({ model }, i): DriftEstimate => {
      const value = measured[i];
      if (value === null || value === undefined || !model) return unknownDrift;
      const half = frames[i]! / 2;
      const mean = { values: half, frames: half };
      return { value, variance: (differenceError(model, mean, mean, half) / half) ** 2 };
    });
    const pooled = pooledDrifts(drifts.map((drift, i) => (series[i]!.alone ? unknownDrift : drift)));
    found = lessDrift(pooled.map((drift, i) => (series[i]!.alone ? pooledDrifts([drifts[i]!])[0]! : drift)));
  }
  return found;
}
