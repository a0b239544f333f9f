import type { Pixels } from '../../model/frame.ts';
import type { RoiFlag } from '../../model/result.ts';
import type { Roi } from '../../model/roi.ts';
import { fanoShape, gaussianShape } from '../joint/jointShape.ts';
import { binWidth, createRoiBins, type RoiBins } from '../joint/roiBins.ts';
import type { RoiEstimate } from '../roiEstimate.ts';
import { widthAt } from './logLine.ts';
import { differenceError } from './patternErrors.ts';
import type { FittedReference, Reference, ReferenceRoi } from './reference.ts';
import { blockMeans } from './shiftBlocks.ts';
import { createShiftFit, type FoundShift } from './shiftFit.ts';

/** The shift of a ROI since the reference, pixels, and what it says of the position. */
export interface RoiShift {
  shift: number;
  uncertainty: number;
  /**
   * Position in the reference plus the shift, and its standard error, so that differences of positions are those of shifts; null where
   * there is nothing better than the position in the frame alone.
   */
  position: { position: number; uncertainty: number } | null;
  flags: RoiFlag[];
}

/** Finds shifts, one ROI after the other. */
export interface ShiftFinder {
  /** Takes what it needs from a ROI that somebody else has just sampled with bins of `binWidth`: the next `find` is for this ROI. */
  look(roi: Roi, bins: RoiBins): void;
  /** Standard error of a position that was found in a frame alone, pixels; null where there is none. */
  errorOf(roi: Roi, estimate: RoiEstimate): number | null;
  /** Null: the reference has no such ROI, or the frame shows no line in it. */
  find(pixels: Pixels, roi: Roi, angle: number, saturation: number, estimate: RoiEstimate): RoiShift | null;
  /** What the last `find` has compared, for whoever looks at a ROI closely; null where it has compared nothing. */
  compared(): ComparedBlocks | null;
}

/** Blocks of a ROI: bins of a row, in groups of rows. */
export interface ComparedBlocks {
  reference: FittedReference;
  /** Logarithm of the frame's light, less the dark level; NaN where a block can't be used. */
  logs: Float64Array;
  /** What the fit leaves of the logarithm of the ratio, and how far each block counts; null where there was no fit. */
  residuals: Float64Array | null;
  trust: Float64Array | null;
}

/** The line has moved too far for a comparison of the pattern beneath it, in widths. */
const farWidths = 1.8;
/** The standard error up to which a comparison counts, in widths, and that of a line that has moved by more than a width: there the tails are long. */
const sureError = 0.08;
const sureErrorFar = { gaussian: 0.03, fano: 0.06 };
/** So much louder than between the reference's own frames, or as much more as there is less light, and the pattern is another one. */
const changedNoise = 2;
/** Standard errors between the difference of positions and the shift above which they are not of the same line. */
const farErrors = 4;
/** A comparison that rests on less of the ROI says nothing. */
const leastUsed = 0.5;

export function createShiftFinder(reference: Reference): ShiftFinder {
  const { method, darkLevel } = reference;
  const isFitted = method === 'gaussian' || method === 'fano';
  const fit = isFitted ? createShiftFit((method === 'fano' ? fanoShape : gaussianShape).kernel) : null;
  const ownBins = createRoiBins();
  /** Block means, then their logarithms. */
  let logs = new Float64Array(0);
  let sampled: string | null = null;
  let last: ComparedBlocks | null = null;

  function look(roi: Roi, bins: RoiBins): void {
    const layout = reference.rois.get(roi.label)?.fit?.layout;
    sampled = null;
    if (layout === undefined || layout.rows !== bins.rows || layout.count !== bins.count) return;
    if (logs.length !== layout.pixels.length) logs = new Float64Array(layout.pixels.length);
    blockMeans(bins, layout, logs);
    sampled = roi.label;
  }

  function compare(
    of: FittedReference,
    pixels: Pixels,
    roi: Roi,
    angle: number,
    saturation: number,
    moved: number,
  ): FoundShift | null {
    if (fit === null) return null;
    if (sampled !== roi.label) {
      ownBins.fill(pixels, roi, angle, binWidth(roi.size[1]), saturation);
      look(roi, ownBins);
      if (sampled === null) return null;
    }
    sampled = null;
    for (let at = 0; at < logs.length; at++) {
      const light = logs[at] - darkLevel;
      logs[at] = light > 0 ? Math.log(light) : Number.NaN;
    }
    const found = fit.find(of, logs, moved);
    last = { reference: of, logs, residuals: found && fit.residuals, trust: found && fit.trust };
    if (found === null || found.usedShare < leastUsed) return null;
    const usual = (of.noise ?? Number.POSITIVE_INFINITY) / Math.min(1, found.light);
    return found.noise > changedNoise * usual ? null : found;
  }

  const { pattern } = reference;

  function errorOf(roi: Roi, { position, uncertainty }: RoiEstimate): number | null {
    if (!pattern || position === null) return uncertainty;
    return Math.max(uncertainty ?? 0, pattern.position * widthOf(roi));
  }

  function widthOf({ label }: Roi): number {
    const fitted = reference.rois.get(label)?.fit;
    return fitted ? Math.exp(fitted.parameters[widthAt]) : (pattern?.width ?? 0);
  }

  /** The difference of positions that frames alone give, with what the pattern does to it. */
  function difference(
    moved: number,
    roi: Roi,
    { alone, positionError }: ReferenceRoi,
    estimate: RoiEstimate,
    changed: boolean,
  ): RoiShift {
    const width = widthOf(roi);
    // A single row tells no error of its own.
    const own = estimate.uncertainty ?? alone.positionError;
    const uncertainty = pattern
      ? width * differenceError(pattern, changed ? Number.POSITIVE_INFINITY : moved / width)
      : pattern === null
        ? Math.hypot(alone.positionError, own)
        : Math.hypot(positionError, Math.max(positionError, own));
    return { shift: moved, uncertainty, position: null, flags: changed ? ['pattern_changed'] : [] };
  }

  function find(pixels: Pixels, roi: Roi, angle: number, saturation: number, estimate: RoiEstimate): RoiShift | null {
    last = null;
    const known = reference.rois.get(roi.label);
    if (known === undefined || !reference.shifts || estimate.position === null) return null;
    const moved = estimate.position - known.alone.position;
    if (known.fit === null) return difference(moved, roi, known, estimate, false);
    const width = widthOf(roi);
    const isFar = Math.abs(moved) > farWidths * width;
    // Without a pattern the difference is as good, near and far.
    const isClean = pattern === null;
    const found = isFar ? null : compare(known.fit, pixels, roi, angle, saturation, moved);
    const other = difference(moved, roi, known, estimate, !(isClean && isFar));
    if (found === null) return other;
    // A comparison that says something else than both positions, or no more than these, has found something else than the line.
    if (Math.abs(found.shift - moved) > farErrors * other.uncertainty + found.shiftError) return other;
    const sure =
      width * (Math.abs(found.shift) > width ? sureErrorFar[method === 'fano' ? 'fano' : 'gaussian'] : sureError);
    if (found.shiftError > Math.min(sure, other.uncertainty)) return isClean ? clean(other, known) : other;
    const { shift, shiftError } = found;
    const position = { position: known.position + shift, uncertainty: Math.hypot(known.positionError, shiftError) };
    return { shift, uncertainty: shiftError, position, flags: [] };
  }

  /** The difference of positions, on the footing of those shifts that were compared. */
  function clean({ shift, uncertainty }: RoiShift, { position, positionError }: ReferenceRoi): RoiShift {
    const own = { position: position + shift, uncertainty: Math.hypot(positionError, uncertainty) };
    return { shift, uncertainty, position: own, flags: [] };
  }

  return { look, errorOf, find, compared: () => last };
}
