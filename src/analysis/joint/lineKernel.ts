/** A line shape of height about 1 over the bins of a row, with its derivatives. */
export interface KernelValues {
  line: Float64Array;
  byPosition: Float64Array;
  byWidth: Float64Array;
  /** Undefined for a shape without asymmetry. */
  byAsymmetry: Float64Array;
}

/** What is particular to one line shape in the joint fit. */
export interface LineKernel {
  readonly isAsymmetric: boolean;
  /**
   * Fills `into` for the first `count` bins.
   *
   * @param centres column of each bin's middle
   * @param binWidth pixels of a bin. The shape is the mean over them, to the second order: f + (b² − 1)/24·f″, since the mean
   *   of (x − middle)² over b whole pixels is (b² − 1)/12. The derivatives are those of the shape itself.
   */
  fill(
    centres: Float64Array,
    count: number,
    position: number,
    width: number,
    asymmetry: number,
    binWidth: number,
    into: KernelValues,
  ): void;
}

/** exp(−t²/2), t = (x − position)/width. */
export const gaussianKernel: LineKernel = {
  isAsymmetric: false,
  fill(centres, count, position, width, _asymmetry, binWidth, { line, byPosition, byWidth }) {
    const step = 1 / width;
    const spread = ((binWidth * binWidth - 1) / 24) * step * step;
    for (let i = 0; i < count; i++) {
      const t = (centres[i] - position) * step;
      const g = Math.exp(-0.5 * t * t);
      const slope = g * t * step;
      line[i] = g * (1 + spread * (t * t - 1));
      byPosition[i] = slope;
      byWidth[i] = slope * t;
    }
  },
};

/**
 * The Fano line without its constant: cos α·L + sin α·D with L = 1/(1 + t²), D = t·L, t = (x − position)/width. α is the
 * asymmetry; tan α = 2q/(q² − 1). α = 0 is a symmetric peak (|q| = ∞).
 */
export const fanoKernel: LineKernel = {
  isAsymmetric: true,
  fill(centres, count, position, width, asymmetry, binWidth, { line, byPosition, byWidth, byAsymmetry }) {
    const step = 1 / width;
    const spread = ((binWidth * binWidth - 1) / 24) * step * step;
    const cos = Math.cos(asymmetry);
    const sin = Math.sin(asymmetry);
    for (let i = 0; i < count; i++) {
      const t = (centres[i] - position) * step;
      const l = 1 / (1 + t * t);
      const d = t * l;
      const bend = spread * l * (6 - 8 * l);
      const binnedL = l * (1 + bend);
      const binnedD = d * (1 + spread * l * (2 - 8 * l));
      const slope = (cos * -2 * d * l + sin * (2 * l * l - l)) * -step;
      line[i] = cos * binnedL + sin * binnedD;
      byPosition[i] = slope;
      byWidth[i] = slope * t;
      byAsymmetry[i] = cos * binnedD - sin * binnedL;
    }
  },
};
