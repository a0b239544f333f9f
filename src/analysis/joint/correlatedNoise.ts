/** Blocks after a fit. */
export interface FittedBlocks {
  groups: number;
  bins: number;
  /** Residuals in standard deviations. */
  deviations: Float64Array;
  /** Tukey's weight of each, 0 to 1. */
  trust: Float64Array;
  /** Free parameters of the fit. */
  parameters: number;
}

export interface CorrelatedNoise {
  /** What the inverse of the normal equations' matrix has to be multiplied with to be the parameters' covariance. */
  scale: number;
  /** Reduced χ²: about 1 where the line describes the ROI and the noise is that which its rows show. */
  chiSquared: number;
}

/**
 * What Tukey's biweight that ends at 6 standard deviations does to normal noise, by integration, with ψ = ω·z:
 * E ψ²/E ω², (E ψ′)²/(E ω)² for weakly correlated neighbours, and E ψ²·E ω/(E ψ′)², which relates an M-estimate's variance
 * (Huber & Ronchetti, Robust Statistics, 2009) to the inverse of a matrix that is weighted with ω.
 */
const ownShare = 0.80713;
const lagShare = 0.79641;
const lossOfWeights = 0.96507;

/**
 * How much noise there is at the scale of a line, from the residuals of neighbouring blocks.
 *
 * Speckle is wider than a pixel, so neighbouring blocks err together, and the parameters of a line, which is many blocks
 * wide, err by more than independent blocks would let them: their covariance is the spectral density of the normalised
 * residuals z at low frequency, S = Σ over lags of the mean of z·z', times the inverse of the normal matrix (Newey & West,
 * Econometrica 55, 703 (1987); here the lags of the eight neighbours, all with weight one). The fit takes p directions out
 * of the residuals, each with the density S, which lowers each of the L lags' means by p·S/N: S = Σ/(1 − L·p/N).
 */
export function correlatedNoise({ groups, bins, deviations: z, trust: t, parameters }: FittedBlocks): CorrelatedNoise {
  let total = 0;
  // Products of the deviations, and of their weights, of each block with itself and with the one to its right, below it,
  // below to its right and below to its left.
  let own = 0;
  let ownPairs = 0;
  let right = 0;
  let rightPairs = 0;
  let below = 0;
  let belowPairs = 0;
  let belowRight = 0;
  let belowRightPairs = 0;
  let belowLeft = 0;
  let belowLeftPairs = 0;
  for (let group = 0; group < groups; group++) {
    const first = group * bins;
    const isLast = group === groups - 1;
    // Of the block to the left, and of the two below both: what the last step has read serves the next.
    let leftTrust = 0;
    let left = 0;
    let underLeftTrust = 0;
    let underLeft = 0;
    for (let at = first; at < first + bins; at++) {
      const trust = t[at];
      const value = trust * z[at];
      const underTrust = isLast ? 0 : t[at + bins];
      const under = isLast ? 0 : underTrust * z[at + bins];
      total += trust;
      ownPairs += trust * trust;
      own += value * value;
      rightPairs += leftTrust * trust;
      right += left * value;
      belowPairs += trust * underTrust;
      below += value * under;
      belowRightPairs += leftTrust * underTrust;
      belowRight += left * under;
      belowLeftPairs += trust * underLeftTrust;
      belowLeft += value * underLeft;
      leftTrust = trust;
      left = value;
      underLeftTrust = underTrust;
      underLeft = under;
    }
  }
  const itself = mean(own, ownPairs) / ownShare;
  const beside = mean(right, rightPairs) + mean(below, belowPairs);
  const across = mean(belowRight, belowRightPairs) + mean(belowLeft, belowLeftPairs);
  const sum = itself + (2 / lagShare) * (beside + across);
  const lags = groups > 1 ? 9 : 3;
  const removed = Math.min(0.6, (lags * parameters) / total);
  const density = Math.max(sum / (1 - removed), 0.5 * itself);
  const remaining = Math.max(0.4, 1 - (parameters * density) / Math.max(itself, Number.MIN_VALUE) / total);
  return { scale: lossOfWeights * density, chiSquared: itself / remaining };
}

const mean = (products: number, pairs: number): number => (pairs > 0 ? products / pairs : 0);
