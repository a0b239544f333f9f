import { dirname } from 'node:path';
import { removeFile, syncNamed } from './durableNames.ts';
import type { Files } from './files.ts';
import { readChunks } from './readChunks.ts';
import { writeAtomic } from './writeAtomic.ts';

/**
 * Gives a file, or a folder, that must not be lost another, free name, durably. Where a rename could leave nothing but an empty name (vfat),
 * it is copied, and the old name goes last.
 */
export async function moveFile(files: Files, from: string, to: string): Promise<void> {
  const stat = await files.stat(from);
  const isFile = stat !== null && !stat.isFolder && !stat.strange;
  if (isFile && (await files.nameHabit(dirname(to))) === 'joined') {
    await writeAtomic(files, to, readChunks(files, from));
    await removeFile(files, from);
    return;
  }
  await files.rename(from, to);
  if (isFile) await syncNamed(files, to);
  else await files.syncFolder(dirname(to));
  if (dirname(from) !== dirname(to)) await files.syncFolder(dirname(from));
}
