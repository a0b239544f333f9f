import type { RowData } from './rowData.ts';

/**
 * A line shape fitted to a row by least squares, reduced to position and width: at each pair of them the parameters in
 * which the shape is linear are solved for exactly (variable projection: Golub & Pereyra, Inverse Problems 19, R1, 2003).
 */
export interface LineProblem {
  /** The row that is fitted; `loadRow` fills it. */
  readonly row: RowData;
  /** Squared residuals at a position and width, best linear parameters included; Infinity where these are not determined. */
  evaluate(position: number, width: number): number;
  /**
   * Expands half the squares about the point last evaluated in u = Δposition/width, v = Δwidth/width, as
   * ½·(huu·u² + 2·huv·u·v + hvv·v²) − (bu·u + bv·v), and writes huu, huv, hvv, bu, bv. The matrix is positive
   * definite: Newton's where the squares curve upwards, Gauss–Newton's elsewhere.
   */
  expand(into: Float64Array): void;
  /**
   * Goes on from the point last evaluated by u and v without looking at the row again: the sums are taken on to the first
   * order, so the parameters are right to the second. @returns the squares there
   */
  shift(u: number, v: number): number;
  /** Whether the line at the point last evaluated goes down. */
  isDip(): boolean;
  /** Writes the method's parameters, without the error of the fit, at the point last evaluated. */
  write(out: Float64Array): void;
}
