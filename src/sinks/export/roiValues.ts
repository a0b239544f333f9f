/** What a ROI has in each image, and can be exported. */
export const roiValues = ['position', 'uncertainty', 'shift', 'shift_uncertainty', 'flags'] as const;
export type RoiValue = (typeof roiValues)[number];
