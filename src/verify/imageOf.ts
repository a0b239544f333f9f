import { basename, dirname, join, resolve } from 'node:path';
import { imageNames } from '../model/compression.ts';
import type { CameraData, Entry } from '../model/entry.ts';
import type { InspectionOptions } from './inspection.ts';

type Places = Pick<InspectionOptions, 'paths' | 'files'>;

/** Where an entry's image is; null when it has none, or it is not to be found. */
export async function imageOf({ camera_data: camera }: Entry, places: Places): Promise<string | null> {
  const recorded = camera && recordedPath(camera, places);
  return recorded === null ? null : locate(recorded, places);
}

/** Where the entry says that its image is; null for a name that could lead elsewhere. */
export function recordedPath({ filename, filepath }: CameraData, { paths }: Places): string | null {
  const isPlain = filename !== '' && filename !== '.' && filename !== '..' && basename(filename) === filename;
  if (!isPlain || filename.includes('\0')) return null;
  return join(typeof filepath === 'string' ? resolve(filepath) : paths.data, filename);
}

/** A manifest outlives the place of its images, and an image may have been compressed since: as the processor finds it. */
export async function locate(recorded: string, { paths, files }: Places): Promise<string | null> {
  const folder = dirname(recorded);
  for (const name of imageNames(basename(recorded))) {
    for (const path of [join(folder, name), join(paths.data, basename(folder), name), join(paths.data, name)]) {
      const stat = await files.stat(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOTDIR' || error.code === 'ENAMETOOLONG') return null;
        throw error;
      });
      if (stat && !stat.isFolder) return path;
    }
  }
  return null;
}
