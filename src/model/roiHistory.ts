import type { ChipShift } from './result.ts';

/**
 * Where the resonances were, as far back as is kept: for charts. Bounded; what is older is thinned.
 * A new value for each change: what was read once does not change.
 */
export interface RoiHistory {
  /** ROIs in manifest order. */
  labels: readonly string[];
  /** Where shifts of results that have none are measured from: position of each ROI in its first result, pixels; NaN where it has none yet. */
  baseline: Float64Array;
  /** In order of time. */
  samples: readonly RoiSample[];
}

/** One image, or the means of several. */
export interface RoiSample {
  /** When it, or the first of them, was taken, milliseconds since 1970 UTC. */
  at: number;
  /** How many they are. */
  frames: number;
  /** Of each ROI, in the order of `labels`, pixels; NaN where it has none. */
  positions: Float64Array;
  /** Since the reference, pixels; NaN where there is none. */
  shifts: Float32Array;
  /** Null where it was not seen. */
  chipShift: ChipShift | null;
  /** Degrees Celsius, by the sensor's name; sensors that were silent are left out. */
  temperatures: Readonly<Record<string, number>>;
}
