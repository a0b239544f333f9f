import type { AnalysisJob } from '../model/analysisJob.ts';
import type { RoiFlag } from '../model/result.ts';
import { keptNumbers } from './keptNumbers.ts';
import { positionUncertainty } from './positionUncertainty.ts';
import { quantile } from './quantile.ts';
import { reduceRows } from './reduceRows.ts';
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

const room = keptNumbers();

/** A value of each row, ascending; as many as there are rows. Overwritten by the next call. */
function sortedOver(rows: readonly Float64Array[], value: (row: Float64Array) => number): Float64Array {
  const values = room(rows.length);
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
