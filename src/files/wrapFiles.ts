import type { Files, OpenFile, OpenFlags } from './files.ts';

/** A call to a file system. */
export interface FileCall {
  readonly name: Exclude<keyof Files, 'turns'>;
  /** What it touches; of a rename, the new name. */
  readonly path: string;
  /** Of a rename: the old name. */
  readonly from?: string;
  /** Of `open`. */
  readonly flags?: OpenFlags;
}

/**
 * Stands around every call. What it throws or resolves with is the call's answer.
 * @param releaseEventually frees what `run` has resolved with, when nobody waits for it any more.
 */
export type AroundCall = <R>(
  call: FileCall,
  run: () => Promise<R>,
  releaseEventually: (value: R) => unknown,
) => Promise<R>;

/** The same files, but each call passes `around`, and each opened file `opened`. */
export function wrapFiles(
  files: Files,
  around: AroundCall,
  opened: (file: OpenFile, call: FileCall) => OpenFile = file => file,
): Files {
  const pass = <R>(call: FileCall, run: () => Promise<R>): Promise<R> => around(call, run, () => undefined);
  const opening = async (call: FileCall, run: () => Promise<OpenFile>): Promise<OpenFile> =>
    opened(await around(call, run, file => file.close()), call);
  const { openUncached, realPath, turns } = files;
  return {
    open: (path, flags, mode) => opening({ name: 'open', path, flags }, () => files.open(path, flags, mode)),
    stat: path => pass({ name: 'stat', path }, () => files.stat(path)),
    list: path => pass({ name: 'list', path }, () => files.list(path)),
    makeFolder: (path, under) => pass({ name: 'makeFolder', path }, () => files.makeFolder(path, under)),
    rename: (from, path) => pass({ name: 'rename', path, from }, () => files.rename(from, path)),
    remove: path => pass({ name: 'remove', path }, () => files.remove(path)),
    syncFolder: path => pass({ name: 'syncFolder', path }, () => files.syncFolder(path)),
    nameHabit: path => pass({ name: 'nameHabit', path }, () => files.nameHabit(path)),
    ...(turns && { turns }),
    ...(openUncached && {
      openUncached: (path: string) => opening({ name: 'openUncached', path }, () => openUncached.call(files, path)),
    }),
    ...(realPath && {
      realPath: (path: string) => pass({ name: 'realPath', path }, () => realPath.call(files, path)),
    }),
  };
}

/** The same open file, but each call passes `around`. */
export function wrapOpenFile(file: OpenFile, around: <R>(run: () => Promise<R>) => Promise<R>): OpenFile {
  return {
    write: (data, position) => around(() => file.write(data, position)),
    read: (into, position) => around(() => file.read(into, position)),
    size: () => around(() => file.size()),
    truncate: length => around(() => file.truncate(length)),
    sync: () => around(() => file.sync()),
    close: () => around(() => file.close()),
  };
}
