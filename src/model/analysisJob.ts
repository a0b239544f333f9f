import type { Pixels } from './frame.ts';
import type { AnalysisMethod, Estimator } from './method.ts';
import type { ChipShift, FrameStatistics } from './result.ts';
import type { RoiManifest } from './roi.ts';

/** One frame to analyse. Plain data: it goes to a worker thread, later perhaps to another machine. */
export interface AnalysisJob {
  /** Absolute path of the image. */
  path: string;
  /** Its pixels, where they are still in memory: the image is not read then. Whoever gives them gives them away. */
  pixels?: Pixels;
  rois: RoiManifest;
  method: AnalysisMethod;
  estimator: Estimator;
  /** Rows that each ROI is averaged to before the fits; 0 fits every row. The estimator `roi` takes every row in any case. */
  numberOfSubRois: number;
  /** Keep every row's values in the result (`debug_mode`). */
  keepValues: boolean;
  /** What the shift is measured from; null or absent: there is none yet, or none is wanted. */
  reference?: ReferenceBytes | null;
  /** Regions follow the chip where it has moved. */
  followChip?: boolean;
}

/** A reference on its way to the threads that measure from it: they share its memory. */
export interface ReferenceBytes {
  /** Of the bytes. */
  hash: string;
  bytes: SharedArrayBuffer;
}

/** Frames to make a reference from. */
export interface ReferenceJob extends Omit<AnalysisJob, 'path' | 'pixels' | 'keepValues' | 'reference'> {
  /** Absolute paths of the images, in the order in which they are to be tried. */
  paths: string[];
  /** So many good ones make the reference. */
  frames: number;
  /** False: it is only measured how far the pattern pulls positions in single frames. */
  shifts: boolean;
  /** Counts without light; null: estimated from the frames. */
  darkLevel: number | null;
}

/** What a reference job gives. */
export interface MadeReference {
  /** The reference; null while there are too few good frames. */
  bytes: Uint8Array<ArrayBuffer> | null;
  /** Places in `paths` of the frames that are good. */
  good: number[];
  /** ROIs that have a reference. */
  rois: number;
  darkLevel: number;
}

/** What a job gives. */
export interface AnalysedFrame {
  width: number;
  height: number;
  depth: 8 | 16;
  statistics: FrameStatistics;
  /** `image_analysis` of the result line as JSON text in UTF-8, made by the workers: it is most of the line. */
  imageAnalysis: Uint8Array;
  rois: number;
  /** Position of each ROI in manifest order, pixels; NaN where there is none. */
  positions: Float64Array;
  /** Of each ROI in that order, whether it has a resonance, with light enough for one. */
  seen: readonly boolean[];
  rowsFitted: number;
  /** Rows left out, by reason. */
  rowsRejected: Readonly<Record<string, number>>;
  /** How far the chip has moved; null when that is not seen, absent when it is not known where its outlines are. */
  chipShift?: ChipShift | null;
  /** Milliseconds spent. */
  decodeMs: number;
  analyseMs: number;
}
