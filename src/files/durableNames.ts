import { dirname } from 'node:path';
import { type Files, type OpenFile, StrangeFileError } from './files.ts';

/**
 * Makes names durable on every file system, whatever its habit (see `nameHabit`). Everything that renames, removes or makes
 * folders goes through here.
 */

/** Ends what {@link hold} has begun; once or more often. */
export type Hold = () => Promise<void>;

export const nothingHeld: Hold = async () => undefined;

/**
 * Keeps the place of a file from being given to others, where the file system would do so before the file's name is durably
 * gone: until the returned function is called, after the folder was synced.
 */
export async function hold(files: Files, path: string): Promise<Hold> {
  if ((await files.nameHabit(dirname(path))) !== 'joined') return nothingHeld;
  try {
    const file = await files.open(path, 'r');
    let closing: Promise<void> | null = null;
    return () => (closing ??= file.close());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof StrangeFileError) return nothingHeld;
    throw error;
  }
}

/**
 * Whether a temporary file must be synced before it is given a name. Not so on vfat for a name that is new: what the temporary
 * name leads to is then not on the disk yet, and the one fsync of the file under its new name writes all of it.
 */
export async function mustSyncFirst(files: Files, path: string): Promise<boolean> {
  return (await files.nameHabit(dirname(path))) !== 'joined' || (await files.stat(path)) !== null;
}

/**
 * Puts a finished temporary file in the place of another, or of none: a crash at any instant leaves the old content under the
 * name, or the new.
 *
 * Where a name must be durable before the file under it (vfat), the order is such that after a crash no two names lead to
 * one content: a synced temporary file's name is gone from the disk before the new name leads there; one that is not synced
 * leads nowhere yet.
 *
 * @param isSynced the temporary file was synced; see {@link mustSyncFirst}.
 * @param durable false: what may be lost in a power cut. On vfat it is durable all the same, else it could take others with it.
 */
export async function replaceFile(
  files: Files,
  temporary: string,
  path: string,
  { isSynced, durable = true }: { isSynced: boolean; durable?: boolean },
): Promise<void> {
  const folder = dirname(path);
  const semantics = await files.nameHabit(folder);
  if (semantics !== 'joined') {
    await files.rename(temporary, path);
    await mustBePlaced(files, path);
    if (durable) await syncNamed(files, path);
    return;
  }
  const release = await hold(files, path);
  try {
    if (!isSynced) await placeFirst(files, temporary);
    await inTurn(files, folder, async () => {
      await files.rename(temporary, path);
      await mustBePlaced(files, path);
      if (!isSynced) await syncFile(files, path);
    });
    if (isSynced) return await syncNamed(files, path);
    await inTurn(files, folder, () => files.syncFolder(folder));
  } catch (error) {
    // The disk's error may have been for once: what was replaced is let go of only now.
    await syncNamed(files, path).catch(() => undefined);
    throw error;
  } finally {
    await release();
  }
}

/** Who may write to the folder may have exchanged the temporary file at the last moment. @throws StrangeFileError then */
async function mustBePlaced(files: Files, path: string): Promise<void> {
  const placed = await files.stat(path);
  if (placed?.strange) throw new StrangeFileError(path, `a ${placed.strange}`, 'ELOOP');
}

/** Makes durable what stands under a name that may have come from a rename: the names of its folder, and the file. */
export async function syncNamed(files: Files, path: string): Promise<void> {
  const folder = dirname(path);
  await inTurn(files, folder, () => files.syncFolder(folder));
  if ((await files.nameHabit(folder)) !== 'apart') await syncFile(files, path);
}

const turnsOfProcess = new Map<string, Promise<unknown>>();

/**
 * One after the other in each folder, within one process: whoever syncs a folder of vfat between the rename of another's file and the fsync of that
 * file makes the new name durable while the file is empty.
 */
async function inTurn<T>(files: Files, folder: string, work: () => Promise<T>): Promise<T> {
  if ((await files.nameHabit(folder)) !== 'joined') return work();
  const turns = files.turns ?? turnsOfProcess;
  const turn = (turns.get(folder) ?? Promise.resolve()).then(work, work);
  turns.set(folder, turn);
  try {
    return await turn;
  } finally {
    if (turns.get(folder) === turn) turns.delete(folder);
  }
}

/**
 * Makes the place of a file durable before its length is. The fsync of a file on vfat writes its length first, and then the table that
 * leads to its place: a cut between the two leaves a file that Linux makes the whole disk read-only for when it is read or removed.
 * The fsync of a folder writes the table and not the length.
 */
async function placeFirst(files: Files, path: string): Promise<void> {
  const folder = dirname(path);
  if ((await files.nameHabit(folder)) !== 'joined') return;
  // That of the folder above does it too, and leaves the temporary names in this one off the disk.
  const above = (await files.nameHabit(dirname(folder))) === 'joined' ? dirname(folder) : folder;
  await inTurn(files, above, () => files.syncFolder(above));
}

/** The fsync of a file that may have become longer. */
export async function syncGrown(files: Files, path: string, file: OpenFile): Promise<void> {
  await placeFirst(files, path);
  await file.sync();
}

async function syncFile(files: Files, path: string): Promise<void> {
  // A server may flush only for who may write; a file that nobody may write, or with a second name, is opened for nothing but this.
  const file = await files.open(path, 'r+').catch(() => files.open(path, 'r'));
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Lets go of the place that a file has beyond its length: what was appended and not synced when the power was cut leaves it so on
 * vfat, and Linux then makes the whole disk read-only at the next append. Before the first append of a process; no other process may be
 * appending what counts.
 */
export async function trimPlace(files: Files, path: string): Promise<void> {
  if ((await files.nameHabit(dirname(path))) !== 'joined' || (await files.stat(path)) === null) return;
  const file = await files.open(path, 'r+');
  try {
    // A process that was suspended between a look at the length and this would cut off what others have appended meanwhile.
    await file.truncate(null);
  } finally {
    await file.close();
  }
}

/** Removes a file. What becomes of the name in a power cut is not said, but on no file system are others harmed. */
export async function removeFile(files: Files, path: string): Promise<void> {
  const folder = dirname(path);
  const release = await hold(files, path);
  try {
    await files.remove(path);
    if ((await files.nameHabit(folder)) !== 'apart') await inTurn(files, folder, () => files.syncFolder(folder));
  } finally {
    await release();
  }
}

const trimmed = new WeakMap<Files, Set<string>>();

/** The same once for each file, whoever asks; under the lock of those who append. */
export async function trimOnce(files: Files, path: string): Promise<void> {
  const known = trimmed.get(files) ?? new Set();
  trimmed.set(files, known);
  if (known.has(path)) return;
  await trimPlace(files, path);
  known.add(path);
}

/**
 * Makes a folder, with those above it, each durable in the one that it is in. On vfat its place first: Linux makes the whole disk
 * read-only for a folder that has none.
 *
 * @param under a folder above it that must be there, and is not made: a share that has gone meanwhile.
 */
export async function makeFolder(files: Files, path: string, under?: string): Promise<void> {
  const missing: string[] = [];
  for (let folder = path; folder !== under && folder !== dirname(folder); folder = dirname(folder)) {
    if ((await files.stat(folder)) !== null) break;
    missing.unshift(folder);
  }
  if (missing.length === 0) return files.makeFolder(path, under);
  const isJoined = (await files.nameHabit(dirname(missing[0]!))) === 'joined';
  for (const folder of missing) {
    await files.makeFolder(folder, under);
    if (isJoined) await files.syncFolder(folder);
    await inTurn(files, dirname(folder), () => files.syncFolder(dirname(folder)));
  }
}
