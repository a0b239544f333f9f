import type { Config } from './schema.ts';

export type CameraType = Config['Camera']['camera_type'];

/** All that a source of frames is made from; compared by value to see whether it is still the same. */
export interface SourceSettings {
  type: CameraType;
  cameraId: number | string;
  /** All of its section; another frame of the same device has other settings in it. */
  camera: Config['Camera'];
  /** The section that these settings stand in; absent: `Camera`. */
  section?: 'Brightfield';
  simulator: Config['Simulator'];
  /** Where the simulated camera writes the ROI manifest that belongs to its frames, when there is none; null: it writes none. */
  roiManifestFile: string | null;
  /** Where it appends the truth of each frame; null: nowhere. */
  truthFile: string | null;
  /** Folder of images that are already there, or that another program saves its images in. */
  folder: string;
  watch: Config['Watch_Folder'];
  /** Folder for what must be remembered from one start to the next; null: nothing is. */
  flags: string | null;
  /** Every Nth image of those that `from` and `to` leave; default 1. */
  every?: number | undefined;
  /** `2025-07-24`, `2025-07-24T13:45`, … in the images' local time. */
  from?: string | undefined;
  /** As `from`; takes in the whole day, minute or second that it names. */
  to?: string | undefined;
  /** At most so many images. */
  limit?: number | undefined;
  /** Which of several series in the folder (channels, cameras, …), or `all`. */
  series?: string | undefined;
}
