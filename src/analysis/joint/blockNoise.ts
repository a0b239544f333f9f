/** Classes of height that the noise is measured in, by their upper limits as shares of the greatest height. */
const classLimits = [0.03, 0.1, 0.25, 0.5, 0.8, Number.POSITIVE_INFINITY];
const classes = classLimits.length;
/** Median of a squared normal deviate of variance 1. */
const medianOfSquare = 0.454936;
/** Differences beyond so many standard deviations are no noise. */
const cut = 4.5;

/**
 * Variance of a block of one pixel's weight by the height h of the model above its lowest value: p0 + p1·h + p2·h², all
 * three not negative. It covers read noise (p0), shot noise (p1) and speckle, whose deviation is a share of the light (p2).
 *
 * It is measured from the differences of residuals between groups of rows two apart: what the shape does not describe is
 * the same in both and cancels, and the speckle of one does not reach the other. So it is independent of the fit, and a
 * reduced χ² can be formed with it.
 */
export interface BlockNoise {
  readonly terms: Float64Array;
  /**
   * Measures. `isRobust`: by medians, for when it is not known yet which blocks are dusty or hot; otherwise by means,
   * leaving out what is improbable under the terms measured before.
   */
  measure(blocks: NoisyBlocks, isRobust: boolean): void;
}

export interface NoisyBlocks {
  groups: number;
  bins: number;
  residuals: Float64Array;
  heights: Float64Array;
  pixels: Float64Array;
}

export function createBlockNoise(): BlockNoise {
  const terms = new Float64Array(3);
  let squares = new Float64Array(0);
  let classOf = new Uint8Array(0);
  let sorted = new Float64Array(0);
  const counts = new Float64Array(classes);
  const heightSums = new Float64Array(classes);
  const squareSums = new Float64Array(classes);
  const variances = new Float64Array(classes);

  function collect({ groups, bins, residuals, heights, pixels }: NoisyBlocks, isRobust: boolean): number {
    const lag = Math.min(2, groups - 1) * bins;
    const size = groups * bins - lag;
    if (squares.length < size) {
      squares = new Float64Array(size);
      classOf = new Uint8Array(size);
      sorted = new Float64Array(size);
    }
    let highest = 0;
    for (let i = 0; i < groups * bins; i++) if (heights[i] > highest) highest = heights[i];
    counts.fill(0);
    heightSums.fill(0);
    squareSums.fill(0);
    variances.fill(0);
    const scale = highest > 0 ? 1 / highest : 0;
    let found = 0;
    for (let i = 0; i < size; i++) {
      const j = i + lag;
      if (pixels[i] === 0 || pixels[j] === 0) continue;
      const difference = lag === 0 ? residuals[i] : residuals[i] - residuals[j];
      const share = lag === 0 ? 1 / pixels[i] : 1 / pixels[i] + 1 / pixels[j];
      const square = (difference * difference) / share;
      const h = 0.5 * (heights[i] + heights[j]);
      if (!isRobust && square > cut * cut * (terms[0] + h * (terms[1] + h * terms[2]))) continue;
      let k = 0;
      while (h * scale > classLimits[k]) k++;
      squares[found] = square;
      classOf[found++] = k;
      counts[k]++;
      heightSums[k] += h;
      squareSums[k] += h * h;
      variances[k] += square;
    }
    return found;
  }

  function takeMedians(found: number): void {
    let start = 0;
    for (let k = 0; k < classes; k++) {
      let end = start;
      for (let i = 0; i < found; i++) if (classOf[i] === k) sorted[end++] = squares[i];
      if (end > start) {
        const part = sorted.subarray(start, end).sort();
        variances[k] = part[(end - start) >> 1] / medianOfSquare;
      }
      start = end;
    }
  }

  return {
    terms,
    measure(blocks, isRobust) {
      const found = collect(blocks, isRobust);
      if (isRobust) takeMedians(found);
      for (let k = 0; k < classes; k++) {
        if (counts[k] === 0) continue;
        if (!isRobust) variances[k] /= counts[k];
        heightSums[k] /= counts[k];
        squareSums[k] /= counts[k];
      }
      fitTerms(terms, counts, heightSums, squareSums, variances);
    },
  };
}

/** Least squares with terms that are not negative, by coordinate descent; relative errors count, weights by class. */
function fitTerms(
  terms: Float64Array,
  counts: Float64Array,
  h: Float64Array,
  hh: Float64Array,
  variances: Float64Array,
): void {
  let total = 0;
  let mean = 0;
  for (let k = 0; k < classes; k++) {
    total += counts[k];
    mean += counts[k] * variances[k];
  }
  mean = total > 0 ? mean / total : 0;
  // Counts are whole numbers: below this it is rounding, which is noise too.
  const least = Math.max(1e-4 * mean, 1e-9);
  terms[0] = Math.max(mean, least);
  terms[1] = 0;
  terms[2] = 0;
  for (let round = 0; round < 4; round++) {
    let a00 = 0;
    let a01 = 0;
    let a02 = 0;
    let a11 = 0;
    let a12 = 0;
    let a22 = 0;
    let b0 = 0;
    let b1 = 0;
    let b2 = 0;
    for (let k = 0; k < classes; k++) {
      if (counts[k] === 0) continue;
      const expected = round === 0 ? Math.max(variances[k], least) : terms[0] + terms[1] * h[k] + terms[2] * hh[k];
      const weight = counts[k] / (expected * expected);
      a00 += weight;
      a01 += weight * h[k];
      a02 += weight * hh[k];
      a11 += weight * h[k] * h[k];
      a12 += weight * h[k] * hh[k];
      a22 += weight * hh[k] * hh[k];
      b0 += weight * variances[k];
      b1 += weight * variances[k] * h[k];
      b2 += weight * variances[k] * hh[k];
    }
    let [p0, p1, p2] = terms;
    for (let sweep = 0; sweep < 40; sweep++) {
      p0 = Math.max(least, (b0 - a01 * p1 - a02 * p2) / a00);
      p2 = a22 > 0 ? Math.max(0, (b2 - a02 * p0 - a12 * p1) / a22) : 0;
      p1 = a11 > 0 ? Math.max(0, (b1 - a01 * p0 - a12 * p2) / a11) : 0;
    }
    terms[0] = p0;
    terms[1] = p1;
    terms[2] = p2;
  }
}
