import { createHash } from 'node:crypto';
import type { ResultLine } from '../../model/result.ts';

/** Values of the chip's movement. */
export const chipAxes = ['dx', 'dy', 'angle'] as const;
/** Values of a range. */
export const rangeParts = ['low', 'median', 'high'] as const;

/** One image; at a level above the first several, of which the earliest gives its id and times. */
export interface SeriesRow {
  /** See {@link rowId}. */
  id: string;
  attempt: number;
  /** Images that it stands for. */
  frames: number;
  /** What the clock at the camera showed, as ms since 1970 as if it were in UTC; NaN where that is not known. */
  local: number;
  /** The same instant, ms since 1970 UTC; NaN where the zone is unknown. */
  utc: number;
  /** Mean of the frame, camera counts; NaN where that is not known. */
  brightness: number;
  /** Pixels, in the order of the labels; NaN where there is none. At a level above the first: means of what is there. */
  positions: Float64Array<ArrayBuffer>;
  uncertainties: Float32Array<ArrayBuffer>;
  /** Since the reference, and their standard errors, pixels; NaN where there is none. */
  shifts: Float32Array<ArrayBuffer>;
  shiftUncertainties: Float32Array<ArrayBuffer>;
  /** How far the chip has moved since its reference image: pixels to the right and down, degrees; NaN where that is not known. */
  chipShift: Float32Array<ArrayBuffer>;
  /** Degrees Celsius, in the order of the sensors; NaN where there is none. */
  temperatures: Float32Array<ArrayBuffer>;
  /** Bits; at a level above the first: those of any image. */
  flags: Uint16Array<ArrayBuffer>;
  /** Null of a single image, and at a level of a version that has none. */
  spread: SeriesSpread | null;
}

/** How the values of several images lie: of shifts where a ROI has any, else of positions; pixels, NaN where there is none. */
export interface SeriesSpread {
  lows: Float32Array<ArrayBuffer>;
  /** Of more than four images, the median of medians. */
  medians: Float32Array<ArrayBuffer>;
  highs: Float32Array<ArrayBuffer>;
  /** Lowest, median and highest of what the median of all ROIs' shifts was in each image. */
  all: Float32Array<ArrayBuffer>;
  /** From the first of the images to the last, ms; one value. */
  lasted: Float64Array<ArrayBuffer>;
}

/** Bytes of a row's id. */
export const idBytes = 40;

/** Ids are as long as the row has room for; a longer one is known by its hash. */
export function rowId(entryId: string): string {
  if (Buffer.byteLength(entryId) <= idBytes) return entryId;
  return createHash('sha256').update(entryId).digest('hex').slice(0, idBytes);
}

/** Tells rows apart: an image that was analysed anew has a further one. */
export const rowKey = (line: ResultLine): string => `${rowId(line.entry_id ?? '')} ${line.attempt ?? 0}`;
