import type { AnalysisJob } from '../model/analysisJob.ts';
import type { RoiFlag } from '../model/result.ts';
import { positionUncertainty } from './positionUncertainty.ts';
import { quantile } from './quantile.ts';
import { reduceRows } from './reduceRows.ts';
import { lowSignal, type RoiEstimate, type RoiEstimator, saturatedShare } from './roiEstimate.ts';
import type { RowMethod, RowResults } from './rowMethod.ts';
import { rowMethods } from './rowMethods.ts';
import { sampleRoi } from './sampleRoi.ts';

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
  const positions = Float64Array.from(used, row => row[index] - origin).sort();
  const position = used.length > 0 ? quantile(positions, 0.5) : null;
  const flags: RoiFlag[] = [];
  if (position === null) flags.push('lost');
  else {
    if (method.signal && medianOf(used, method.signal) < lowSignal) flags.push('low_signal');
    const margin = method.width ? medianOf(used, method.width) : 1;
    if (position < margin || position > cols - 1 - margin) flags.push('edge');
  }
  if (saturated) flags.push('saturated');
  return { position, uncertainty: positionUncertainty(positions), flags, rows: used, rejections };
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
