import { methodParameters } from '../model/method.ts';
import { createFanoProblem } from './fanoProblem.ts';
import { createLineMethod } from './lineMethod.ts';
import type { RowMethod } from './rowMethod.ts';
import { createSymmetricRevision } from './symmetricRevision.ts';

/**
 * Method `fano`: least squares fit of amplitude·(assymetry·gamma + x − resonance)²/(gamma² + (x − resonance)²) + offset,
 * x from 0; `error` is the root of the mean squared residual. gamma is positive and |assymetry| at most 1, so a peak has
 * a negative amplitude and a dip a positive one, as the Python system's fits had them.
 *
 * Where the line is cut off by the border of its ROI, see `createSymmetricRevision`.
 */
export function createFano(): RowMethod {
  return {
    ...createLineMethod({
      parameters: methodParameters.fano,
      position: { index: 2, origin: 0 },
      widthIndex: 3,
      errorIndex: 5,
      height: out => Math.abs(out[0]) * (1 + out[1] * out[1]),
      widthOfUnit: 1,
      problem: createFanoProblem(),
    }),
    revise: createSymmetricRevision(),
  };
}
