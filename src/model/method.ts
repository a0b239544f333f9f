/** Analysis methods, with the parameters that each gives for a row, in the order of the result line and the CSV. */
export const methodParameters = {
  max_intensity: ['max_intensity'],
  centre: ['centre'],
  gaussian: ['amplitude', 'mu', 'sigma', 'offset', 'error'],
  fano: ['amplitude', 'assymetry', 'resonance', 'gamma', 'offset', 'error'],
} as const satisfies Record<string, readonly string[]>;

/** How the rows of a ROI are joined to one position. */
export const estimators = ['rows', 'roi'] as const;

export type Estimator = (typeof estimators)[number];

export type AnalysisMethod = keyof typeof methodParameters;

export const analysisMethods = Object.keys(methodParameters) as AnalysisMethod[];
