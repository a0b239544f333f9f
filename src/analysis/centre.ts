import { methodParameters } from '../model/method.ts';
import { isConstantRow } from './isConstantRow.ts';
import type { RowMethod } from './rowMethod.ts';
import { smoothProfile } from './smoothProfile.ts';

/**
 * Method `centre`: centre of mass of the part of the line that rises above its half height, counted from 1.
 *
 * The Python system took the pixels above mean + 3 standard deviations, of which an ordinary line has none (and then
 * divided by zero). Here the row is smoothed, and what its highest peak has above the middle between the smoothed row's
 * extremes is weighed; a pixel enters with weight nought, so noise can't make the result jump. On narrow lines, where
 * Python gave the line's centre, both agree to 0.4 px (its rule moves in half pixels).
 */
export function createCentre(): RowMethod {
  let profile = new Float64Array(512);
  let scratch = new Float64Array(512);

  return {
    parameters: methodParameters.centre,
    position: { index: 0, origin: 1 },
    width: null,
    signal: null,
    fitRow(values, offset, length, _ceiling, out) {
      if (length < 1) return 'too_short';
      if (isConstantRow(values, offset, length)) return 'constant';
      if (length > profile.length) {
        profile = new Float64Array(2 * length);
        scratch = new Float64Array(2 * length);
      }
      smoothProfile(values, offset, length, Math.round(length / 32), profile, scratch);
      let top = 0;
      let lowest = profile[0];
      for (let i = 1; i < length; i++) {
        if (profile[i] > profile[top]) top = i;
        if (profile[i] < lowest) lowest = profile[i];
      }
      const half = (profile[top] + lowest) / 2;
      let mass = 0;
      let moment = 0;
      const weigh = (i: number): void => {
        mass += profile[i] - half;
        moment += (profile[i] - half) * (i - top);
      };
      for (let i = top; i < length && profile[i] > half; i++) weigh(i);
      for (let i = top - 1; i >= 0 && profile[i] > half; i--) weigh(i);
      // Without mass the smoothed row is flat: fine structure only, of which `top` is as good as any pixel.
      out[0] = top + 1 + (mass > 0 ? moment / mass : 0);
      return null;
    },
  };
}
