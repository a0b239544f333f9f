import { join } from 'node:path';
import { removeFile } from '../../files/durableNames.ts';
import type { Files } from '../../files/files.ts';
import { isAbandoned } from '../../files/removeTemporaries.ts';
import { holdsSame, ImageReadError, temporaryCopy, UncompressibleFileError } from '../../image/compressFile.ts';
import { imageFolder, localFolder } from '../../image/findImage.ts';
import type { Queue } from '../../manifest/queue.ts';
import { codecOf, plainName } from '../../model/compression.ts';
import type { CameraData, Claim, Entry } from '../../model/entry.ts';
import type { NoteEvent } from '../../model/event.ts';

export interface TidyCompressedOptions {
  queue: Queue;
  files: Files;
  dataFolder: string;
  /** `brightfield_dir`. */
  brightfieldFolder: string;
  /** Whether a pid is one of this machine's processes. */
  isAlive: (pid: number) => boolean;
  /** Milliseconds since 1970 UTC. */
  now: number;
  note: (level: NoteEvent['level'], message: string) => void;
  signal: AbortSignal;
}

/** What the live entries say of one folder's files. */
interface Folder {
  /** Names of the compressed images, as entries have them. */
  compressed: Set<string>;
  /** Names of the others. */
  plain: Set<string>;
  /** Claims of processes that are gone, by the name of their image. */
  orphans: Map<string, Claim>;
}

/**
 * Puts right what a crash of a compressor has left. One listing a folder; no file is read but what is to be removed.
 *
 * - Claims of processes that are gone end: a finished copy of such an image is found, compared and used when it is its turn.
 * - Temporary files of such processes are removed.
 * - An original whose entry names the compressed copy already is removed, once both were read and hold the same. One that
 *   holds something else, or that another entry names, stays.
 *
 * Errors are the file system's.
 */
export async function tidyCompressed(options: TidyCompressedOptions): Promise<void> {
  const { queue, files, signal } = options;
  const orphans = queue.orphans('compressor');
  const gone = new Set(orphans.map(({ entry_id: id }) => id));
  for (const [folder, known] of foldersOf(queue.entries(), gone, options)) {
    const names = await files.list(folder);
    const there = new Set(names);
    for (const name of names)
      if (await isLeft(folder, name, known, options)) await removeFile(files, join(folder, name));
    for (const name of known.compressed) {
      const plain = plainName(name);
      if (!there.has(plain) || !there.has(name) || known.plain.has(plain)) continue;
      signal.throwIfAborted();
      await removeOriginal(join(folder, plain), join(folder, name), options);
    }
    signal.throwIfAborted();
  }
  if (orphans.length > 0) await queue.release(orphans, 'compressor');
}

async function removeOriginal(plain: string, copy: string, options: TidyCompressedOptions): Promise<void> {
  const { files, note, signal } = options;
  const keep = (why: string): void => note('warning', `${plain} and ${copy} are both kept: ${why}`);
  try {
    if (!(await holdsSame(files, { plain, copy, signal }))) return keep('they should hold the same, and do not');
  } catch (error) {
    if (!(error instanceof ImageReadError || error instanceof UncompressibleFileError)) throw error;
    return keep(error.message);
  }
  await removeReplaced(plain, options);
}

function foldersOf(
  entries: Iterable<Entry>,
  gone: ReadonlySet<string>,
  { dataFolder, brightfieldFolder }: TidyCompressedOptions,
): Map<string, Folder> {
  const folders = new Map<string, Folder>();
  for (const { entry_id: id, camera_data: camera, claims } of entries) {
    if (!camera || !isOurs(camera)) continue;
    const path = localFolder(camera, imageFolder(camera, dataFolder, brightfieldFolder));
    let folder = folders.get(path);
    if (!folder) folders.set(path, (folder = { compressed: new Set(), plain: new Set(), orphans: new Map() }));
    if (codecOf(camera.filename) === null) folder.plain.add(camera.filename);
    else folder.compressed.add(camera.filename);
    if (gone.has(id)) folder.orphans.set(camera.filename, claims.compressor!);
  }
  return folders;
}

/** Not an imported image, and a plain name. */
const isOurs = ({ original, filename }: CameraData): boolean => !original && !/[/\\\0]/.test(filename);

/** Whether a name is that of a temporary file which nobody writes any more. */
async function isLeft(
  folder: string,
  name: string,
  { orphans }: Folder,
  { files, isAlive, now }: TidyCompressedOptions,
): Promise<boolean> {
  const [, image = '', digits] = temporaryCopy.exec(name) ?? [];
  if (digits === undefined) return false;
  const pid = Number(digits);
  if (orphans.get(image)?.pid === pid) return true;
  if (isAlive(pid)) return false;
  return isAbandoned(files, join(folder, name), now);
}

interface RemoveReplacedOptions {
  files: Files;
  note: (level: NoteEvent['level'], message: string) => void;
}

/**
 * Removes an original whose compressed copy stands in the manifest. One that may not be removed is noted and stays beside it,
 * until the compressor starts anew.
 * @throws the file system's other errors
 */
export async function removeReplaced(path: string, { files, note }: RemoveReplacedOptions): Promise<void> {
  try {
    await removeFile(files, path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    note('warning', `${path} was compressed and can't be removed: ${message}`);
  }
}
