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
export function correlatedNoise({ groups, bins, deviations, trust, parameters }: FittedBlocks): CorrelatedNoise {
  let total = 0;
  for (let at = 0; at < groups * bins; at++) total += trust[at];
  const lag = (down: number, right: number): number => {
    let products = 0;
    let pairs = 0;
    const from = Math.max(0, -right);
    const to = bins - Math.max(0, right);
    for (let group = 0; group < groups - down; group++) {
      for (let bin = from; bin < to; bin++) {
        const i = group * bins + bin;
        const j = i + down * bins + right;
        const weight = trust[i] * trust[j];
        products += weight * deviations[i] * deviations[j];
        pairs += weight;
      }
    }
    return pairs > 0 ? products / pairs : 0;
  };
  const own = lag(0, 0) / ownShare;
  const sum = own + (2 / lagShare) * (lag(0, 1) + (groups > 1 ? lag(1, 0) + lag(1, 1) + lag(1, -1) : 0));
  const lags = groups > 1 ? 9 : 3;
  const removed = Math.min(0.6, (lags * parameters) / total);
  const density = Math.max(sum / (1 - removed), 0.5 * own);
  const left = Math.max(0.4, 1 - (parameters * density) / Math.max(own, Number.MIN_VALUE) / total);
  return { scale: lossOfWeights * density, chiSquared: own / left };
}
