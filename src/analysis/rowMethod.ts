/** Why a row gives no result. */
export type RowRejection =
  /** Fewer pixels than the method has parameters. */
  | 'too_short'
  /** Hardly any variation: there is no line. */
  | 'constant'
  /** More than half of its pixels are at the camera's full scale. */
  | 'saturated'
  /** Dead, or far brighter or darker than the other rows of its ROI. */
  | 'differing'
  | 'no_convergence'
  /** A minimum was found, but not of a line that was seen: far outside the row, narrower than a pixel, wider than the row. */
  | 'implausible';

/**
 * One way to find the line in a row of pixels. An instance owns its workspace, so that rows allocate nothing that lasts;
 * it serves one caller at a time.
 */
export interface RowMethod {
  /** Names of the parameters in `out`, those of `methodParameters`. */
  readonly parameters: readonly string[];
  /** Which parameter is the position, and the number that the row's first pixel has in it. */
  readonly position: { readonly index: number; readonly origin: 0 | 1 };
  /** Half width of the line in pixels, of a row's parameters; null when the method does not measure it. */
  readonly width: ((out: Float64Array) => number) | null;
  /** Height of the line over the error of the fit; null when the method does not measure it. */
  readonly signal: ((out: Float64Array) => number) | null;
  /**
   * Finds the line in `values[offset … offset + length)`. Null: `out` holds the parameters, all finite. Otherwise the
   * reason, and `out` is undefined. Fits leave out pixels from `ceiling` on, which are saturated; Infinity keeps all.
   */
  fitRow(values: Float64Array, offset: number, length: number, ceiling: number, out: Float64Array): RowRejection | null;
  /**
   * Sees all rows of an ROI together once each was fitted, and may replace what they gave; absent where rows are all
   * that counts. `values` holds rows of `length` pixels, as many as `results` has; `ceiling` as above.
   */
  revise?(values: Float64Array, length: number, ceiling: number, results: RowResults): void;
}

/** What the rows of one ROI gave. */
export interface RowResults {
  /** Parameters of each row; undefined where the row was rejected. */
  readonly parameters: readonly Float64Array[];
  /** Null for a row that was fitted. */
  readonly rejections: (RowRejection | null)[];
}
