import { leastSquares } from './leastSquares.ts';
import { correlationFactor } from './serialCorrelation.ts';

/** From a time on the analyte has a concentration. */
export interface BindingStep {
  /** Seconds, as the times of the curve. */
  time: number;
  /** Mol a litre; 0 is buffer alone. */
  concentration: number;
}

/** A binding curve: shifts in order of time. */
export interface BindingCurve {
  /** Seconds. */
  times: ArrayLike<number>;
  /** Pixels; NaN where there is none. */
  shifts: ArrayLike<number>;
  /** Standard errors, which weigh the values among each other; absent: all alike. */
  sigmas?: ArrayLike<number>;
}

/** A number with its standard error. */
export interface Estimate {
  value: number;
  sigma: number;
  /** Of 68 and 95 in 100 such intervals the truth is inside. */
  interval68: readonly [number, number];
  interval95: readonly [number, number];
}

export interface LangmuirFit {
  /** Association, litre a mol a second. */
  kOn: Estimate;
  /** Dissociation, a second. */
  kOff: Estimate;
  /** Mol a litre: kOff / kOn. */
  kD: Estimate;
  /** Shift of all sites bound, px. */
  maxShift: Estimate;
  /** Shift before, px. */
  baseline: Estimate;
  /** Shift less model, px, for each value of the curve; NaN where there is none. */
  residuals: Float64Array;
  /** Standard deviation of the residuals, px. */
  scatter: number;
}

/**
 * Fraction of sites bound at each time, for the reaction A + B ⇌ AB of one kind of sites (Langmuir, J. Am. Chem. Soc. 40, 1361 (1918)):
 * dθ/dt = kOn·C·(1 − θ) − kOff·θ, solved piece by piece while the concentration stays the same. Before the first step nothing is bound.
 *
 * @param times in order, seconds
 */
export function boundFraction(
  times: ArrayLike<number>,
  steps: readonly BindingStep[],
  kOn: number,
  kOff: number,
  into = new Float64Array(times.length),
): Float64Array {
  let next = 0;
  let [since, from, concentration] = [Number.NEGATIVE_INFINITY, 0, 0];
  const at = (time: number): number => {
    if (next === 0) return 0;
    const rate = kOn * concentration + kOff;
    const equilibrium = (kOn * concentration) / rate;
    return equilibrium + (from - equilibrium) * Math.exp(-rate * (time - since));
  };
  for (let i = 0; i < times.length; i++) {
    const time = times[i]!;
    while (next < steps.length && steps[next]!.time <= time) {
      const step = steps[next]!;
      from = at(step.time);
      since = step.time;
      concentration = step.concentration;
      next++;
    }
    into[i] = at(time);
  }
  return into;
}

/** Values of a curve from which the start is looked for. */
const startValues = 150;
/** Starts of each rate. */
const startRates = 10;

/**
 * Rates of a binding curve by least squares: ln kOn, ln kOff, the shift of all sites and the baseline, all at once. The start is the best of a
 * grid of rates, at each of which shift and baseline follow linearly. Errors are from the scatter of the residuals, and grow where neighbouring
 * residuals are alike ({@link correlationFactor}); intervals of the rates are symmetric in their logarithms.
 *
 * Null where the curve does not tell the rates: too few values, no step with analyte, no binding to be seen.
 *
 * @param steps in order of time; the first with a concentration above 0 begins the association
 */
export function fitLangmuir(
  { times, shifts, sigmas }: BindingCurve,
  steps: readonly BindingStep[],
): LangmuirFit | null {
  const used = Array.from({ length: times.length }, (_, i) => i).filter(
    i => Number.isFinite(shifts[i]) && (sigmas === undefined || sigmas[i]! > 0),
  );
  const highest = Math.max(0, ...steps.map(({ concentration }) => concentration));
  const begun = steps.find(({ concentration }) => concentration > 0);
  if (!begun || used.length < 12) return null;
  const t = Float64Array.from(used, i => times[i]!);
  const y = Float64Array.from(used, i => shifts[i]!);
  const weights = Float64Array.from(used, i => 1 / (sigmas?.[i] ?? 1));
  const span = t.at(-1)! - begun.time;
  if (!(span > 0)) return null;
  const start = bestStart(t, y, weights, steps, highest, span);
  if (!start) return null;
  const model = new Float64Array(t.length);
  // Of the size of 1: logarithms, and shifts in units of the largest.
  const unit = Math.max(Math.abs(start.maxShift), 1e-12);
  const fit = leastSquares(
    ([lnOn, lnOff, max, base], into) => {
      boundFraction(t, steps, Math.exp(lnOn!), Math.exp(lnOff!), model);
      for (let i = 0; i < t.length; i++) into[i] = (y[i]! - unit * (base! + max! * model[i]!)) * weights[i]!;
    },
    t.length,
    [Math.log(start.kOn), Math.log(start.kOff), start.maxShift / unit, start.baseline / unit],
  );
  if (!fit?.isConverged) return null;
  const freedom = t.length - 4;
  const variance = (fit.cost / freedom) * correlationFactor(fit.residuals);
  const covariance = (i: number, j: number): number => fit.covariance[i * 4 + j]! * variance;
  const [lnOn, lnOff, max, base] = fit.parameters as unknown as [number, number, number, number];
  // A rate whose logarithm is not known to within some e-folds is not told by the curve.
  if (!(covariance(0, 0) < 4 && covariance(1, 1) < 4)) return null;
  const residuals = new Float64Array(times.length).fill(Number.NaN);
  for (const [k, i] of used.entries()) residuals[i] = fit.residuals[k]! / weights[k]!;
  const scatter = Math.sqrt(used.reduce((sum, i) => sum + residuals[i]! ** 2, 0) / freedom);
  return {
    kOn: ofLogarithm(lnOn, covariance(0, 0)),
    kOff: ofLogarithm(lnOff, covariance(1, 1)),
    kD: ofLogarithm(lnOff - lnOn, covariance(0, 0) + covariance(1, 1) - 2 * covariance(0, 1)),
    maxShift: ofNumber(unit * max, unit ** 2 * covariance(2, 2)),
    baseline: ofNumber(unit * base, unit ** 2 * covariance(3, 3)),
    residuals,
    scatter,
  };
}

interface Start {
  kOn: number;
  kOff: number;
  maxShift: number;
  baseline: number;
}

function bestStart(
  t: Float64Array,
  y: Float64Array,
  weights: Float64Array,
  steps: readonly BindingStep[],
  highest: number,
  span: number,
): Start | null {
  const stride = Math.max(1, Math.floor(t.length / startValues));
  const pick = (values: Float64Array): Float64Array => values.filter((_, i) => i % stride === 0);
  const [times, values, heavy] = [pick(t), pick(y), pick(weights)];
  const bound = new Float64Array(times.length);
  let best: (Start & { cost: number }) | null = null;
  // From what hardly begins within the curve to what is over between two values.
  const rates = Array.from({ length: startRates }, (_, i) => (0.05 / span) * 40_000 ** (i / (startRates - 1)));
  for (const kOff of rates) {
    for (const observed of rates) {
      const kOn = observed / highest;
      boundFraction(times, steps, kOn, kOff, bound);
      let [s, sx, sy, sxx, sxy, syy] = [0, 0, 0, 0, 0, 0];
      for (let i = 0; i < times.length; i++) {
        const w = heavy[i]! ** 2;
        s += w;
        sx += w * bound[i]!;
        sy += w * values[i]!;
        sxx += w * bound[i]! ** 2;
        sxy += w * bound[i]! * values[i]!;
        syy += w * values[i]! ** 2;
      }
      const maxShift = (s * sxy - sx * sy) / (s * sxx - sx * sx);
      const baseline = (sy - maxShift * sx) / s;
      const cost = syy - maxShift * sxy - baseline * sy;
      if (Number.isFinite(cost) && (best === null || cost < best.cost)) best = { kOn, kOff, maxShift, baseline, cost };
    }
  }
  return best;
}

const ofNumber = (value: number, variance: number): Estimate => {
  const sigma = Math.sqrt(variance);
  return {
    value,
    sigma,
    interval68: [value - sigma, value + sigma],
    interval95: [value - 1.96 * sigma, value + 1.96 * sigma],
  };
};

const ofLogarithm = (logarithm: number, variance: number): Estimate => {
  const width = Math.sqrt(variance);
  const value = Math.exp(logarithm);
  return {
    value,
    sigma: value * width,
    interval68: [value * Math.exp(-width), value * Math.exp(width)],
    interval95: [value * Math.exp(-1.96 * width), value * Math.exp(1.96 * width)],
  };
};
