import type { AnalysisMethod } from './method.ts';

/** What a ROI's rows gave for one parameter, rounded to three decimals like the Python system's. */
export interface ParameterStatistics {
  Values?: number[];
  Mean: number;
  STD: number;
  LQ: number;
  Median: number;
  UQ: number;
  Max: number;
  Min: number;
  /** Standard deviation of the differences between neighbouring rows over the range of the values. */
  Smoothness: number;
}

/** Reasons to distrust a position; an empty list when all is well. */
export type RoiFlag = 'low_signal' | 'saturated' | 'edge' | 'two_peaks' | 'moved' | 'lost' | 'pattern_changed';

/** The bit of the flag that says that a line lies elsewhere than in the frame before: alone it is no fault. @param flags names of the bits, bit 0 first */
export function jumpBit(flags: readonly string[]): number {
  const bit = flags.indexOf('moved' satisfies RoiFlag);
  return bit < 0 ? 0 : 1 << bit;
}

/** Result of one ROI as it stands in a result line; parameters stand beside these under their own names. */
export interface RoiResult {
  'ROI-label': string;
  'Analysis-method': AnalysisMethod;
  /** Pixels from the ROI's left edge after its flip, from 0 for every method; null when no line was found. */
  position: number | null;
  /** Standard error of `position`, pixels. */
  uncertainty: number | null;
  /** Of the position since the reference, pixels; null while there is none. Lines of earlier versions have none. */
  shift?: number | null;
  /** Standard error of `shift`, pixels. */
  shift_uncertainty?: number | null;
  /** Reduced χ² of the joint fit; absent with the estimator `rows`. */
  chi_squared?: number | null;
  rows_used: number;
  rows_rejected: number;
  flags: RoiFlag[];
  [parameter: string]: ParameterStatistics | string | number | string[] | null;
}

/** The whole frame at its native depth. */
export interface FrameStatistics {
  /** Mean. */
  brightness: number;
  /** 95 % quantile minus 5 % quantile. */
  contrast: number;
}

/** How far the chip has moved since its reference image, at the middle of the frame. */
export interface ChipShift {
  /** Pixels to the right. */
  dx: number;
  /** Pixels down. */
  dy: number;
  /** Degrees, of the sign of `image_angle`. */
  angle: number;
}

/** One line of `processing_results.jsonl`. */
export interface ResultLine {
  entry_id: string;
  attempt: number;
  run_id: string | null;
  /** Of the settings that shape results. A snapshot of them in `backup_dir` has it in its name. */
  config_hash: string;
  /** Of the ROI manifest's text; likewise. Lines of earlier versions have none. */
  roi_manifest_hash: string;
  /** Hash of the reference that shifts are measured from; null while there is none. Lines of earlier versions have none. */
  reference?: string | null;
  /**
   * Hash of what `uncertainty` knows of the static pattern, while there is no reference; null where the reference says it, or nothing does.
   * Lines of earlier versions have none.
   */
  pattern?: string | null;
  /** Version of the program that has made it, in a checkout with its commit. Lines of earlier versions have none. */
  code_version?: string | null;
  manifest_entry_timestamp: string;
  image_timestamp: string | null;
  /** The same in UTC, null where its zone is unknown. Lines of earlier versions have none. */
  image_timestamp_utc?: string | null;
  temperature_timestamp: string | null;
  image_filename: string | null;
  processing_timestamp_iso: string;
  processing_successful: boolean;
  processing_error_message: string | null;
  temperature_readings: Record<string, number | null> | null;
  /** Null: not seen, as with a ROI manifest that does not say where the outlines of the chip are. Lines of earlier versions have none. */
  chip_shift?: ChipShift | null;
  image_analysis: [FrameStatistics, ...RoiResult[]] | null;
}
