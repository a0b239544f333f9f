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

const at = new Float64Array(3);

/** Takes a frame. @param hours since any moment @param temperature NaN where there is none: the frame counts for no trend then, but where none ever has one */
export function addToTrend(state: TrendState, shift: number, hours: number, temperature: number): void {
  const { origin, last, sum, products, neighbours } = state;
  at[0] = shift;
  at[1] = hours;
  at[2] = temperature;
  if (state.count === 0) origin.set(at);
  for (let i = 0; i < 3; i++) at[i]! -= origin[i]!;
  for (let i = 0; i < 3; i++) {
    sum[i]! += at[i]!;
    for (let j = 0; j < 3; j++) {
      products[3 * i + j]! += at[i]! * at[j]!;
      if (state.count > 0) neighbours[3 * i + j]! += at[i]! * last[j]!;
    }
  }
  last.set(at);
  state.count++;
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
