import type { AllanPoint } from './allan.ts';

/** A kind of noise. */
interface NoiseKind {
  /** What is fitted of it: its amount, and what else. */
  parameters: number;
  /** Variance (Allan) of averages of m frames, for an amount of 1. */
  average: (frames: number) => number;
  /** Variance of the difference of two means of so many frames, whose middles are so many frames apart. */
  difference: (frames: number, apart: number) => number;
}

/** Noise as a sum of kinds; amounts in px². */
export type NoiseModel = readonly { kind: NoiseKind; amount: number }[];

const white: NoiseKind = { parameters: 1, average: m => 1 / m, difference: n => 2 / n };

const square = (x: number): number => (x > 0 ? x ** 2 * Math.log(x) : 0);

/** From its structure function, t² ln t. */
const flicker: NoiseKind = {
  parameters: 1,
  average: () => 1,
  difference: (n, apart) => {
    const s = apart / n;
    return (square(s + 1) + square(s - 1) - 2 * square(s)) / (2 * Math.LN2);
  },
};

const walk: NoiseKind = { parameters: 1, average: m => m, difference: (n, apart) => 3 * (apart - n / 3) };

/** Noise that forgets: each value is so much of the one before (autoregressive of first order). */
function relaxation(keep: number): NoiseKind {
  const variance = (m: number): number =>
    ((m * (1 + keep)) / (1 - keep) - (2 * keep * (1 - keep ** m)) / (1 - keep) ** 2) / m ** 2;
  const together = (m: number, apart: number): number =>
    (keep ** (apart - m + 1) * (1 - keep ** m) ** 2) / (1 - keep) ** 2 / m ** 2;
  const difference = (n: number, apart: number): number => 2 * (variance(n) - together(n, apart));
  return { parameters: 2, average: m => difference(m, m) / 2, difference };
}

/** All sums that are tried: each with one relaxation at most. */
const sums: readonly (readonly NoiseKind[])[] = [null, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98].flatMap(keep => {
  const last = keep === null ? [] : [relaxation(keep)];
  const others = [[white], [flicker], [walk], [white, flicker], [white, walk], [flicker, walk], [white, flicker, walk]];
  return [...(keep === null ? [] : [[]]), ...others].map(kinds => [...kinds, ...last]);
});

/** Of the differences of an octave about so many depend on each other. */
const overlap = (frames: number): number => Math.min(4, frames);

/**
 * The noise as a sum of white noise, 1/f noise, a random walk and a relaxation: the shapes of the Allan deviation (Riley, NIST Special Publication
 * 1065, section 3.4), by least squares of relative errors, none negative. A further kind must be worth it (Akaike, IEEE Trans. Autom. Control 19, 716
 * (1974)): else the noise of the estimate becomes noise of the run. Null where there are fewer than two octaves.
 */
export function noiseModel(allan: readonly AllanPoint[]): NoiseModel | null {
  const points = allan
    .filter(({ deviation, differences, frames }) => deviation > 0 && differences >= 3 * overlap(frames))
    .map(({ frames, deviation, differences }) => ({
      frames,
      variance: deviation ** 2,
      // The relative error of a variance of so many independent differences is √(2/n).
      weight: differences / overlap(frames) / 2,
    }));
  let best: { model: NoiseModel; cost: number } | null = null;
  for (const kinds of sums) {
    if (kinds.length >= points.length) continue;
    const found = fitted(points, kinds);
    if (found && !(best && best.cost <= found.cost)) best = found;
  }
  return best?.model ?? null;
}

interface Point {
  frames: number;
  variance: number;
  weight: number;
}

/** Null where an amount is not above zero. */
function fitted(points: readonly Point[], kinds: readonly NoiseKind[]): { model: NoiseModel; cost: number } | null {
  const { length: n } = kinds;
  const rows = kinds.map(() => new Float64Array(n + 1));
  for (const { frames, variance, weight } of points) {
    const values = kinds.map(({ average }) => average(frames) / variance);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) rows[i]![j]! += weight * values[i]! * values[j]!;
      rows[i]![n]! += weight * values[i]!;
    }
  }
  // Gauss and Jordan, for four unknowns at most.
  for (let i = 0; i < n; i++) {
    const pivot = rows[i]![i]!;
    if (!(pivot > 0)) return null;
    for (let k = 0; k < n; k++) {
      if (k === i) continue;
      const factor = rows[k]![i]! / pivot;
      for (let j = i; j <= n; j++) rows[k]![j]! -= factor * rows[i]![j]!;
    }
  }
  const model = kinds.map((kind, i) => ({ kind, amount: rows[i]![n]! / rows[i]![i]! }));
  if (model.some(({ amount }) => !(amount > 0))) return null;
  const cost = points.reduce((sum, { frames, variance, weight }) => {
    const told = model.reduce((total, { kind, amount }) => total + amount * kind.average(frames), 0);
    return sum + weight * (told / variance - 1) ** 2;
  }, 0);
  return { model, cost: cost + 2 * kinds.reduce((sum, { parameters }) => sum + parameters, 0) };
}

/** Variance of the difference of two means of so many frames, px². @param apart frames from the middle of one to that of the other; not less */
export const differenceVariance = (model: NoiseModel, frames: number, apart: number): number =>
  model.reduce((sum, { kind, amount }) => sum + amount * kind.difference(frames, Math.max(frames, apart)), 0);
