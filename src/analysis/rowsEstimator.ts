import type { AnalysisJob } from '../model/analysisJob.ts';
import type { RoiFlag } from '../model/result.ts';
import { quantile } from './quantile.ts';
import { reusableNumbers } from './reusableNumbers.ts';
import { lowSignal, type RoiEstimate, type RoiEstimator, saturatedShare } from './roiEstimate.ts';
import type { RowMethod, RowResults } from './rowMethod.ts';
import { rowMethods } from './rowMethods.ts';
import { sampleRoi } from './sampleRoi.ts';
import { sortAscending } from './sortAscending.ts';

/** Estimator `rows`: each row by itself; the position is the median over the rows. */
export function createRowsEstimator({ method: name, numberOfSubRois }: RowsChoice): RoiEstimator {
  const method = rowMethods[name]();
  let sampled = new Float64Array(0);
  let reduced = new Float64Array(0);
  const parameters: Float64Array[] = [];

  return (pixels, roi, angle, saturation) => {
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
    return joined(method, fits, cols, saturated);
  };
}

type RowsChoice = Pick<AnalysisJob, 'method' | 'numberOfSubRois'>;

function joined(
  method: RowMethod,
  { parameters, rejections }: RowResults,
  cols: number,
  saturated: boolean,
): RoiEstimate {
  const used = parameters.filter((_, row) => rejections[row] === null);
  const { index, origin } = method.position;
  const positions = sortedOver(used, row => row[index] - origin);
  const position = used.length > 0 ? quantile(positions, 0.5, used.length) : null;
  const uncertainty = positionUncertainty(positions, used.length);
  const flags: RoiFlag[] = [];
  if (position === null) flags.push('lost');
  else {
    if (method.signal && medianOf(used, method.signal) < lowSignal) flags.push('low_signal');
    const margin = method.width ? medianOf(used, method.width) : 1;
    if (position < margin || position > cols - 1 - margin) flags.push('edge');
  }
  if (saturated) flags.push('saturated');
  return { position, uncertainty, flags, rows: used, rejections };
}

function medianOf(rows: readonly Float64Array[], value: (row: Float64Array) => number): number {
  return quantile(sortedOver(rows, value), 0.5, rows.length);
}

const sortedNumbers = reusableNumbers();

/** A value of each row, ascending; as many as there are rows. Overwritten by the next call. */
function sortedOver(rows: readonly Float64Array[], value: (row: Float64Array) => number): Float64Array {
  const values = sortedNumbers(rows.length);
  for (let row = 0; row < rows.length; row++) values[row] = value(rows[row]);
  return sortAscending(values, rows.length);
}

/** Share of the first `count` values that reach a level. */
function shareFrom(level: number, values: Float64Array, count: number): number {
  if (level === Number.POSITIVE_INFINITY) return 0;
  let reached = 0;
  for (let i = 0; i < count; i++) if (values[i] >= level) reached++;
  return reached / count;
}

/**
 * Averages the rows of an ROI to fewer: output row k is the mean over the input rows from k·rows/n to (k+1)·rows/n, a
 * row that two share counting by its parts. (The Python system's `cv2.resize` only interpolated between two rows, so
 * most of them never counted.)
 *
 * @param values rows × cols, row by row
 * @param count n, at least 1; more than there are rows repeats rows by the same rule
 * @param out receives count × cols means
 */
export function reduceRows(values: Float64Array, rows: number, cols: number, count: number, out: Float64Array): void {
  for (let k = 0; k < count; k++) {
    const from = (k * rows) / count;
    const to = ((k + 1) * rows) / count;
    const target = k * cols;
    out.fill(0, target, target + cols);
    for (let row = Math.floor(from); row < Math.min(rows, Math.ceil(to)); row++) {
      const weight = (Math.min(row + 1, to) - Math.max(row, from)) / (to - from);
      if (weight <= 0) continue;
      const source = row * cols;
      for (let col = 0; col < cols; col++) out[target + col] += weight * values[source + col];
    }
  }
}

const deviationNumbers = reusableNumbers();

/**
 * Standard error of the median of rows' positions, from their scatter: √(π/2)·σ/√n with the robust σ = 1.4826·median
 * absolute deviation (both for normally distributed rows; Huber & Ronchetti, Robust Statistics, 2009). Where more than
 * half of the rows agree exactly, which whole pixels do, the plain standard deviation stands in for σ. Rows whose noise
 * is alike, since speckle does not change from frame to frame, err together more than this says.
 *
 * @param sorted positions, ascending
 * @param count looks at so many of them, the first ones
 * @returns null for fewer than two rows
 */
export function positionUncertainty(sorted: Float64Array, count = sorted.length): number | null {
  if (count < 2) return null;
  const median = quantile(sorted, 0.5, count);
  const deviations = deviationNumbers(count);
  for (let i = 0; i < count; i++) deviations[i] = Math.abs(sorted[i] - median);
  sortAscending(deviations, count);
  const robust = 1.4826 * quantile(deviations, 0.5, count);
  const sigma = robust > 0 ? robust : Math.sqrt(meanSquare(deviations, count));
  return (Math.sqrt(Math.PI / 2) * sigma) / Math.sqrt(count);
}

function meanSquare(values: Float64Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i] * values[i];
  return sum / count;
}
