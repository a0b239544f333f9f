import { analysisMethods } from '../../model/method.ts';

/** Fields of the form, in their order. */
export const formFields = ['folder', 'rois', 'method', 'speed'] as const;
export type FormField = (typeof formFields)[number];
export type FormValues = Readonly<Record<FormField, string>>;

/** `configured`: as the configuration has it. */
export const emptyForm: FormValues = { folder: '', rois: '', method: 'configured', speed: 'max' };

/** What one chooses from, where there are only a few words, or some that are usual. */
export const fieldWords: Partial<Record<FormField, readonly string[]>> = {
  method: ['configured', ...analysisMethods],
  speed: ['max', '0.1', '0.5', '1', '2', '10', '100'],
};
