import { nthSmallest } from '../nthSmallest.ts';
import { solveNotNegative } from './solveNotNegative.ts';

/** Classes of height that the noise is measured in, by their upper limits in hundredths of the greatest height. */
const classLimits = [3, 10, 25, 50, 80, 101];
const classes = classLimits.length;
/** Class of a height, by hundredths of the greatest. */
const classOfShare = Uint8Array.from({ length: 101 }, (_, share) => classLimits.findIndex(limit => share < limit));
/** Median of a squared normal deviate of variance 1. */
const medianOfSquare = 0.454936;
/** Differences beyond so many standard deviations are no noise. */
const cut = 4.5;
/** Least squares in which the weights follow from the terms before. */
const reweightings = 4;

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
  /** Begins with blocks of so many pixels each; 0 where there is none. */
  prepare(groups: number, bins: number, pixels: Float64Array): void;
  /**
   * Measures. `isRobust`: by medians, for when it is not known yet which blocks are dusty or hot; otherwise by means,
   * leaving out what is improbable under the terms measured before.
   *
   * @param model of each block, of which `lowest` and `highest` are the extremes
   */
  measure(residuals: Float64Array, model: Float64Array, lowest: number, highest: number, isRobust: boolean): void;
}

export function createBlockNoise(): BlockNoise {
  const terms = new Float64Array(3);
  let lag = 0;
  let size = 0;
  /** What the squared difference of each pair counts for, a pixel being one; 0 where one of them is missing. */
  let pairPixels = new Float64Array(0);
  let squares = new Float64Array(0);
  let classOf = new Uint8Array(0);
  let sorted = new Float64Array(0);
  const counts = new Float64Array(classes);
  const heightSums = new Float64Array(classes);
  const squareSums = new Float64Array(classes);
  const variances = new Float64Array(classes);
  const ends = new Int32Array(classes);

  /** @returns squares found, with their classes */
  function collect(
    residuals: Float64Array,
    model: Float64Array,
    lowest: number,
    highest: number,
    isRobust: boolean,
  ): number {
    counts.fill(0);
    heightSums.fill(0);
    squareSums.fill(0);
    variances.fill(0);
    const scale = highest > lowest ? 100 / (highest - lowest) : 0;
    const p0 = terms[0];
    const p1 = terms[1];
    const p2 = terms[2];
    // Own names, so that the compiler knows that they stay what they are.
    const pixels = pairPixels;
    const found = squares;
    const classed = classOf;
    const apart = lag;
    const end = size;
    let used = 0;
    for (let i = 0; i < end; i++) {
      const share = pixels[i];
      if (share === 0) continue;
      const j = i + apart;
      const difference = apart === 0 ? residuals[i] : residuals[i] - residuals[j];
      const square = difference * difference * share;
      const h = 0.5 * (model[i] + model[j]) - lowest;
      if (!isRobust && square > cut * cut * (p0 + h * (p1 + h * p2))) continue;
      const k = classOfShare[(h * scale) | 0];
      found[used] = square;
      classed[used++] = k;
      counts[k]++;
      heightSums[k] += h;
      squareSums[k] += h * h;
      variances[k] += square;
    }
    return used;
  }

  function takeMedians(found: number): void {
    for (let k = 0, end = 0; k < classes; k++) {
      ends[k] = end;
      end += counts[k];
    }
    for (let i = 0; i < found; i++) sorted[ends[classOf[i]]++] = squares[i];
    for (let k = 0; k < classes; k++) {
      const count = counts[k];
      if (count === 0) continue;
      const start = ends[k] - count;
      variances[k] = nthSmallest(sorted, start, ends[k], start + (count >> 1)) / medianOfSquare;
    }
  }

  return {
    terms,

    prepare(groups, bins, pixels) {
      lag = Math.min(2, groups - 1) * bins;
      size = groups * bins - lag;
      if (squares.length < size) {
        pairPixels = new Float64Array(size);
        squares = new Float64Array(size);
        classOf = new Uint8Array(size);
        sorted = new Float64Array(size);
      }
      for (let i = 0; i < size; i++) {
        const own = pixels[i];
        const other = pixels[i + lag];
        pairPixels[i] = lag === 0 ? own : own > 0 && other > 0 ? (own * other) / (own + other) : 0;
      }
    },

    measure(residuals, model, lowest, highest, isRobust) {
      const found = collect(residuals, model, lowest, highest, isRobust);
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

/** Least squares with terms that are not negative; relative errors count, weights by class. */
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
  for (let round = 0; round < reweightings; round++) {
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
      const excess = weight * (variances[k] - least);
      a00 += weight;
      a01 += weight * h[k];
      a02 += weight * hh[k];
      a11 += weight * h[k] * h[k];
      a12 += weight * h[k] * hh[k];
      a22 += weight * hh[k] * hh[k];
      b0 += excess;
      b1 += excess * h[k];
      b2 += excess * hh[k];
    }
    solveNotNegative(a00, a01, a02, a11, a12, a22, b0, b1, b2, terms);
    terms[0] += least;
  }
}
