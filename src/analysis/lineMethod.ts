import { isConstantRow } from './isConstantRow.ts';
import type { LineProblem } from './lineProblem.ts';
import { createLineStartFinder } from './lineStart.ts';
import { type LinePoint, minimiseLine } from './minimiseLine.ts';
import { loadRow } from './rowData.ts';
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

/**
 * A method that fits one line shape to each row by unweighted least squares.
 *
 * Starts: the highest peak of the smoothed row; where its fit leaves more than a third of the row's variance, the deepest
 * dip too (which has to be clearly better, since noise always has one); where neither holds, the highest pixel. So hot
 * pixels and noise do not catch the fit.
 */
export function createLineMethod(shape: LineShape): RowMethod {
  const { problem, errorIndex, widthIndex } = shape;
  const starts = createLineStartFinder();
  const point: LinePoint = { position: 0, width: 0, squares: 0 };

  return {
    parameters: shape.parameters,
    position: shape.position,
    width: out => out[widthIndex],
    signal: out => shape.height(out) / Math.max(out[errorIndex], Number.MIN_VALUE),
    fitRow(values, offset, length, ceiling, out) {
      if (length < shape.parameters.length - 1) return 'too_short';
      if (isConstantRow(values, offset, length)) return 'constant';
      loadRow(problem.row, values, offset, length, ceiling);
      if (problem.row.count < length / 2) return 'saturated';

      let best = Number.POSITIVE_INFINITY;
      let reason: RowRejection = 'no_convergence';
      const attempt = (reach: number, sign: 1 | -1, below: number): void => {
        const start = starts.find(values, offset, length, reach, sign);
        point.position = start.position;
        point.width = start.halfWidth * shape.widthOfUnit;
        const rejection = minimiseLine(problem, point);
        if (rejection !== null) reason = rejection;
        else if (point.squares < below && (sign > 0 || problem.isDip())) {
          best = point.squares;
          problem.write(out);
          out[errorIndex] = Math.sqrt(best / problem.row.count);
        }
      };
      const reach = Math.round(length / 16);
      attempt(reach, 1, best);
      if (best > problem.row.total / 3) attempt(reach, -1, 0.9 * best);
      if (best === Number.POSITIVE_INFINITY) attempt(0, 1, best);
      return best === Number.POSITIVE_INFINITY ? reason : null;
    },
  };
}
