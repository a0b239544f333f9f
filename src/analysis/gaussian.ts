import { methodParameters } from '../model/method.ts';
import { createGaussianProblem } from './gaussianProblem.ts';
import { createLineMethod } from './lineMethod.ts';
import type { RowMethod } from './rowMethod.ts';

/**
 * Method `gaussian`: least squares fit of amplitude·exp(−(x − mu)²/(2·sigma²)) + offset, x from 0; `error` is the root of
 * the mean squared residual. sigma is positive; a dip has a negative amplitude.
 */
export function createGaussian(): RowMethod {
  return createLineMethod({
    parameters: methodParameters.gaussian,
    position: { index: 1, origin: 0 },
    widthIndex: 2,
    errorIndex: 4,
    height: out => Math.abs(out[0]),
    widthOfUnit: 1 / Math.sqrt(2 * Math.LN2),
    problem: createGaussianProblem(),
  });
}
