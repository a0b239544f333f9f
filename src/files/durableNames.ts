import { dirname } from 'node:path';
import { type Files, StrangeFileError } from './files.ts';

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
  const habit = await files.nameHabit(folder);
  if (habit !== 'joined') {
    await files.rename(temporary, path);
    await mustBePlaced(files, path);
    if (durable) await syncNamed(files, path);
    return;
  }
  const release = await hold(files, path);
  try {
    await files.rename(temporary, path);
    await mustBePlaced(files, path);
    if (isSynced) return await syncNamed(files, path);
    await syncFile(files, path);
    await files.syncFolder(folder);
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
  await files.syncFolder(dirname(path));
  if ((await files.nameHabit(dirname(path))) !== 'apart') await syncFile(files, path);
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
 * vfat, and Linux then makes the whole disk read-only at the next append. For files that are not synced with each append, before
 * the first one; no other process may be appending what counts.
 */
export async function trimPlace(files: Files, path: string): Promise<void> {
  if ((await files.nameHabit(dirname(path))) !== 'joined' || (await files.stat(path)) === null) return;
  const file = await files.open(path, 'r+');
  try {
    await file.truncate(await file.size());
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
    if ((await files.nameHabit(folder)) !== 'apart') await files.syncFolder(folder);
  } finally {
    await release();
  }
}

/** Makes a folder, with those above it, each durable in the one that it is in. */
export async function makeFolder(files: Files, path: string): Promise<void> {
  const missing: string[] = [];
  for (let folder = path; (await files.stat(folder)) === null && folder !== dirname(folder); folder = dirname(folder)) {
    missing.unshift(folder);
  }
  if (missing.length === 0) return files.makeFolder(path);
  await files.makeFolder(path);
  for (const folder of missing) await files.syncFolder(dirname(folder));
}
