import type { AnalysedFrame, AnalysisJob } from '../model/analysisJob.ts';
import type { Pixels } from '../model/frame.ts';
import { methodParameters } from '../model/method.ts';
import type { RoiResult } from '../model/result.ts';
import { frameStatistics } from './frameStatistics.ts';
import { createRoiEstimator } from './joint/roiEstimator.ts';
import { parameterStatistics } from './parameterStatistics.ts';
import type { RoiEstimate, RoiEstimator } from './roiEstimate.ts';
import { roundDecimals } from './roundDecimals.ts';
import { createRowsEstimator } from './rowsEstimator.ts';

/** What to analyse in a frame; see {@link AnalysisJob}. */
export type FrameAnalysis = Omit<AnalysisJob, 'path'>;

/**
 * Analyses every ROI of a decoded frame, in manifest order. Pure.
 *
 * No number in the result is NaN or infinite. A ROI without a line stands in the result with `position` and `uncertainty`
 * null, the flag `lost`, and no parameters.
 *
 * @throws RoiOutsideFrameError when an ROI reaches out of the frame: the manifest is for images of another size
 */
export function analyseFrame(pixels: Pixels, job: FrameAnalysis): Omit<AnalysedFrame, 'decodeMs' | 'analyseMs'> {
  const { rois, imageAngle } = job.rois;
  const { statistics, saturation } = frameStatistics(pixels);
  const estimate = estimatorFor(job);
  const results: RoiResult[] = [];
  const positions = new Float64Array(rois.length);
  const rowsRejected: Record<string, number> = {};
  let rowsFitted = 0;

  rois.forEach((roi, index) => {
    const estimated = estimate(pixels, roi, imageAngle, saturation);
    const result = roiResult(roi.label, job, estimated);
    results.push(result);
    positions[index] = result.position ?? Number.NaN;
    rowsFitted += result.rows_used;
    for (const reason of estimated.rejections) {
      if (reason !== null) rowsRejected[reason] = (rowsRejected[reason] ?? 0) + 1;
    }
  });

  return {
    width: pixels.width,
    height: pixels.height,
    depth: pixels.depth,
    statistics,
    imageAnalysis: new TextEncoder().encode(JSON.stringify([statistics, ...results])),
    rois: rois.length,
    positions,
    rowsFitted,
    rowsRejected,
  };
}

/** Methods that are no fit of a line have nothing to estimate jointly: they always go by rows. */
function estimatorFor(job: FrameAnalysis): RoiEstimator {
  const { estimator, method } = job;
  if (estimator === 'roi' && (method === 'gaussian' || method === 'fano')) return createRoiEstimator(method);
  return createRowsEstimator(job);
}

/** Decimals of `position` and `uncertainty`: a tenth of a thousandth of a pixel is far below any noise. */
const positionDecimals = 4;

function roiResult(label: string, { method, keepValues }: FrameAnalysis, estimate: RoiEstimate): RoiResult {
  const { rows, rejections, flags, chiSquared } = estimate;
  const rounded = (value: number | null): number | null =>
    value === null ? null : roundDecimals(value, positionDecimals);
  const statistics =
    rows.length === 0
      ? []
      : methodParameters[method].map((parameter, column) => [
          parameter,
          parameterStatistics(columnOf(rows, column), keepValues),
        ]);
  return {
    'ROI-label': label,
    'Analysis-method': method,
    ...Object.fromEntries(statistics),
    position: rounded(estimate.position),
    uncertainty: rounded(estimate.uncertainty),
    ...(chiSquared === undefined ? {} : { chi_squared: rounded(chiSquared) }),
    rows_used: rows.length,
    rows_rejected: rejections.length - rows.length,
    flags,
  };
}

function columnOf(rows: readonly Float64Array[], column: number): Float64Array {
  const values = new Float64Array(rows.length);
  for (let row = 0; row < rows.length; row++) values[row] = rows[row][column];
  return values;
}
