import type { AnalysisJob } from '../model/analysisJob.ts';
import type { Pixels } from '../model/frame.ts';
import { methodParameters } from '../model/method.ts';
import type { RoiResult } from '../model/result.ts';
import type { Roi } from '../model/roi.ts';
import { roundDecimals } from '../model/roundDecimals.ts';
import type { RoiBins } from './joint/roiBins.ts';
import { createRoiEstimator } from './joint/roiEstimator.ts';
import { parameterStatistics } from './parameterStatistics.ts';
import { reusableNumbers } from './reusableNumbers.ts';
import type { RoiEstimate, RoiEstimator } from './roiEstimate.ts';
import { requireSize, roiWalk } from './roiWalk.ts';
import { createRowsEstimator } from './rowsEstimator.ts';
import { decodeReference } from './shift/reference.ts';
import { createShiftFinder, type RoiShift, type ShiftFinder } from './shift/roiShift.ts';

/** What to analyse in a frame; see {@link AnalysisJob}. */
export type FrameAnalysis = Omit<AnalysisJob, 'path' | 'pixels'>;

/** What ROIs of a frame gave that follow each other in the manifest. Plain data: it goes from thread to thread. */
export interface RoiPiece {
  /** Place of the first in the manifest. */
  first: number;
  /** Their results as JSON text, with commas between them. */
  json: string;
  /** Pixels; NaN where there is none. */
  positions: number[];
  /** Of each ROI, whether it has a resonance, with light enough for one. */
  seen: boolean[];
  rowsFitted: number;
  /** Rows left out, by reason, in the order in which the reasons came. */
  rowsRejected: Record<string, number>;
}

/** Analyses the ROIs `first … end − 1` of a frame. @throws RoiOutsideFrameError when one reaches out of the frame, or it has the wrong size */
export type RoiAnalysis = (pixels: Pixels, saturation: number, first: number, end: number) => RoiPiece;

/**
 * The analysis of a job's ROIs, in pieces of any size and order: a ROI's result depends on nothing but its pixels and the
 * saturation level of its frame.
 */
export function createRoiAnalysis(job: FrameAnalysis): RoiAnalysis {
  const { rois } = job.rois;
  const analyseRoi = createOneRoiAnalysis(job);
  return (pixels, saturation, first, end) => {
    const piece: RoiPiece = { first, json: '', positions: [], seen: [], rowsFitted: 0, rowsRejected: {} };
    const results: RoiResult[] = [];
    requireSize(pixels, job.rois);
    for (const roi of rois.slice(first, end)) {
      const { result, estimated } = analyseRoi(pixels, saturation, roi);
      results.push(result);
      piece.positions.push(result.position ?? Number.NaN);
      piece.seen.push(!result.flags.includes('lost') && !result.flags.includes('low_signal'));
      piece.rowsFitted += result.rows_used;
      for (const reason of estimated.rejections) {
        if (reason !== null) piece.rowsRejected[reason] = (piece.rowsRejected[reason] ?? 0) + 1;
      }
    }
    piece.json = JSON.stringify(results).slice(1, -1);
    return piece;
  };
}

/** What the analysis of one ROI gives; what it says of the rows may be overwritten by the next ROI. */
export interface AnalysedRoi {
  result: RoiResult;
  estimated: RoiEstimate;
  /** Null: there is no reference. */
  finder: ShiftFinder | null;
}

/** The analysis of a job's ROIs, one by one. @throws RoiOutsideFrameError when it reaches out of the frame */
export function createOneRoiAnalysis(
  job: FrameAnalysis,
): (pixels: Pixels, saturation: number, roi: Roi) => AnalysedRoi {
  const { imageAngle } = job.rois;
  const estimate = estimatorFor(job);
  const finder = finderFor(job);
  return (pixels, saturation, roi) => {
    // First of all: memory for a ROI of any size is asked for only when it lies in the frame.
    roiWalk(pixels, roi, imageAngle);
    observe = finder && (bins => finder.look(roi, bins));
    const estimated = estimate(pixels, roi, imageAngle, saturation);
    const shift = finder?.find(pixels, roi, imageAngle, saturation, estimated) ?? null;
    const uncertainty = finder ? finder.errorOf(roi, estimated) : estimated.uncertainty;
    return { result: roiResult(roi.label, job, { ...estimated, uncertainty }, shift), estimated, finder };
  };
}

/** The last estimator of this thread. */
let last: { key: string; estimate: RoiEstimator } | null = null;

/**
 * The same estimator for the same settings: while none lives, the engine may drop the machine code of all its functions,
 * and a frame then costs three times as much. Estimators work to the end of a ROI without a pause, so callers may share one.
 */
function estimatorFor(job: FrameAnalysis): RoiEstimator {
  const { estimator, method, numberOfSubRois } = job;
  const key = `${estimator} ${method} ${numberOfSubRois}`;
  if (last?.key !== key) last = { key, estimate: createEstimator(job) };
  return last.estimate;
}

type EstimatorChoice = Pick<AnalysisJob, 'estimator' | 'method' | 'numberOfSubRois'>;

/** Methods that are no fit of a line have nothing to estimate jointly: they always go by rows. */
export function createEstimator(job: EstimatorChoice): RoiEstimator {
  const { estimator, method } = job;
  if (estimator === 'roi' && (method === 'gaussian' || method === 'fano'))
    return createRoiEstimator(method, bins => observe?.(bins));
  return createRowsEstimator(job);
}

/** The reference that this thread has read last. */
let lastReference: { hash: string; finder: ShiftFinder } | null = null;
/** Sees how the ROI is sampled that is being estimated. */
let observe: ((bins: RoiBins) => void) | null = null;

function finderFor({ reference }: FrameAnalysis): ShiftFinder | null {
  if (!reference) return null;
  if (lastReference?.hash !== reference.hash) {
    const finder = createShiftFinder(decodeReference(new Uint8Array(reference.bytes)));
    lastReference = { hash: reference.hash, finder };
  }
  return lastReference.finder;
}

/** Decimals of `position` and `uncertainty`: a tenth of a thousandth of a pixel is far below any noise. */
const positionDecimals = 4;

function roiResult(
  label: string,
  { method, estimator, keepValues }: FrameAnalysis,
  estimate: RoiEstimate,
  shift: RoiShift | null,
): RoiResult {
  const { rows, rejections, flags, chiSquared } = estimate;
  // With `rows` the position stays what the rows say.
  const { position, uncertainty } = (estimator === 'roi' ? shift?.position : null) ?? estimate;
  const rounded = (value: number | null): number | null =>
    value === null ? null : roundDecimals(value, positionDecimals);
  const statistics =
    rows.length === 0
      ? []
      : methodParameters[method].map((parameter, column) => [
          parameter,
          parameterStatistics(columnOf(rows, column), keepValues, rows.length),
        ]);
  return {
    'ROI-label': label,
    'Analysis-method': method,
    ...Object.fromEntries(statistics),
    position: rounded(position),
    uncertainty: rounded(uncertainty),
    shift: rounded(shift?.shift ?? null),
    shift_uncertainty: rounded(shift?.uncertainty ?? null),
    ...(chiSquared === undefined ? {} : { chi_squared: rounded(chiSquared) }),
    rows_used: rows.length,
    rows_rejected: rejections.length - rows.length,
    flags: shift === null ? flags : [...flags, ...shift.flags],
  };
}

const numbers = reusableNumbers();

function columnOf(rows: readonly Float64Array[], column: number): Float64Array {
  const values = numbers(rows.length);
  for (let row = 0; row < rows.length; row++) values[row] = rows[row][column];
  return values;
}
