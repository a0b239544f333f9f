import type { AllanPoint } from './allan.ts';
import { differenceVariance, noiseModel } from './noiseModel.ts';
import { type Plateau, plateau } from './plateau.ts';

/** Values of a ROI in a window of time, in order of time. */
export interface WindowValues {
  /** px; NaN where there is none. */
  shifts: readonly number[];
  /** Their own standard errors, px; NaN where unknown. */
  sigmas: readonly number[];
}

export interface StepHeight {
  /** px: mean in the second window less that in the first. */
  height: number;
  sigma: number;
  before: Plateau;
  after: Plateau;
}

/**
 * The step between two windows, with its true standard error, the greater of two:
 * from the scatter within the windows and how neighbouring values depend on each other (see {@link plateau});
 * and from the noise of the whole run, which has in it what is slower than a window ({@link noiseModel}, {@link differenceVariance}).
 *
 * Where a ROI's own standard errors are larger than its scatter, the rest is in common to all values of a window (the pattern under the line): no
 * averaging makes it smaller. Null where a window has fewer than three values.
 *
 * @param allan of the ROI, changes taken out
 * @param apart frames from the middle of one window to that of the other
 */
export function stepHeight(
  first: WindowValues,
  second: WindowValues,
  allan: readonly AllanPoint[],
  apart: number,
): StepHeight | null {
  const [before, after] = [plateau(first.shifts), plateau(second.shifts)];
  if (!before || !after) return null;
  const frames = Math.min(first.shifts.length, second.shifts.length);
  const model = noiseModel(allan);
  const within = Math.hypot(before.sigma, after.sigma);
  const random = Math.max(within, model ? Math.sqrt(differenceVariance(model, frames, apart)) : 0);
  const common = Math.hypot(commonError(first, before), commonError(second, after));
  return { height: after.mean - before.mean, sigma: Math.hypot(random, common), before, after };
}

/** What a ROI's own errors have in them beside its scatter, where that is sure. */
function commonError({ sigmas }: WindowValues, { scatter, count }: Plateau): number {
  const own = sigmas.filter(sigma => sigma > 0);
  const square = own.reduce((sum, sigma) => sum + sigma ** 2, 0) / own.length;
  const rest = square - scatter ** 2;
  return rest > 3 * Math.sqrt(2 / count) * square ? Math.sqrt(rest) : 0;
}
