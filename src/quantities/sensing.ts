import { clockTime, concentrationOf, type ExperimentStep } from '../model/experimentStep.ts';
import { medianOf } from '../model/median.ts';
import { commonErrors } from './commonErrors.ts';
import { type BindingStep, fitLangmuir, type LangmuirFit } from './langmuir.ts';
import { type Plateau, plateau } from './plateau.ts';
import { type Sensitivity, sensitivity } from './sensitivity.ts';

/** What the figures are from. Times are those of the clock at the camera, ms as if in UTC. */
export interface SensingInput {
  /** In order. */
  times: Float64Array;
  labels: readonly string[];
  /** Of each ROI, px; NaN where there is none. */
  shifts: readonly Float32Array[];
  /** Their own standard errors, px; absent: unknown. */
  sigmas?: readonly Float32Array[];
  /** 1 for an image that does not count: its shifts are from another zero than those of most. */
  isOther?: Uint8Array;
  /** In order of time. */
  steps: readonly ExperimentStep[];
  groups: readonly { name: string; has: (label: string) => boolean }[];
}

/** The span of a step whose values count: its second half, when the liquid has come. */
export interface StepWindow {
  step: ExperimentStep;
  from: number;
  end: number;
}

export interface SensingFigures {
  /** Label of a ROI, or name of a group. */
  name: string;
  /** ROIs of a group; 1 for a ROI. */
  members: number;
  /** Of each window; null where there are too few values. */
  plateaus: readonly (Plateau | null)[];
  /** px a unit of refractive index; null without two steps of known, different index. */
  refractive: Sensitivity | null;
  /** Null without a step of known concentration, or where the curve does not tell the rates. */
  binding: LangmuirFit | null;
}

export interface Sensing {
  windows: readonly StepWindow[];
  rois: readonly SensingFigures[];
  groups: readonly SensingFigures[];
}

/**
 * Sensing figures of each ROI and of each group, whose curve is the median of its ROIs in each image: means in the steps, sensitivity
 * and limit of detection from the steps whose refractive index is known, and a 1:1 Langmuir fit where there are concentrations.
 */
export function sense({ times, labels, shifts: all, sigmas, isOther, steps, groups }: SensingInput): Sensing {
  const shifts = isOther?.includes(1)
    ? all.map(curve => curve.map((shift, i) => (isOther[i] === 1 ? Number.NaN : shift)))
    : all;
  const last = times.at(-1) ?? Number.NaN;
  const windows = steps.map((step, i): StepWindow => {
    const begin = clockTime(step.time);
    const next = steps[i + 1];
    const end = next ? clockTime(next.time) : last + 1;
    return { step, from: begin + (end - begin) / 2, end };
  });
  const binding = bindingSteps(windows);
  const figures = (
    name: string,
    members: number,
    curve: Float32Array,
    own: Float32Array | undefined,
  ): SensingFigures => {
    const plateaus = plateausOf(
      windows.map(({ from, end }) => [firstFrom(times, from), firstFrom(times, end)] as const),
      curve,
      own,
    );
    return {
      name,
      members,
      plateaus,
      refractive: refractiveSensitivity(windows, plateaus),
      binding: binding && bindingOf(times, curve, binding),
    };
  };
  return {
    windows,
    rois: labels.map((label, i) => figures(label, 1, shifts[i]!, sigmas?.[i])),
    groups: groups.map(({ name, has }) => {
      const members = labels.flatMap((label, i) => (has(label) ? [i] : []));
      const own =
        sigmas &&
        medianSigmas(
          members.map(i => sigmas[i]!),
          times.length,
        );
      return figures(
        name,
        members.length,
        medianCurve(
          members.map(i => shifts[i]!),
          times.length,
        ),
        own,
      );
    }),
  };
}

/** With the errors that all values of a step have in common ({@link commonErrors}). */
function plateausOf(
  spans: readonly (readonly [number, number])[],
  curve: Float32Array,
  own: Float32Array | undefined,
): (Plateau | null)[] {
  const plateaus = spans.map(span => plateau(curve.subarray(...span)));
  const known = plateaus.flatMap((level, i) =>
    level && own ? [{ level, sigmas: own.subarray(...spans[i]!), known: level.sigma }] : [],
  );
  const errors = new Map(commonErrors(known).map((error, i) => [known[i]!.level, error]));
  return plateaus.map(level => level && { ...level, sigma: Math.hypot(level.sigma, errors.get(level) ?? 0) });
}

function refractiveSensitivity(
  windows: readonly StepWindow[],
  plateaus: readonly (Plateau | null)[],
): Sensitivity | null {
  const points = windows.flatMap(({ step }, i) => {
    const found = plateaus[i];
    const index = step.refractive_index;
    return found && index !== undefined ? [{ x: index, y: found.mean, sigma: found.sigma, found }] : [];
  });
  if (points.some(({ sigma }) => !(sigma > 0))) return null;
  const freedom = points.reduce((sum, { found }) => sum + found.count - 1, 0);
  const variance = points.reduce((sum, { found }) => sum + (found.count - 1) * found.scatter ** 2, 0) / freedom;
  const noise = Math.sqrt(variance);
  return sensitivity(points, noise, noise / Math.sqrt(2 * freedom));
}

/** From when on a curve is one of binding, and its steps; seconds since then. */
interface Binding {
  since: number;
  steps: readonly BindingStep[];
}

/**
 * From the second half of the step before the first analyte on: what was on the chip before that is another experiment. A step without a
 * concentration is buffer. Null where nothing ever binds.
 */
function bindingSteps(windows: readonly StepWindow[]): Binding | null {
  const concentrations = windows.map(({ step }) => concentrationOf(step.concentration ?? '0') ?? 0);
  const first = concentrations.findIndex(concentration => concentration > 0);
  if (first < 0) return null;
  const beginOf = (i: number): number => clockTime(windows[i]!.step.time);
  const since = windows[first - 1]?.from ?? beginOf(first);
  const steps = concentrations.map((concentration, i) => ({ time: (beginOf(i) - since) / 1000, concentration }));
  return { since, steps: steps.slice(first) };
}

function bindingOf(times: Float64Array, curve: Float32Array, { since, steps }: Binding): LangmuirFit | null {
  const first = firstFrom(times, since);
  const seconds = times.subarray(first).map(time => (time - since) / 1000);
  return fitLangmuir({ times: seconds, shifts: curve.subarray(first) }, steps);
}

/** Of each image, the median of what is there. */
function medianCurve(curves: readonly Float32Array[], count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) =>
    medianOf(curves.map(curve => curve[i]!).filter(value => !Number.isNaN(value))),
  );
}

/** Of each image, the standard error of that median: of a mean, times that of a median. */
function medianSigmas(sigmas: readonly Float32Array[], count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    const there = sigmas.map(each => each[i]!).filter(sigma => sigma > 0);
    return (1.25 * Math.sqrt(there.reduce((sum, sigma) => sum + sigma ** 2, 0))) / there.length;
  });
}

/** The first of these sorted times that is not before one. */
function firstFrom(times: Float64Array, time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
