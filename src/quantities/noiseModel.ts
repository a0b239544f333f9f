import type { AllanPoint } from './allan.ts';
import { spreadOfT } from './serialCorrelation.ts';

/** Values that a mean is of: so many, spread evenly over a span of so many frames. */
export interface MeanOf {
  values: number;
  frames: number;
}

/**
 * A kind of noise by its variogram γ(h) = ½ ⟨(x(t + h) − x(t))²⟩: given as G(n), the sum of (n − h)·γ(h) over h from 0 to n. So the second
 * difference of G is γ, and all that is asked of means follows from G.
 */
interface NoiseKind {
  /** What it must be worth: its amount, and one more where it is slow, since white noise is the rule. */
  price: number;
  sum: (n: number) => number;
}

/** Neighbours do not depend on each other. */
const white: NoiseKind = { price: 1, sum: n => (n * (n - 1)) / 2 };
/** 1/f: its Allan deviation is the same for all averages. */
const flicker: NoiseKind = { price: 2, sum: n => (n > 0 ? (n ** 2 * Math.log(n)) / (4 * Math.LN2) : 0) };
const walk: NoiseKind = { price: 2, sum: n => (n ** 3 - n) / 12 };
/** Noise that forgets: each value is so much of the one before (autoregressive of first order). */
const relaxation = (keep: number): NoiseKind => ({
  price: 3,
  sum: n => (n * (n + 1)) / 2 - n / (1 - keep) + (keep * (1 - keep ** n)) / (1 - keep) ** 2,
});

/** Variance of the difference of two means whose middles are so many frames apart. They do not overlap. */
function difference({ sum }: NoiseKind, a: MeanOf, b: MeanOf, apart: number): number {
  const [half, rest] = [(a.frames + b.frames) / 2, (b.frames - a.frames) / 2];
  const between = sum(apart + half) - sum(apart + rest) - sum(apart - rest) + sum(apart - half);
  return 2 * (between / (a.frames * b.frames) - sum(a.frames) / a.frames ** 2 - sum(b.frames) / b.frames ** 2);
}

/** Allan variance of averages of so many frames, for an amount of 1. */
const allanVariance = (kind: NoiseKind, frames: number): number =>
  difference(kind, { values: frames, frames }, { values: frames, frames }, frames) / 2;

/** All sums that are tried: each with one relaxation at most. */
const sums: readonly (readonly NoiseKind[])[] = [null, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98].flatMap(keep => {
  const last = keep === null ? [] : [relaxation(keep)];
  const others = [[white], [flicker], [walk], [white, flicker], [white, walk], [flicker, walk]];
  return [...(keep === null ? [] : [[]]), ...others].map(kinds => [...kinds, ...last]);
});

/** Of the differences of an octave about so many depend on each other. */
const overlap = (frames: number): number => Math.min(4, frames);

export const independentOf = ({ frames, differences }: AllanPoint): number => differences / overlap(frames);

interface Fitted {
  kinds: readonly NoiseKind[];
  /** px² */
  amounts: readonly number[];
  /** Row by row. */
  covariance: readonly Float64Array[];
  weight: number;
}

/** The noise of a series, as all sums of kinds that may be it, each with its probability. */
export type NoiseModel = readonly Fitted[];

interface Point {
  frames: number;
  variance: number;
  /** Part of it that is no noise. */
  known: number;
  /** Half the number of independent differences: the relative error of the variance is one over its root. */
  weight: number;
}

/**
 * The noise as a sum of white noise, 1/f noise, a random walk and a relaxation: the shapes of the Allan deviation (Riley, NIST Special Publication
 * 1065, section 3.4). Amounts are those of the greatest likelihood: an Allan variance is distributed as χ² of as many degrees of freedom as there are
 * independent differences (Greenhall and Riley, Proc. 35th PTTI Meeting, 267 (2003)). All sums count, each by its weight after Akaike (Burnham and
 * Anderson, Model Selection and Multimodel Inference, 2nd ed., section 2.9): what can't be told apart is in the error. Null for fewer than three octaves.
 *
 * @param drift px a frame, of which the deviations are to be freed
 */
export function noiseModel(allan: readonly AllanPoint[], drift = 0): NoiseModel | null {
  const points = allan
    .filter(point => point.deviation > 0 && independentOf(point) >= 2)
    .map(({ frames, deviation, ...point }) => ({
      frames,
      variance: deviation ** 2,
      known: (drift * frames) ** 2 / 2,
      weight: independentOf({ frames, deviation, ...point }) / 2,
    }));
  if (points.length < fewest) return null;
  const found = sums.flatMap(kinds => (kinds.length <= points.length ? (fitted(points, kinds) ?? []) : []));
  const least = Math.min(...found.map(({ cost }) => cost));
  const weights = found.map(({ cost }) => Math.exp((least - cost) / 2));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const model = found.map((each, i) => ({ ...each, weight: weights[i]! / all })).filter(({ weight }) => weight > 1e-3);
  return model.length > 0 ? model : null;
}

/** Weights follow from what is told; so often they are made anew. */
const rounds = 6;
/** Octaves from which anything slow is told. */
const fewest = 3;

/** Null where an amount is not above zero. */
function fitted(
  points: readonly Point[],
  kinds: readonly NoiseKind[],
): (Omit<Fitted, 'weight'> & { cost: number }) | null {
  const { length: n } = kinds;
  const shapes = points.map(({ frames }) => kinds.map(kind => allanVariance(kind, frames)));
  let told = points.map(({ variance, known }) => Math.max(variance - known, 0.01 * variance));
  let rows: Float64Array[] = [];
  let amounts: number[] = [];
  for (let round = 0; round < rounds; round++) {
    rows = kinds.map((_, i) => Float64Array.from({ length: 2 * n + 1 }, (_, j) => (j === n + 1 + i ? 1 : 0)));
    for (const [k, { variance, known, weight }] of points.entries()) {
      const shape = shapes[k]!;
      for (let i = 0; i < n; i++) {
        const scaled = (weight * shape[i]!) / told[k]! ** 2;
        for (let j = 0; j < n; j++) rows[i]![j]! += scaled * shape[j]!;
        rows[i]![n]! += scaled * (variance - known);
      }
    }
    if (!solved(rows)) return null;
    amounts = rows.map(row => row[n]!);
    if (amounts.some(amount => !(amount > 0))) return null;
    told = shapes.map(shape => shape.reduce((sum, each, i) => sum + amounts[i]! * each, 0));
  }
  const cost = points.reduce((sum, { variance, known, weight }, k) => {
    const ratio = Math.max((variance - known) / told[k]!, 0.01);
    return sum + 2 * weight * (ratio - 1 - Math.log(ratio));
  }, 0);
  return {
    kinds,
    amounts,
    covariance: rows.map(row => row.subarray(n + 1)),
    cost: cost + 2 * kinds.reduce((sum, { price }) => sum + price, 0),
  };
}

/** Gauss and Jordan, in place, for a few unknowns: what stands behind the square is solved for. */
function solved(rows: readonly Float64Array[]): boolean {
  for (const [i, own] of rows.entries()) {
    const pivot = own[i]!;
    if (!(pivot > 0)) return false;
    for (let j = 0; j < own.length; j++) own[j]! /= pivot;
    for (const row of rows) {
      const factor = row[i]!;
      if (row !== own) for (let j = 0; j < own.length; j++) row[j]! -= factor * own[j]!;
    }
  }
  return true;
}

/**
 * Standard error of the difference of two means by noise; drift is none. Each sum of kinds tells a variance, known as well as of so many degrees of
 * freedom. The error is that within which the difference is with 68 %, or half of that with 95 %: their mean.
 *
 * @param apart frames from the middle of one to that of the other
 */
export function differenceError(model: NoiseModel, a: MeanOf, b: MeanOf, apart: number): number {
  const far = Math.max(apart, (a.frames + b.frames) / 2);
  const fewer = 1 / a.values - 1 / a.frames + 1 / b.values - 1 / b.frames;
  const found = model.map(({ kinds, amounts, covariance, weight }) => {
    const parts = kinds.map(kind => difference(kind, a, b, far) + (kind === white ? fewer : 0));
    const variance = parts.reduce((sum, part, i) => sum + part * amounts[i]!, 0);
    let own = 0;
    for (const [i, part] of parts.entries())
      for (const [j, other] of parts.entries()) own += part * other * covariance[i]![j]!;
    return { weight, sigma: Math.sqrt(variance) * spreadOfT((2 * variance ** 2) / own) };
  });
  return (quantile(found, 0.6827) + quantile(found, 0.9545) / 2) / 2;
}

/** The distance from zero within which a mixture of normal distributions has so much of itself. */
function quantile(mixture: readonly { weight: number; sigma: number }[], share: number): number {
  let [low, high] = [0, 4 * Math.max(...mixture.map(({ sigma }) => sigma))];
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    const within = mixture.reduce(
      (sum, { weight, sigma }) => sum + weight * errorFunction(middle / sigma / Math.SQRT2),
      0,
    );
    if (within < share) low = middle;
    else high = middle;
  }
  return high;
}

/** To 5e-4 (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.27). @param x not below 0 */
const errorFunction = (x: number): number =>
  1 - (1 + x * (0.278393 + x * (0.230389 + x * (0.000972 + x * 0.078108)))) ** -4;
