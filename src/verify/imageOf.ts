import { join } from 'node:path';
import { expectedFolder, ImagePathError, imageFolder, isPlainName, locateImage } from '../image/findImage.ts';
import type { CameraData, Entry } from '../model/entry.ts';
import type { InspectionOptions } from './inspection.ts';

type Places = Pick<InspectionOptions, 'paths' | 'files'>;

/** Where an entry's image is; null when it has none, or it is not to be found. Errors are the file system's. */
export async function imageOf({ camera_data: camera }: Entry, { paths, files }: Places): Promise<string | null> {
  if (!camera) return null;
  return locateImage(camera, imageFolder(camera, paths.data, paths.brightfield), files).catch((error: unknown) => {
    if (error instanceof ImagePathError) return null;
    throw error;
  });
}

/** Where an entry's image should be; null for a name that could lead elsewhere. */
export async function placeOf(camera: CameraData, { paths, files }: Places): Promise<string | null> {
  if (!isPlainName(camera.filename)) return null;
  return join(await expectedFolder(camera, imageFolder(camera, paths.data, paths.brightfield), files), camera.filename);
}
