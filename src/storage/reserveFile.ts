import { randomFillSync } from 'node:crypto';
import { dirname } from 'node:path';
import type { Exclusive } from './exclusive.ts';
import type { Files, OpenFile } from './files.ts';

/** It is given up in pieces of so many bytes, so that others, who write too, do not take all of it at once. */
export const reservePiece = 64 * 1024;

/**
 * A file that takes room on a disk so that there is some when the disk is full: for what must be written before anything can be
 * removed. What it holds means nothing. Its length alone counts, and any length is right: a crash at any point leaves one that is
 * only shorter than wanted.
 *
 * Several processes may use one. One of them fills it.
 */
export class ReserveFile {
  readonly path: string;
  readonly #files: Files;

  constructor(files: Files, path: string) {
    this.#files = files;
    this.path = path;
  }

  /** Gives up a piece; false when there is none, or the disk does not let it go. Durable, so that what was freed may be used. */
  async giveUp(): Promise<boolean> {
    try {
      const size = (await this.#files.stat(this.path))?.size ?? 0;
      if (size === 0) return false;
      const file = await this.#files.open(this.path, 'r+');
      try {
        await file.truncate(Math.max(0, size - reservePiece));
        await file.sync();
      } finally {
        await file.close();
      }
      return true;
    } catch {
      // The caller has its own error, which says more: the disk is full.
      return false;
    }
  }

  /** Makes it as long as this, if it is shorter. Resolves with how much was added. Errors are the file system's. */
  async fill(bytes: number): Promise<number> {
    const before = await this.#files.stat(this.path);
    const from = before?.size ?? 0;
    if (from >= bytes) return 0;
    const file = await this.#files.open(this.path, before ? 'r+' : 'w');
    let position = from;
    try {
      while (position < bytes) {
        // Nothing that a file system could shrink, or leave out.
        const piece = randomFillSync(Buffer.allocUnsafe(Math.min(reservePiece, bytes - position)));
        const taken = await file.write(piece, position);
        if (taken === 0) break;
        position += taken;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (!before) await this.#files.syncFolder(dirname(this.path));
    return position - from;
  }
}

/**
 * The same files, but where the disk is full, writing to some of them gives up the reserve piece by piece until what is to be
 * written stands. A write may then be made of several: for files whose readers know what was cut short.
 *
 * @param isFor which paths it is for.
 */
export function filesWithReserve(files: Files, reserve: ReserveFile, isFor: (path: string) => boolean): Files {
  const open = async (path: string, flags: string, mode?: number): Promise<OpenFile> => {
    try {
      return await files.open(path, flags, mode);
    } catch (error) {
      // Once: a folder that takes no more names says the same, and room does not help it.
      if (!isFull(error) || !(await reserve.giveUp())) throw error;
      return files.open(path, flags, mode);
    }
  };
  const { openUncached, realPath } = files;
  return {
    open: async (path, flags, mode) => {
      if (flags === 'r' || !isFor(path)) return files.open(path, flags, mode);
      return withReserve(await open(path, flags, mode), reserve);
    },
    stat: path => files.stat(path),
    list: folder => files.list(folder),
    makeFolder: path => files.makeFolder(path),
    rename: (from, to) => files.rename(from, to),
    remove: path => files.remove(path),
    syncFolder: path => files.syncFolder(path),
    ...(openUncached && { openUncached: (path: string) => openUncached.call(files, path) }),
    ...(realPath && { realPath: (path: string) => realPath.call(files, path) }),
  };
}

/** The same lock, which may need room for itself: a folder takes a block of the disk. */
export function lockWithReserve(lock: Exclusive, reserve: ReserveFile): Exclusive {
  return async work => {
    for (;;) {
      let isTaken = false;
      try {
        return await lock(() => {
          isTaken = true;
          return work();
        });
      } catch (error) {
        if (isTaken || !isFull(error) || !(await reserve.giveUp())) throw error;
      }
    }
  };
}

function withReserve(file: OpenFile, reserve: ReserveFile): OpenFile {
  return {
    read: (into, position) => file.read(into, position),
    size: () => file.size(),
    truncate: length => file.truncate(length),
    sync: () => file.sync(),
    close: () => file.close(),
    write: async (data, position) => {
      for (let taken = 0; ; ) {
        let failure: unknown = null;
        try {
          taken += await file.write(data.subarray(taken), position === null ? null : position + taken);
        } catch (error) {
          if (!isFull(error)) throw error;
          failure = error;
        }
        if (taken === data.length) return taken;
        if (await reserve.giveUp()) continue;
        if (failure !== null && taken === 0) throw failure;
        return taken;
      }
    },
  };
}

function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
