import type { AnalysisMethod } from '../model/method.ts';
import { createCentre } from './centre.ts';
import { createFano } from './fano.ts';
import { createGaussian } from './gaussian.ts';
import { createMaxIntensity } from './maxIntensity.ts';
import type { RowMethod } from './rowMethod.ts';

/** The configuration's word for a method → what makes an instance of it. */
export const rowMethods: Readonly<Record<AnalysisMethod, () => RowMethod>> = {
  max_intensity: createMaxIntensity,
  centre: createCentre,
  gaussian: createGaussian,
  fano: createFano,
};
