import { parseIso } from './localTime.ts';
import type { ResultLine, RoiFlag, RoiResult } from './result.ts';

/** What the newest result says of each ROI; numbers in pixels, NaN where there is none. */
export interface LastResult {
  image: string;
  /** When it was taken, ms since 1970 UTC. */
  at: number;
  rois: ReadonlyMap<string, RoiValues>;
}

export interface RoiValues {
  position: number;
  positionError: number;
  /** Since the reference. */
  shift: number;
  shiftError: number;
  /** Reduced χ² of the fit. */
  chiSquared: number;
  flags: readonly RoiFlag[];
}

/** The numbers of one ROI of a result line. */
function roiValues(roi: RoiResult): RoiValues {
  const of = (value: number | null | undefined): number => value ?? Number.NaN;
  return {
    position: of(roi.position),
    positionError: of(roi.uncertainty),
    shift: of(roi.shift),
    shiftError: of(roi.shift_uncertainty),
    chiSquared: of(roi.chi_squared),
    flags: roi.flags,
  };
}

/** Null for an image that could not be analysed. */
export function lastResultOf(line: ResultLine): LastResult | null {
  if (!line.image_analysis) return null;
  const [, ...rois] = line.image_analysis;
  return {
    image: line.image_filename ?? '',
    at: parseIso(line.image_timestamp_utc ?? line.image_timestamp ?? ''),
    rois: new Map(rois.map(roi => [roi['ROI-label'], roiValues(roi)])),
  };
}
