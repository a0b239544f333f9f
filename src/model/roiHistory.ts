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
  /** What the bits of `flags` mean, bit 0 first. */
  flagNames: readonly string[];
}

/** A part of the past, ms since 1970 UTC. */
export interface CloseRequest {
  from: number;
  to: number;
  /** So many samples at most, about. */
  points: number;
}

/** What was found there. */
export interface CloseHistory extends CloseRequest {
  history: RoiHistory;
}

/** One image, or what several have in common. */
export interface RoiSample {
  /** When it, or the first of them, was taken, milliseconds since 1970 UTC. */
  at: number;
  /** How many they are. */
  frames: number;
  /** From the first of them to the last, ms; 0 of one; null where that is not kept. */
  lasted: number | null;
  /** Of each ROI, in the order of `labels`, pixels; NaN where it has none. Of several images the mean. To 1e-4 of a pixel: many are in memory. */
  positions: Float32Array;
  /** Since the reference, pixels; NaN where there is none. Of several images the median, or where `spread` is null, the mean. */
  shifts: Float32Array;
  /** Standard errors of the shifts of one image, pixels; of several images their mean. */
  shiftUncertainties: Float32Array;
  /** A bit for each flag; of several images those of any. */
  flags: Uint16Array;
  /** How several images lie; null of one, and where that is not kept. */
  spread: SampleSpread | null;
  /** Null where it was not seen. */
  chipShift: ChipShift | null;
  /** Degrees Celsius, by the sensor's name; sensors that were silent are left out. */
  temperatures: Readonly<Record<string, number>>;
}

/** The lowest and highest of several images. */
export interface SampleSpread {
  /** Of the shift of each ROI, or of its position where it has no shift, pixels. */
  lows: Float32Array;
  highs: Float32Array;
  /** Lowest, median and highest of what the median of all ROIs' shifts was in each image, pixels; NaN where no ROI has one. */
  all: Float32Array;
}
