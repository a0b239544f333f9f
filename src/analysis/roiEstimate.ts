import type { Pixels } from '../model/frame.ts';
import type { RoiFlag } from '../model/result.ts';
import type { Roi } from '../model/roi.ts';
import type { RowRejection } from './rowMethod.ts';

/** What one ROI gave. No number in it is NaN or infinite. */
export interface RoiEstimate {
  /** Pixels from the ROI's left edge after the flip, from 0; null when there is no line. */
  position: number | null;
  /** Standard error of it, pixels. */
  uncertainty: number | null;
  /** Reduced χ² of the fit; undefined where there is no joint fit of the ROI. */
  chiSquared?: number | null;
  flags: RoiFlag[];
  /** Parameters of the rows that are used, in the order of the method; they may be overwritten by the next ROI. */
  rows: Float64Array[];
  /** For each row the reason why it is not used, or null; may be overwritten by the next ROI. */
  rejections: (RowRejection | null)[];
}

/**
 * A way to come from a ROI's pixels to its position, one ROI after the other through the same buffers.
 *
 * @param angle `image_angle` of the ROI manifest, degrees
 * @param saturation count from which a pixel is saturated; Infinity: none is
 * @throws RoiOutsideFrameError when the ROI reaches out of the frame
 */
export type RoiEstimator = (pixels: Pixels, roi: Roi, angle: number, saturation: number) => RoiEstimate;

/** Share of an ROI's pixels at full scale from which it is flagged: below the few pixels of one bright speck it is not. */
export const saturatedShare = 0.005;
/** Height of the line over the error of a row's fit below which the signal is low. */
export const lowSignal = 3;
