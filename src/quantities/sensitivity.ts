import { fitLine, type RegressionPoint, type StraightLine } from './regression.ts';

export interface Sensitivity {
  /** Shift over what changes it: px a RIU, or px a unit of concentration. */
  value: number;
  sigma: number;
  line: StraightLine;
  /** The least change that can be told from none, in units of x; null where the sensitivity can't be told from zero. */
  detectionLimit: number | null;
  detectionLimitSigma: number | null;
}

/**
 * How much a resonance moves with what is around it, by weighted regression over the steps of a run, and the limit of detection: three times the
 * noise of one value over the sensitivity (IUPAC: Long and Winefordner, Anal. Chem. 55, 712A (1983)).
 *
 * @param noise standard deviation of one value of the shift, px
 * @param noiseSigma of the noise itself
 */
export function sensitivity(points: readonly RegressionPoint[], noise: number, noiseSigma: number): Sensitivity | null {
  const line = fitLine(points);
  if (!line) return null;
  const { slope: value, slopeSigma: sigma } = line;
  // Nearer to zero than two standard errors it could have either sign.
  const isKnown = Math.abs(value) > 2 * sigma && noise > 0;
  const detectionLimit = isKnown ? (3 * noise) / Math.abs(value) : null;
  return {
    value,
    sigma,
    line,
    detectionLimit,
    detectionLimitSigma: detectionLimit && detectionLimit * Math.hypot(sigma / value, noiseSigma / noise),
  };
}
