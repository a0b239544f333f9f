/** What a ROI has in each image, and can be exported: as it was measured. */
export const measuredValues = ['position', 'uncertainty', 'shift', 'shift_uncertainty', 'flags'] as const;
/** What follows from its shifts. */
const derivedValueNames = ['median', 'slope', 'slope_uncertainty', 'resonance', 'movement', 'rezeroed'] as const;
export type DerivedValue = (typeof derivedValueNames)[number];

export const roiValues = [...measuredValues, ...derivedValueNames] as const;
export type RoiValue = (typeof roiValues)[number];
