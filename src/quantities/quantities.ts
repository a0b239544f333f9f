import type { AllanPoint } from './allan.ts';
import type { ControlChart } from './controlChart.ts';
import type { Measured } from './robustSlope.ts';

/** What a series is: a ROI; the mean of the shifts of both halves of a bow-tie; half their difference; the median of a group. */
export type SeriesKind = 'roi' | 'resonance' | 'movement' | 'group';

/** A change of the level of a shift. Times are ms as the clock at the camera showed them, as if in UTC. */
export interface ShiftChange {
  kind: SeriesKind;
  /** Label of the ROI, name of the pair without its half, or name of the group. */
  name: string;
  /** When half of it was done. */
  time: number;
  /** Standard error, s; the frames' interval is in it. */
  timeSigma: number;
  /** px, signed. */
  height: number;
  heightSigma: number;
  /** Whether the new level was reached before it was told; a slow rise is told as several. */
  settled: boolean;
}

export type QualityWord = 'good' | 'lost' | 'flips' | 'low light' | 'edge' | 'moving' | 'noisy' | 'drifting' | 'new';

export interface Quality {
  word: QualityWord;
  /** In words, with its figures. */
  reason: string;
}

/** What is known of a series; null: not known. */
export interface SeriesFigures {
  kind: SeriesKind;
  name: string;
  /** Frames since it was first seen, and those of them with a value that is trusted. */
  frames: number;
  values: number;
  /** The shift in the newest frame, px. */
  shift: number | null;
  /** Median of the last frames (`windowFrames`), px. */
  median: number | null;
  /** The same, from its mean in the time that a person has set to zero. */
  rezeroed: number | null;
  /** Robust slope over the same frames, px an hour. */
  slope: Measured | null;
  /** Standard deviation of one value, without what changes slowly: the Allan deviation at one frame, px. */
  noise: number | null;
  /** Allan deviation by averaged frames. */
  allan: readonly AllanPoint[];
  /** Over the run, changes taken out and temperature fitted; px an hour. */
  drift: Measured | null;
  /** px a kelvin. */
  temperature: Measured | null;
  quality: Quality;
  /** How often it went to a flag of another peak or was lost. */
  flips: number;
  /** Of a group, once its level is known. */
  chart: ControlChart | null;
  /** All changes; the newest stand in `changes`. */
  changeCount: number;
  changes: readonly ShiftChange[];
}

/** From an image on, shifts are measured from this reference: from another zero than before. */
export interface NewReference {
  /** Its hash. */
  reference: string;
  /** Of the first image, ms as the clock at the camera showed it, as if in UTC. */
  since: number;
}

/** All figures of a run at one moment. */
export interface RunFigures {
  frames: number;
  /** Of the first and the newest frame; NaN without any. */
  first: number;
  last: number;
  /** Typical, between frames, s; null for fewer than two. */
  interval: number | null;
  /** Frames of the rolling figures. */
  windowFrames: number;
  /** What `temperature` is measured against. */
  sensor: string | null;
  /** Images of this time are a second zero; ms as the clock at the camera showed it. Null: none. */
  zero: { from: number; end: number } | null;
  /** The newest of the references that the shifts were measured from, in order of time. */
  references: readonly NewReference[];
  rois: readonly SeriesFigures[];
  pairs: readonly { name: string; resonance: SeriesFigures; movement: SeriesFigures }[];
  groups: readonly SeriesFigures[];
}
