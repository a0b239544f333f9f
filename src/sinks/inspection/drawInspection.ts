import { type DrawProcessOptions, runDrawProcess } from '../drawing/drawProcess.ts';
import type { InspectionPictureData } from './inspectionPicture.ts';

const entry = new URL(`./inspectionEntry.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);

/** PNG bytes of the picture of a ROI, drawn in a process of its own: as `runDrawProcess`. */
export const drawInspection = (data: InspectionPictureData, options: DrawProcessOptions = {}): Promise<Uint8Array> =>
  runDrawProcess(entry, data, options);
