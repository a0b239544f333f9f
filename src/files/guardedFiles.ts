import type { Files } from './files.ts';

/**
 * Files that write nowhere while `mustBeThere` throws: it is asked in the same instant as every call that makes, changes or
 * removes a name. Reading stays as it is, and so does what is open already: that belongs to the disk on which it was opened.
 *
 * For a disk that may be pulled: its mount point stays, as a folder of the disk below.
 */
export function guardedFiles(files: Files, mustBeThere: () => void): Files {
  const guarded =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      mustBeThere();
      return call(...args);
    };
  const { openUncached, realPath } = files;
  return {
    open: async (path, flags, mode) => {
      if (flags !== 'r') mustBeThere();
      return files.open(path, flags, mode);
    },
    makeFolder: guarded(path => files.makeFolder(path)),
    rename: guarded((from, to) => files.rename(from, to)),
    remove: guarded(path => files.remove(path)),
    stat: path => files.stat(path),
    list: folder => files.list(folder),
    syncFolder: path => files.syncFolder(path),
    nameHabit: folder => files.nameHabit(folder),
    ...(openUncached && { openUncached: (path: string) => openUncached.call(files, path) }),
    ...(realPath && { realPath: (path: string) => realPath.call(files, path) }),
  };
}
