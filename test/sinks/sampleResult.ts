import { type AnalysisMethod, methodParameters } from '../../src/model/method.ts';
import type { ParameterStatistics, ResultLine, RoiResult } from '../../src/model/result.ts';

const statistics = (value: number): ParameterStatistics => ({
  Mean: value,
  STD: 1,
  LQ: value - 1,
  Median: value,
  UQ: value + 1,
  Max: value + 2,
  Min: value - 2,
  Smoothness: 0.1,
});

/** A result line with a ROI for each label, whose position is `position`, or one a label. */
export function sampleResult({
  id = 'A',
  attempt = 1,
  method = 'gaussian',
  labels = ['001A_N'],
  position = 100,
  shift = null,
  timestamp = '2025-08-12T13:45:00.352591',
  temperatures = null,
  failed = false,
}: {
  id?: string;
  attempt?: number;
  method?: AnalysisMethod;
  labels?: readonly string[];
  position?: number | ((index: number) => number | null);
  /** Of every ROI; with the same uncertainty always. */
  shift?: number | null;
  timestamp?: string;
  temperatures?: Record<string, number | null> | null;
  failed?: boolean;
} = {}): ResultLine {
  const roi = (label: string, index: number): RoiResult => {
    const at = typeof position === 'number' ? position : position(index);
    return {
      'ROI-label': label,
      'Analysis-method': method,
      ...Object.fromEntries(methodParameters[method].map((name, i) => [name, statistics((at ?? 0) + i)])),
      position: at,
      uncertainty: 0.25,
      shift,
      shift_uncertainty: shift === null ? null : 0.125,
      rows_used: 45,
      rows_rejected: 0,
      flags: [],
    };
  };
  return {
    entry_id: id,
    attempt,
    run_id: 'run',
    config_hash: 'c0ffee',
    roi_manifest_hash: 'decaf',
    reference: null,
    pattern: null,
    code_version: '0.1.0',
    manifest_entry_timestamp: '2026-11-22T06:35:50.524653',
    image_timestamp: timestamp,
    image_timestamp_utc: null,
    temperature_timestamp: null,
    image_filename: `${id}.png`,
    processing_timestamp_iso: '2026-11-22T06:36:38.855717',
    processing_successful: !failed,
    processing_error_message: failed ? 'damaged' : null,
    temperature_readings: temperatures,
    chip_shift: null,
    image_analysis: failed ? null : [{ brightness: 1, contrast: 2 }, ...labels.map(roi)],
  };
}
