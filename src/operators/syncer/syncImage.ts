import { createHash } from 'node:crypto';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { Files } from '../../files/files.ts';
import { importedFolders } from '../../files/runRecord.ts';
import { findImage, ImagePathError } from '../../image/findImage.ts';
import type { Entry } from '../../model/entry.ts';
import type { Share } from '../../share/share.ts';
import type { Placed } from '../../share/shareCalls.ts';
import { safeName } from '../../share/sharePath.ts';

/**
 * Copies the image of an entry to the share: `<last part of data_dir>/YYYYMMDD/<name>`, as it is here. One that lies outside
 * of `data_dir` (an imported image) goes to `<last part of data_dir>/imported/`, to a folder for the one that it comes from.
 *
 * @throws ImagePathError when the image is not here; else what `findImage` and the share throw.
 */
export async function syncImage(
  entry: Entry,
  { dataFolder, flagsFolder, trustWrite }: { dataFolder: string; flagsFolder: string; trustWrite: boolean },
  { share, files }: { share: Share; files: Files },
  signal: AbortSignal,
): Promise<Placed> {
  const local = await findImage(entry.camera_data!, dataFolder, files, {
    travelsFrom: () => importedFolders(join(flagsFolder, 'run.json'), files),
  });
  // A copy of nothing must never stand for the image.
  if ((await files.stat(local))?.size === 0)
    throw new ImagePathError(`${local} is empty: it is no image, and not copied`);
  const token = createHash('sha256').update(entry.entry_id).digest('hex').slice(0, 12);
  return share.call('place', { local, remote: remoteOf(local, dataFolder), token, trustWrite }, signal);
}

/** Names that not every share takes are changed; two that become one are told apart by content, like any name that is taken. */
export function remoteOf(path: string, dataFolder: string): string {
  const data = safeName(basename(dataFolder));
  const inside = relative(dataFolder, path);
  if (inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)) {
    return [data, ...inside.split(sep).map(safeName)].join('/');
  }
  const folder = dirname(path);
  const source = `${safeName(basename(folder))}~${createHash('sha256').update(folder).digest('hex').slice(0, 8)}`;
  return [data, 'imported', source, safeName(basename(path))].join('/');
}
