import type { Measured } from './robustSlope.ts';
import { factorOfRaw } from './serialCorrelation.ts';

/** Sums of what a shift depends on, within each level that it has had; plain data. Of each frame: shift (px), time (h), temperature (K). */
export interface TrendState {
  /** Frames, sums and products since the last change, about the first frame of it. */
  count: number;
  readonly origin: Float64Array;
  readonly last: Float64Array;
  readonly sum: Float64Array;
  /** Row by row. */
  readonly products: Float64Array;
  /** Products of neighbouring frames. */
  readonly neighbours: Float64Array;
  /** Products about the mean, of the levels before. */
  readonly pooled: Float64Array;
  readonly pooledNeighbours: Float64Array;
  /** Frames and levels. */
  frames: number;
  levels: number;
}

export const newTrend = (): TrendState => ({
  count: 0,
  origin: new Float64Array(3),
  last: new Float64Array(3),
  sum: new Float64Array(3),
  products: new Float64Array(9),
  neighbours: new Float64Array(9),
  pooled: new Float64Array(9),
  pooledNeighbours: new Float64Array(9),
  frames: 0,
  levels: 0,
});

/** Takes a frame. @param hours since any moment @param temperature NaN where there is none: the frame counts for no trend then, but where none ever has one */
export function addToTrend(state: TrendState, shift: number, hours: number, temperature: number): void {
  const { origin, last, sum, products, neighbours } = state;
  if (state.count === 0) {
    origin[0] = shift;
    origin[1] = hours;
    origin[2] = temperature;
  }
  const y = shift - origin[0]!;
  const t = hours - origin[1]!;
  const k = temperature - origin[2]!;
  sum[0]! += y;
  sum[1]! += t;
  sum[2]! += k;
  addProducts(products, y, t, k, y, t, k);
  if (state.count > 0) addProducts(neighbours, y, t, k, last[0]!, last[1]!, last[2]!);
  last[0] = y;
  last[1] = t;
  last[2] = k;
  state.count++;
}

/** Written out: a loop takes three times as long, for each value of a run. */
function addProducts(to: Float64Array, a: number, b: number, c: number, d: number, e: number, f: number): void {
  to[0]! += a * d;
  to[1]! += a * e;
  to[2]! += a * f;
  to[3]! += b * d;
  to[4]! += b * e;
  to[5]! += b * f;
  to[6]! += c * d;
  to[7]! += c * e;
  to[8]! += c * f;
}

/** What comes is on another level. */
export function breakTrend(state: TrendState): void {
  centre(state, state.pooled, state.pooledNeighbours);
  if (state.count > 2) {
    state.frames += state.count;
    state.levels++;
  }
  state.count = 0;
  for (const sums of [state.sum, state.products, state.neighbours]) sums.fill(0);
}

function centre({ count, sum, products, neighbours }: TrendState, into: Float64Array, near: Float64Array): void {
  if (count <= 2) return;
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      const mean = (sum[i]! * sum[j]!) / count;
      into[3 * i + j]! += products[3 * i + j]! - mean;
      near[3 * i + j]! += neighbours[3 * i + j]! - (mean * (count - 1)) / count;
    }
  }
}

export interface Trend {
  /** px an hour. */
  drift: Measured;
  /** px a kelvin; null without a temperature that has changed. */
  temperature: Measured | null;
}

/**
 * Drift and influence of the temperature at once: least squares of shift = level + a·time + b·temperature, with a level of its own between every two
 * changes and common slopes (analysis of covariance; Press et al., Numerical Recipes, section 15.4). The variance of the slopes is multiplied by
 * (1 + ρ)/(1 − ρ), with ρ the correlation of neighbouring residuals (Bartlett 1946); of slower noise they know nothing. Null where there is too little.
 */
export function trendOf(state: TrendState): Trend | null {
  const m = state.pooled.slice();
  const near = state.pooledNeighbours.slice();
  centre(state, m, near);
  const frames = state.frames + state.count;
  const levels = state.levels + 1;
  const freedom = frames - levels - 2;
  if (freedom < 8 || !(m[4]! > 0)) return null;
  const [yy, ty, tt, ky, kt, kk] = [m[0]!, m[3]!, m[4]!, m[6]!, m[7]!, m[8]!];
  const determinant = tt * kk - kt * kt;
  const hasTemperature = Number.isFinite(kk) && determinant > 1e-9 * tt * kk;
  const a = hasTemperature ? (ty * kk - ky * kt) / determinant : ty / tt;
  const b = hasTemperature ? (ky * tt - ty * kt) / determinant : 0;
  const weights = [1, -a, -b];
  let [square, product] = [0, 0];
  for (let i = 0; i < (hasTemperature ? 3 : 2); i++)
    for (let j = 0; j < (hasTemperature ? 3 : 2); j++) {
      square += weights[i]! * weights[j]! * m[3 * i + j]!;
      product += weights[i]! * weights[j]! * near[3 * i + j]!;
    }
  const rest = Math.max(square, 1e-12 * yy);
  const rho = product / rest;
  const variance = (rest / freedom) * factorOfRaw(rho, frames);
  return {
    drift: { value: a, sigma: Math.sqrt(hasTemperature ? (variance * kk) / determinant : variance / tt) },
    temperature: hasTemperature ? { value: b, sigma: Math.sqrt((variance * tt) / determinant) } : null,
  };
}
