import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { Files } from '../files/files.ts';
import { imageNames, plainName } from '../model/compression.ts';
import { type CameraData, isBrightfield } from '../model/entry.ts';

/** An entry whose image can't be found, or may not be read, for a reason in the entry itself. */
export class ImagePathError extends Error {
  override name = 'ImagePathError';
}

/** A link, or something else that is no file, stands where the image belongs, or the folder of the image: nobody knows what became of it. */
export class StrangeImageError extends ImagePathError {}

/** What an entry says of its image's place. */
type Place = Pick<CameraData, 'filename' | 'filepath' | 'original'>;

/** The folder of the experiment in which the image of an entry belongs: `dataFolder` of the functions below. */
export const imageFolder = (camera: Pick<CameraData, 'type'>, data: string, brightfield: string): string =>
  isBrightfield(camera) ? brightfield : data;

export interface FindImageOptions {
  /** The ring buffer has removed the image: its entry names the copy on the share. */
  isRemoved?: boolean;
  /** It is to leave this machine. Resolves with the folders from which images were imported. */
  travelsFrom?: () => Promise<readonly string[]>;
}

/**
 * Where an entry's image is; null when it is in no place where it may be. The one rule for all who need an image:
 *
 * 1. What lies below the experiment's own `dataFolder` counts first: the folder that the entry names where that is inside, else
 *    the folder of the same name there, else `dataFolder` itself. So an experiment that was moved or copied reads its own images.
 * 2. Else the folder that the entry names, wherever it is, unless that belongs to another experiment (a manifest stands above it):
 *    those are the images of what this one was copied from, and say nothing of the copy.
 *
 * An original (an imported image) was never below `dataFolder`: the folder that its entry names counts first.
 *
 * An image that was compressed, or decompressed by hand, since the entry was read is found too: where no file has the name
 * itself, the same name with or without the suffix of a compression serves. An empty file, as a power cut leaves one, counts
 * only where no other form is there.
 *
 * @throws ImagePathError when the name is not a plain name, or the path is none that could exist; the file system's errors.
 */
export async function locateImage(
  camera: Place,
  dataFolder: string,
  files: Pick<Files, 'stat'>,
  { isRemoved = false }: FindImageOptions = {},
): Promise<string | null> {
  const { filename, original } = camera;
  mustBePlain(filename);
  const recorded = recordedFolder(camera, dataFolder);
  const own = [localFolder(camera, dataFolder), dataFolder];
  const places = isInside(recorded, dataFolder) ? [own] : original ? [[recorded], own] : [own, [recorded]];
  let empty: string | null = null;
  for (const folders of places) {
    for (const name of imageNames(filename)) {
      for (const folder of folders) {
        const path = join(folder, name);
        const size = await sizeOf(path, files);
        if (size === null) continue;
        if (folder !== dataFolder && isInside(folder, dataFolder)) await mustBePlainFolder(folder, files);
        const isForeign = folder === recorded && folders !== own && !original && !isRemoved;
        if (isForeign && (await isOfAnother(recorded, files))) return empty;
        if (size > 0) return path;
        empty ??= path;
      }
    }
  }
  return empty;
}

/** What was imported is an image by its name. */
const imageName = /\.(?:png|jpe?g|tiff?)$/i;

/**
 * A hand may have written any path of this machine into an entry: outside of `dataFolder` nothing is read that is no image by its
 * name, and nothing travels that was not imported, from a folder that this experiment has imported from.
 * @throws ImagePathError that says so
 */
async function mustBeOurs(
  path: string,
  { filename, original }: Place,
  dataFolder: string,
  travelsFrom: FindImageOptions['travelsFrom'],
): Promise<void> {
  if (isInside(path, dataFolder)) return;
  if (imageName.test(plainName(filename))) {
    if (!travelsFrom) return;
    if (original && (await travelsFrom()).some(folder => isInside(path, folder))) return;
  }
  throw new ImagePathError(
    `${path} lies outside of ${dataFolder}, and is no imported image: move it there, or correct camera_data.filepath in the manifest`,
  );
}

/**
 * The same for who can't go on without it.
 *
 * @throws ImagePathError also for one outside of `dataFolder` that was not imported, and when the image is in none of these places while their folder is there. An Error with code `ENOENT` when
 *   the folder itself is gone (a vanished mount): that is no fault of the image.
 */
export async function findImage(
  camera: Place,
  dataFolder: string,
  files: Pick<Files, 'stat'>,
  options: FindImageOptions = {},
): Promise<string> {
  const path = await locateImage(camera, dataFolder, files, options);
  if (path !== null) {
    await mustBeOurs(path, camera, dataFolder, options.travelsFrom);
    return path;
  }
  const place = await expectedFolder(camera, dataFolder, files);
  const needed = isInside(place, dataFolder) ? dataFolder : place;
  if ((await files.stat(needed)) === null) {
    const gone: NodeJS.ErrnoException = new Error(
      `the folder ${needed} of ${camera.filename} is not there; is its disk or share mounted?`,
    );
    gone.code = 'ENOENT';
    gone.path = needed;
    throw gone;
  }
  throw new ImagePathError(`${join(place, camera.filename)} is not there, nor under ${dataFolder}`);
}

/** The folder in which an entry's image should be, where it is in none: as {@link locateImage} would have taken it. */
export async function expectedFolder(camera: Place, dataFolder: string, files: Pick<Files, 'stat'>): Promise<string> {
  const recorded = recordedFolder(camera, dataFolder);
  if (camera.original || isInside(recorded, dataFolder)) return recorded;
  const local = localFolder(camera, dataFolder);
  return (await files.stat(local)) !== null || (await isOfAnother(recorded, files)) ? local : recorded;
}

/**
 * Where an entry's image is, or was, on this machine's own disk: its folder where that lies in `dataFolder`, else the one of
 * the same name there. What changes or removes images looks nowhere else: neither on a share, nor at what a name from a file
 * could lead to, nor at the images of another experiment.
 */
export function localFolder(camera: Pick<Place, 'filepath'>, dataFolder: string): string {
  const recorded = recordedFolder(camera, dataFolder);
  return isInside(recorded, dataFolder) ? recorded : join(dataFolder, basename(recorded));
}

/** Whether a name is one that can't lead out of its folder. */
export function isPlainName(filename: unknown): filename is string {
  if (typeof filename !== 'string' || ['', '.', '..'].includes(filename)) return false;
  return basename(filename) === filename && !filename.includes('\0');
}

/** The way to an image of our own leads through no link: whoever made that may have led it anywhere. */
async function mustBePlainFolder(folder: string, files: Pick<Files, 'stat'>): Promise<void> {
  const strange = (await files.stat(folder))?.strange;
  if (strange)
    throw new StrangeImageError(
      `${folder} is a ${strange}, where a folder of images belongs: put the folder itself there`,
    );
}

function mustBePlain(filename: unknown): void {
  if (isPlainName(filename)) return;
  throw new ImagePathError(
    `${JSON.stringify(filename)} is not a plain file name; correct camera_data.filename in the manifest`,
  );
}

function recordedFolder({ filepath }: Pick<Place, 'filepath'>, dataFolder: string): string {
  return typeof filepath === 'string' ? resolve(filepath) : dataFolder;
}

function isInside(folder: string, dataFolder: string): boolean {
  const way = relative(dataFolder, folder);
  return way !== '..' && !way.startsWith(`..${sep}`);
}

/** A day's folder, or the data folder itself, of an experiment that has a manifest of its own. */
async function isOfAnother(folder: string, files: Pick<Files, 'stat'>): Promise<boolean> {
  for (const data of [dirname(folder), folder]) {
    if ((await files.stat(join(data, 'metadata_manifest.json'))) !== null) return true;
  }
  return false;
}

/** Bytes of a file; null where there is none. */
async function sizeOf(path: string, files: Pick<Files, 'stat'>): Promise<number | null> {
  try {
    const found = await files.stat(path);
    if (found?.strange) throw new StrangeImageError(`${path} is a ${found.strange}; an image was expected there`);
    if (found?.isFolder) throw new ImagePathError(`${path} is a folder; an image was expected there`);
    return found?.size ?? null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENAMETOOLONG' || code === 'ELOOP' || code === 'ENOTDIR' || code === 'ERR_INVALID_ARG_VALUE')
      throw new ImagePathError(message, { cause: error });
    throw error;
  }
}
