import { type AllanState, newAllan } from './allan.ts';
import { type ChartState, newChart } from './controlChart.ts';
import type { SeriesKind, ShiftChange } from './quantities.ts';
import { newTrend, type TrendState } from './trend.ts';

/** Frames that are kept of each series: a power of two. */
export const keptFrames = 128;
/** Frame n stands at n & lastKept. */
export const lastKept = keptFrames - 1;
/** Frames whose times are kept: those, and as many that are taken together. */
export const keptTimes = 2 * keptFrames;
export const lastTime = keptTimes - 1;
/** No noise is smaller, px: the series has 32 bits. */
export const leastNoise = 1e-4;
/** Of a level, before a change is looked for. */
export const fewestValues = 12;

/** Why a value is there, or is not. */
export const valueKinds = ['good', 'missing', 'lost', 'two_peaks', 'low_signal', 'edge'] as const;
export type ValueKind = (typeof valueKinds)[number];
export const good = valueKinds.indexOf('good');

/** Frames that all series of a run share; plain data. */
export interface FrameRing {
  /** Frames taken. */
  count: number;
  /** ms; of frame n at n % {@link keptTimes}. */
  readonly times: Float64Array;
  /** To be added to a time for what the clock at the camera showed, ms. */
  clock: number;
  /** Kelvin or degrees; 0 without a sensor. */
  readonly temperatures: Float64Array;
  /** Typical, ms. */
  interval: number;
  /** Frames from here on have shifts from the same zero. */
  zeroFrom: number;
  /** Whether the newest frame is in the time that a person has set to zero. */
  isZero: boolean;
}

/** All that is known of a series, as plain data: it can be copied and kept. */
export interface SeriesState {
  readonly kind: SeriesKind;
  readonly name: string;
  /** The frame that it was first seen in. */
  first: number;
  readonly shifts: Float64Array;
  /** Their own standard errors, px; NaN where unknown. */
  readonly sigmas: Float32Array;
  /** Indices of {@link valueKinds}. */
  readonly kinds: Uint8Array;
  /** Its own standard error, typical, px; NaN where unknown. */
  sigma: number;
  values: number;
  flips: number;
  /** Frames from here on are on the level that it has now. */
  from: number;
  /** Frames before this have gone into noise and trend. */
  fed: number;
  /** While it moves: the frame before which it did not, and the level there. */
  moving: { since: number; level: number } | null;
  readonly allan: AllanState;
  trend: TrendState;
  /** Of a group; null of others. */
  chart: ChartState | null;
  /** Sum and number of values in the time that a person has set to zero. */
  zeroSum: number;
  zeroCount: number;
  changeCount: number;
  changes: ShiftChange[];
}

export const newSeries = (kind: SeriesKind, name: string, first: number): SeriesState => ({
  kind,
  name,
  first,
  shifts: new Float64Array(keptFrames).fill(Number.NaN),
  sigmas: new Float32Array(keptFrames).fill(Number.NaN),
  kinds: new Uint8Array(keptFrames).fill(valueKinds.indexOf('missing')),
  sigma: Number.NaN,
  values: 0,
  flips: 0,
  from: first,
  fed: first,
  moving: null,
  allan: newAllan(),
  trend: newTrend(),
  chart: kind === 'group' ? newChart() : null,
  zeroSum: 0,
  zeroCount: 0,
  changeCount: 0,
  changes: [],
});
