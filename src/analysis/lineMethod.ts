import { createCoarseRow } from './coarseRow.ts';
import { isConstantRow } from './isConstantRow.ts';
import type { LineProblem } from './lineProblem.ts';
import { createLineStartFinder } from './lineStart.ts';
import { type LinePoint, minimiseLine } from './minimiseLine.ts';
import { copyRow, createRowData, loadRow } from './rowData.ts';
import type { RowMethod, RowRejection } from './rowMethod.ts';

/** What is particular to one line shape. */
export interface LineShape extends Pick<RowMethod, 'parameters' | 'position'> {
  /** Index in the parameters of the line's width, and of the error of the fit (root of the mean squared residual). */
  widthIndex: number;
  errorIndex: number;
  /** Height of the line above its base, of a row's parameters; counts. */
  height: (out: Float64Array) => number;
  /** Width of the shape whose half width at half height is 1. */
  widthOfUnit: number;
  problem: LineProblem;
}

/** The search in the averaged row ends at a step of this share of the width: the next one would be a tenth of it or less. */
const coarseTolerance = 0.1;
/** A line narrower than so many averaged pixels is not to be seen there. */
const minCoarseWidth = 2;

/**
 * A method that fits one line shape to each row by unweighted least squares.
 *
 * Starts: the highest peak of the smoothed row; where its fit leaves more than a third of the row's variance, the deepest
 * dip too (which has to be clearly better, since noise always has one); where neither holds, the highest pixel. So hot
 * pixels and noise do not catch the fit. Long rows are averaged over neighbouring pixels first, and the search goes on in
 * the row itself from where it has come to there.
 */
export function createLineMethod(shape: LineShape): RowMethod {
  const { problem, errorIndex, widthIndex } = shape;
  const starts = createLineStartFinder();
  const point: LinePoint = { position: 0, width: 0, squares: 0 };
  const row = createRowData();
  const coarse = createCoarseRow();
  const coarseRow = createRowData();

  function startFrom(values: Float64Array, offset: number, length: number, reach: number, sign: 1 | -1): void {
    const start = starts.find(values, offset, length, reach, sign);
    point.position = start.position;
    point.width = start.halfWidth * shape.widthOfUnit;
  }

  /** Puts `point` next to the line, as the averaged row shows it; false when it shows none. */
  function startInCoarse(reach: number, sign: 1 | -1): boolean {
    const { values, length, step } = coarse;
    if (step === 1) return false;
    startFrom(values, 0, length, Math.max(1, Math.round(reach / step)), sign);
    copyRow(coarseRow, problem.row);
    const rejection = minimiseLine(problem, point, coarseTolerance);
    copyRow(row, problem.row);
    if (rejection !== null || point.width < minCoarseWidth) return false;
    point.position = point.position * step + (step - 1) / 2;
    // The average widens a line.
    point.width = Math.sqrt((point.width * step) ** 2 - ((step * step - 1) / 12) * shape.widthOfUnit ** 2);
    return true;
  }

  return {
    parameters: shape.parameters,
    position: shape.position,
    width: out => out[widthIndex],
    signal: out => shape.height(out) / Math.max(out[errorIndex], Number.MIN_VALUE),
    fitRow(values, offset, length, ceiling, out) {
      if (length < shape.parameters.length - 1) return 'too_short';
      loadRow(row, values, offset, length, ceiling);
      // Saturated pixels are not in the total, but vary too.
      const squares = row.count === length ? row.total : undefined;
      if (isConstantRow(values, offset, length, squares)) return 'constant';
      if (row.count < length / 2) return 'saturated';
      coarse.fill(row);
      if (coarse.step > 1) loadRow(coarseRow, coarse.values, 0, coarse.length, ceiling);
      copyRow(row, problem.row);

      let best = Number.POSITIVE_INFINITY;
      let reason: RowRejection = 'no_convergence';
      const attempt = (reach: number, sign: 1 | -1, below: number): void => {
        if (reach === 0 || !startInCoarse(reach, sign)) startFrom(values, offset, length, reach, sign);
        const rejection = minimiseLine(problem, point);
        if (rejection !== null) reason = rejection;
        else if (point.squares < below && (sign > 0 || problem.isDip())) {
          best = point.squares;
          problem.write(out);
          out[errorIndex] = Math.sqrt(best / row.count);
        }
      };
      const reach = Math.round(length / 16);
      attempt(reach, 1, best);
      if (best > row.total / 3) attempt(reach, -1, 0.9 * best);
      if (best === Number.POSITIVE_INFINITY) attempt(0, 1, best);
      return best === Number.POSITIVE_INFINITY ? reason : null;
    },
  };
}
