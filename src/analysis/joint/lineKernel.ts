/** The bins of a row: all of the same width but the last. */
export interface BinAxis {
  readonly count: number;
  /** Pixels of a bin. */
  readonly width: number;
  /** Column of each bin's middle. */
  readonly centres: Float64Array;
}

/** A line shape of height about 1 over bins, with its derivatives. */
export interface KernelValues {
  line: Float64Array;
  byPosition: Float64Array;
  byWidth: Float64Array;
  /** Undefined for a shape without asymmetry. */
  byAsymmetry: Float64Array;
}

export function createKernelValues(size: number): KernelValues {
  return {
    line: new Float64Array(size),
    byPosition: new Float64Array(size),
    byWidth: new Float64Array(size),
    byAsymmetry: new Float64Array(size),
  };
}

/** What is particular to one line shape in the joint fit. */
export interface LineKernel {
  readonly isAsymmetric: boolean;
  /**
   * Fills `into`, from `first` on, for the bins of a row. The shape is the mean over a bin of b pixels, to the second order:
   * f + (b² − 1)/24·f″, since the mean of (x − middle)² over b whole pixels is (b² − 1)/12. The derivatives are those of the
   * shape itself.
   */
  fill(axis: BinAxis, position: number, width: number, asymmetry: number, into: KernelValues, first: number): void;
}

/**
 * exp(−t²/2), t = (x − position)/width. The exponential comes by recurrence outwards from the bin next to the position, over
 * the bins at equal distances: g(k+1) = g(k)·q(k), q(k+1) = q(k)·exp(−(b/width)²), with an error near 1e-13.
 */
export const gaussianKernel: LineKernel = {
  isAsymmetric: false,
  fill({ count, width: binWidth, centres }, position, width, _asymmetry, { line, byPosition, byWidth }, first) {
    const step = 1 / width;
    const spread = ((binWidth * binWidth - 1) / 24) * step * step;
    // The last bin has a distance of its own to its neighbour.
    const regular = count - 1;
    const stride = binWidth * step;
    const start = (centres[0] - position) * step;
    const nearest = Math.max(0, Math.min(regular - 1, Math.round(-start / stride)));
    const middle = start + nearest * stride;
    const ratio = Math.exp(-stride * stride);
    const top = Math.exp(-0.5 * middle * middle);
    let g = top;
    let q = Math.exp(-stride * (middle + 0.5 * stride));
    let t = middle;
    for (let i = first + nearest; i < first + regular; i++) {
      const slope = g * t * step;
      line[i] = g * (1 + spread * (t * t - 1));
      byPosition[i] = slope;
      byWidth[i] = slope * t;
      g *= q;
      q *= ratio;
      t += stride;
    }
    q = Math.exp(stride * (middle - 0.5 * stride));
    g = top * q;
    q *= ratio;
    t = middle - stride;
    for (let i = first + nearest - 1; i >= first; i--) {
      const slope = g * t * step;
      line[i] = g * (1 + spread * (t * t - 1));
      byPosition[i] = slope;
      byWidth[i] = slope * t;
      g *= q;
      q *= ratio;
      t -= stride;
    }
    t = (centres[regular] - position) * step;
    g = Math.exp(-0.5 * t * t);
    const slope = g * t * step;
    line[first + regular] = g * (1 + spread * (t * t - 1));
    byPosition[first + regular] = slope;
    byWidth[first + regular] = slope * t;
  },
};

/**
 * The Fano line without its constant: cos α·L + sin α·D with L = 1/(1 + t²), D = t·L, t = (x − position)/width. α is the
 * asymmetry; tan α = 2q/(q² − 1). α = 0 is a symmetric peak (|q| = ∞).
 */
export const fanoKernel: LineKernel = {
  isAsymmetric: true,
  fill(
    { count, width: binWidth, centres },
    position,
    width,
    asymmetry,
    { line, byPosition, byWidth, byAsymmetry },
    first,
  ) {
    const step = 1 / width;
    const spread = ((binWidth * binWidth - 1) / 24) * step * step;
    const cos = Math.cos(asymmetry);
    const sin = Math.sin(asymmetry);
    for (let i = 0; i < count; i++) {
      const at = first + i;
      const t = (centres[i] - position) * step;
      const l = 1 / (1 + t * t);
      const d = t * l;
      const bend = spread * l;
      const binnedL = l + l * bend * (6 - 8 * l);
      const binnedD = d + d * bend * (2 - 8 * l);
      const slope = (2 * cos * d - sin * (2 * l - 1)) * l * step;
      line[at] = cos * binnedL + sin * binnedD;
      byPosition[at] = slope;
      byWidth[at] = slope * t;
      byAsymmetry[at] = cos * binnedD - sin * binnedL;
    }
  },
};
