import type { Config } from './schema.ts';

export type CameraType = Config['Camera']['camera_type'];

/** All that a source of frames is made from; compared by value to see whether it is still the same. */
export interface SourceSettings {
  type: CameraType;
  cameraId: number | string;
  simulator: Config['Simulator'];
  /** Where the simulated camera writes the ROI manifest that belongs to its frames, when there is none. */
  roiManifestFile: string;
  /** Where it appends the truth of each frame. */
  truthFile: string;
  /** Folder of images that are already there, and which of them. */
  folder: string;
  every?: number | undefined;
  from?: string | undefined;
  to?: string | undefined;
  limit?: number | undefined;
  series?: string | undefined;
}
