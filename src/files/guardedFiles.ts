import type { Files } from './files.ts';
import { wrapFiles } from './wrapFiles.ts';

/**
 * Files that write nowhere while `mustBeThere` throws: it is asked in the same instant as every call that makes, changes or
 * removes a name. Reading stays as it is, and so does what is open already: that belongs to the disk on which it was opened.
 *
 * For a disk that may be pulled: its mount point stays, as a folder of the disk below.
 */
export function guardedFiles(files: Files, mustBeThere: () => void): Files {
  return wrapFiles(files, async ({ name, flags }, run) => {
    if (changing.has(name) || (flags ?? 'r') !== 'r') mustBeThere();
    return run();
  });
}

const changing: ReadonlySet<keyof Files> = new Set(['makeFolder', 'rename', 'remove']);
