import { methodParameters } from '../model/method.ts';
import { isConstantRow } from './isConstantRow.ts';
import type { RowMethod } from './rowMethod.ts';

/** Method `max_intensity`: index of the brightest pixel, from 0; the first of several. */
export function createMaxIntensity(): RowMethod {
  return {
    parameters: methodParameters.max_intensity,
    position: { index: 0, origin: 0 },
    width: null,
    signal: null,
    fitRow(values, offset, length, _ceiling, out) {
      if (length < 1) return 'too_short';
      if (isConstantRow(values, offset, length)) return 'constant';
      let brightest = offset;
      for (let i = offset + 1; i < offset + length; i++) if (values[i] > values[brightest]) brightest = i;
      out[0] = brightest - offset;
      return null;
    },
  };
}
