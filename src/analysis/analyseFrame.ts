import type { AnalysedFrame, AnalysisJob } from '../model/analysisJob.ts';
import type { Pixels } from '../model/frame.ts';
import { type AnalysisMethod, methodParameters } from '../model/method.ts';
import type { RoiFlag, RoiResult } from '../model/result.ts';
import type { Roi } from '../model/roi.ts';
import { frameStatistics } from './frameStatistics.ts';
import { parameterStatistics } from './parameterStatistics.ts';
import { positionUncertainty } from './positionUncertainty.ts';
import { quantile } from './quantile.ts';
import { reduceRows } from './reduceRows.ts';
import { roundDecimals } from './roundDecimals.ts';
import type { RowMethod, RowRejection, RowResults } from './rowMethod.ts';
import { rowMethods } from './rowMethods.ts';
import { sampleRoi } from './sampleRoi.ts';

/** What to analyse in a frame; see {@link AnalysisJob}. */
export type FrameAnalysis = Omit<AnalysisJob, 'path'>;

/**
 * Analyses every ROI of a decoded frame, in manifest order. Pure.
 *
 * No number in the result is NaN or infinite. A ROI without a usable row stands in the result with `position` and
 * `uncertainty` null, the flag `lost`, and no parameters.
 *
 * @throws RoiOutsideFrameError when an ROI reaches out of the frame: the manifest is for images of another size
 */
export function analyseFrame(pixels: Pixels, job: FrameAnalysis): Omit<AnalysedFrame, 'decodeMs' | 'analyseMs'> {
  const { rois, imageAngle } = job.rois;
  const { statistics, saturation } = frameStatistics(pixels);
  const analyseRoi = createRoiAnalysis(job, saturation);
  const results: RoiResult[] = [];
  const positions = new Float64Array(rois.length);
  const rowsRejected: Record<string, number> = {};
  let rowsFitted = 0;

  rois.forEach((roi, index) => {
    const { result, rejections } = analyseRoi(pixels, roi, imageAngle);
    results.push(result);
    positions[index] = result.position ?? Number.NaN;
    rowsFitted += result.rows_used;
    for (const reason of rejections) if (reason !== null) rowsRejected[reason] = (rowsRejected[reason] ?? 0) + 1;
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

/** Decimals of `position` and `uncertainty`: a tenth of a thousandth of a pixel is far below any noise. */
const positionDecimals = 4;
/** Share of an ROI's pixels at full scale from which it is flagged: below the few pixels of one bright speck it is not. */
const saturatedShare = 0.005;
/** Height of the line over the error of the fit below which the signal is low. */
const lowSignal = 3;

type RoiAnalysis = (
  pixels: Pixels,
  roi: Roi,
  angle: number,
) => { result: RoiResult; rejections: readonly (RowRejection | null)[] };

/** One ROI after the other through the same buffers. */
function createRoiAnalysis(
  { method: name, numberOfSubRois, keepValues }: FrameAnalysis,
  saturation: number,
): RoiAnalysis {
  const method = rowMethods[name]();
  let sampled = new Float64Array(0);
  let reduced = new Float64Array(0);
  const parameters: Float64Array[] = [];

  return (pixels, roi, angle) => {
    const [rows, cols] = roi.size;
    if (sampled.length < rows * cols) sampled = new Float64Array(rows * cols);
    sampleRoi(pixels, roi, angle, sampled);
    const saturated = shareFrom(saturation, sampled, rows * cols) >= saturatedShare;

    let values = sampled;
    let count = rows;
    if (numberOfSubRois > 0) {
      count = numberOfSubRois;
      if (reduced.length < count * cols) reduced = new Float64Array(count * cols);
      reduceRows(sampled, rows, cols, count, reduced);
      values = reduced;
    }

    while (parameters.length < count) parameters.push(new Float64Array(method.parameters.length));
    const fits: RowResults = { parameters: parameters.slice(0, count), rejections: [] };
    for (let row = 0; row < count; row++) {
      fits.rejections.push(method.fitRow(values, row * cols, cols, saturation, parameters[row]));
    }
    method.revise?.(values, cols, saturation, fits);
    const used = fits.parameters.filter((_, row) => fits.rejections[row] === null);
    const result = roiResult(roi.label, name, method, used, count, cols, saturated, keepValues);
    return { result, rejections: fits.rejections };
  };
}

function roiResult(
  label: string,
  name: AnalysisMethod,
  method: RowMethod,
  used: readonly Float64Array[],
  rows: number,
  cols: number,
  saturated: boolean,
  keepValues: boolean,
): RoiResult {
  const { index, origin } = method.position;
  const positions = Float64Array.from(used, row => row[index] - origin).sort();
  const position = used.length > 0 ? quantile(positions, 0.5) : null;
  const uncertainty = positionUncertainty(positions);

  const flags: RoiFlag[] = [];
  if (position === null) flags.push('lost');
  else {
    if (method.signal && medianOf(used, method.signal) < lowSignal) flags.push('low_signal');
    const margin = method.width ? medianOf(used, method.width) : 1;
    if (position < margin || position > cols - 1 - margin) flags.push('edge');
  }
  if (saturated) flags.push('saturated');

  const statistics =
    used.length === 0
      ? []
      : methodParameters[name].map((parameter, column) => [
          parameter,
          parameterStatistics(
            Float64Array.from(used, row => row[column]),
            keepValues,
          ),
        ]);
  return {
    'ROI-label': label,
    'Analysis-method': name,
    ...Object.fromEntries(statistics),
    position: position === null ? null : roundDecimals(position, positionDecimals),
    uncertainty: uncertainty === null ? null : roundDecimals(uncertainty, positionDecimals),
    rows_used: used.length,
    rows_rejected: rows - used.length,
    flags,
  };
}

function medianOf(rows: readonly Float64Array[], value: (row: Float64Array) => number): number {
  return quantile(Float64Array.from(rows, value).sort(), 0.5);
}

/** Share of the first `count` values that reach a level. */
function shareFrom(level: number, values: Float64Array, count: number): number {
  if (level === Number.POSITIVE_INFINITY) return 0;
  let reached = 0;
  for (let i = 0; i < count; i++) if (values[i] >= level) reached++;
  return reached / count;
}
