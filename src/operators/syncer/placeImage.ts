import { createHash } from 'node:crypto';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { type Files, StrangeFileError } from '../../files/files.ts';
import { importedFolders } from '../../files/runRecord.ts';
import { findImage, ImagePathError, imageFolder } from '../../image/findImage.ts';
import { asError } from '../../model/asError.ts';
import type { Entry } from '../../model/entry.ts';
import type { Share } from '../../share/share.ts';
import type { Placed } from '../../share/shareCalls.ts';
import type { Side } from '../../share/shareError.ts';
import { safeName } from '../../share/sharePath.ts';

export interface PlaceImageTools {
  /** `data_dir`, `brightfield_dir` and `flag_dir`, absolute. */
  dataFolder: string;
  brightfieldFolder: string;
  flagsFolder: string;
  share: Share;
  files: Files;
}

/**
 * Copies the image of an entry to the share: `<last part of data_dir>/YYYYMMDD/<name>`, as it is here; a
 * brightfield frame in the same way below the last part of `brightfield_dir`. One that lies outside
 * of `data_dir` (an imported image) goes to `<last part of data_dir>/imported/`, to a folder for the one that it comes from.
 *
 * @throws ImagePathError when the image is not here; else what `findImage` and the share throw.
 */
export async function placeImage(
  entry: Entry,
  { dataFolder, brightfieldFolder, flagsFolder, share, files }: PlaceImageTools,
  signal: AbortSignal,
): Promise<Placed> {
  const folder = imageFolder(entry.camera_data!, dataFolder, brightfieldFolder);
  const local = await findImage(entry.camera_data!, folder, files, {
    travelsFrom: () => importedFolders(join(flagsFolder, 'run.json'), files),
  });
  // A copy of nothing must never stand for the image.
  if ((await files.stat(local))?.size === 0)
    throw new ImagePathError(`${local} is empty: it is no image, and not copied`);
  return share.call('place', { local, remote: remoteOf(local, folder) }, signal);
}

/** Names that not every share takes are changed; two that become one are told apart by content, like any name that is taken. */
function remoteOf(path: string, ownFolder: string): string {
  const data = safeName(basename(ownFolder));
  const inside = relative(ownFolder, path);
  if (inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)) {
    return [data, ...inside.split(sep).map(safeName)].join('/');
  }
  const folder = dirname(path);
  const source = `${safeName(basename(folder))}~${createHash('sha256').update(folder).digest('hex').slice(0, 8)}`;
  return [data, 'imported', source, safeName(basename(path))].join('/');
}

/** The share refuses this one file: its name, its size, or what somebody has put in its place. */
const refusals = new Set(['ENAMETOOLONG', 'EINVAL', 'EILSEQ', 'EFBIG', 'ESHAREPATH', 'EISDIR']);

/** Whether a failure is that of one file, so that others may be copied; else it is the share's. */
export function isFilesOwn(thrown: unknown): boolean {
  if (thrown instanceof ImagePathError || thrown instanceof StrangeFileError) return true;
  const { code = '', side } = asError(thrown) as NodeJS.ErrnoException & { side?: Side };
  return side === 'local' || refusals.has(code);
}
