import { basename, join, relative, resolve, sep } from 'node:path';
import { imageNames } from '../model/compression.ts';
import type { CameraData } from '../model/entry.ts';
import type { Files } from '../storage/files.ts';

/** An entry whose image can't be found, or may not be read, for a reason in the entry itself. */
export class ImagePathError extends Error {
  override name = 'ImagePathError';
}

/**
 * Where an entry's image is. A manifest outlives the place of its images: when the folder it names is gone, the name is
 * looked for under `dataFolder`, in the same day's folder or directly.
 *
 * An image that was compressed, or decompressed by hand, since the entry was read is found too: where no file has the name
 * itself, the same name with or without the suffix of a compression serves. The compressor makes sure that one of them is
 * always there, and whole.
 *
 * @throws ImagePathError when the name is not a plain name, or the image is in none of these places while their folder is
 *   there, or the path is none that could exist. An Error with code `ENOENT` when the folder itself is gone (a vanished mount): that is no fault of the image.
 */
export async function findImage(camera: CameraData, dataFolder: string, files: Files): Promise<string> {
  const { filename, filepath } = camera;
  if (
    typeof filename !== 'string' ||
    filename === '' ||
    filename === '.' ||
    filename === '..' ||
    basename(filename) !== filename ||
    filename.includes('\0')
  ) {
    throw new ImagePathError(
      `${JSON.stringify(filename)} is not a plain file name; correct camera_data.filename in the manifest`,
    );
  }
  const recorded = typeof filepath === 'string' ? resolve(filepath) : dataFolder;
  const folders = [recorded, join(dataFolder, basename(recorded)), dataFolder];
  for (const name of imageNames(filename)) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (await exists(path, files)) return path;
    }
  }
  const needed = isInside(recorded, dataFolder) ? dataFolder : recorded;
  if ((await files.stat(needed)) === null) {
    const gone: NodeJS.ErrnoException = new Error(
      `the folder ${needed} of ${filename} is not there; is its disk or share mounted?`,
    );
    gone.code = 'ENOENT';
    gone.path = needed;
    throw gone;
  }
  throw new ImagePathError(`${join(recorded, filename)} is not there, nor under ${dataFolder}`);
}

/**
 * Where an entry's image is, or was, on this machine's own disk: its folder where that lies in `dataFolder`, else the one of
 * the same name there. What changes or removes images looks nowhere else: neither on a share, nor at what a name from a file
 * could lead to.
 */
export function localFolder({ filepath }: CameraData, dataFolder: string): string {
  const recorded = typeof filepath === 'string' ? resolve(filepath) : dataFolder;
  return isInside(recorded, dataFolder) ? recorded : join(dataFolder, basename(recorded));
}

function isInside(folder: string, dataFolder: string): boolean {
  const way = relative(dataFolder, folder);
  return way !== '..' && !way.startsWith(`..${sep}`);
}

async function exists(path: string, files: Files): Promise<boolean> {
  try {
    const found = await files.stat(path);
    if (found?.isFolder) throw new ImagePathError(`${path} is a folder; an image was expected there`);
    return found !== null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENAMETOOLONG' || code === 'ELOOP' || code === 'ENOTDIR' || code === 'ERR_INVALID_ARG_VALUE')
      throw new ImagePathError(message, { cause: error });
    throw error;
  }
}
