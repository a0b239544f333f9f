import type { Pixels } from '../../model/frame.ts';
import type { RoiFlag } from '../../model/result.ts';
import type { Roi } from '../../model/roi.ts';
import { fanoShape, gaussianShape } from '../joint/jointShape.ts';
import { binWidth, createRoiBins, type RoiBins } from '../joint/roiBins.ts';
import type { RoiEstimate } from '../roiEstimate.ts';
import { widthAt } from './logLine.ts';
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
const farWidths = 3;
/** So much louder than between the reference's own frames, and the pattern is another one. */
const changedNoise = 3;
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
    return of.noise !== null && found.noise > changedNoise * of.noise ? null : found;
  }

  function find(pixels: Pixels, roi: Roi, angle: number, saturation: number, estimate: RoiEstimate): RoiShift | null {
    last = null;
    const known = reference.rois.get(roi.label);
    if (known === undefined || estimate.position === null || estimate.uncertainty === null) return null;
    const moved = estimate.position - known.position;
    if (known.fit === null) return difference(moved, known, estimate.uncertainty, []);
    const width = Math.exp(known.fit.parameters[widthAt]);
    const isFar = Math.abs(moved) > farWidths * width;
    const found = isFar ? null : compare(known.fit, pixels, roi, angle, saturation, moved);
    // The pattern errs in the frame as it does in the reference, elsewhere.
    const error = Math.max(estimate.uncertainty, known.positionError);
    const apart = found === null ? 0 : Math.abs(found.shift - moved);
    // A comparison that says something else than both positions, or no more than these, has found something else than the line.
    if (found === null || apart > farErrors * Math.hypot(error, known.positionError) || found.shiftError > error) {
      return difference(moved, known, error, ['pattern_changed']);
    }
    const { shift, shiftError } = found;
    const position = { position: known.position + shift, uncertainty: Math.hypot(known.positionError, shiftError) };
    return { shift, uncertainty: shiftError, position, flags: [] };
  }

  return { look, find, compared: () => last };
}

const difference = (shift: number, { positionError }: ReferenceRoi, error: number, flags: RoiFlag[]): RoiShift => ({
  shift,
  uncertainty: Math.hypot(positionError, error),
  position: null,
  flags,
});
