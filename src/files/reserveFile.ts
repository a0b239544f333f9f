import { randomFillSync } from 'node:crypto';
import { statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { removeFile, syncGrown, trimPlace } from './durableNames.ts';
import type { Exclusive } from './fileLock.ts';
import type { Files, OpenFile } from './files.ts';
import { wrapFiles, wrapOpenFile } from './wrapFiles.ts';

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
  readonly #spare: readonly string[];
  readonly #hasNames: () => boolean;

  /**
   * @param spare files on the same disk that are made anew: they are given up when there is no reserve left.
   * @param hasNames whether another file could be made there: where not, room does not help, and a spare file goes first.
   */
  constructor(files: Files, path: string, spare: readonly string[] = [], hasNames: () => boolean = () => true) {
    this.#files = files;
    this.path = path;
    this.#spare = spare;
    this.#hasNames = hasNames;
  }

  /**
   * Gives up a piece; false when there is none, or the disk does not let it go. Durable, so that what was freed may be used.
   * @param leave bytes that are for others.
   */
  async giveUp(leave = 0): Promise<boolean> {
    try {
      const size = (await this.#files.stat(this.path))?.size ?? 0;
      if (!this.#hasNames()) return leave === 0 && (await this.#removeSpare(size));
      if (size === 0 && leave === 0) return await this.#removeSpare(0);
      if (size <= leave) return false;
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

  /** The reserve itself is a name too: it goes last, and is made anew. */
  async #removeSpare(reserved: number): Promise<boolean> {
    for (const path of reserved > 0 ? [...this.#spare, this.path] : this.#spare) {
      if (!(await this.#files.stat(path))?.size) continue;
      await removeFile(this.#files, path);
      return true;
    }
    return false;
  }

  /** Makes it as long as this, if it is shorter. Resolves with how much was added. Errors are the file system's. */
  async fill(bytes: number): Promise<number> {
    const before = await this.#files.stat(this.path);
    const from = before?.size ?? 0;
    if (from >= bytes) return 0;
    await trimPlace(this.#files, this.path);
    const file = await this.#files.open(this.path, before ? 'r+' : 'wx');
    let position = from;
    try {
      while (position < bytes) {
        // Nothing that a file system could shrink, or leave out.
        const piece = randomFillSync(Buffer.allocUnsafe(Math.min(reservePiece, bytes - position)));
        const taken = await file.write(piece, position);
        if (taken === 0) break;
        position += taken;
      }
      await syncGrown(this.#files, this.path, file);
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
 * @param leave bytes of the reserve that are left for what matters more.
 */
export function filesWithReserve(
  files: Files,
  reserve: ReserveFile,
  isFor: (path: string) => boolean,
  leave = 0,
): Files {
  return wrapFiles(
    files,
    ({ name, path, flags = 'r' }, run) =>
      isFor(path) && (name === 'makeFolder' || name === 'rename' || flags !== 'r')
        ? withReserve(reserve, run, leave)
        : run(),
    (file, { path, flags = 'r' }) => (isFor(path) && flags !== 'r' ? openWithReserve(file, reserve, leave) : file),
  );
}

/** Makes a name, for which a folder may need room. A second try only: one that takes no more names says the same, and room does not help it. */
export async function withReserve<T>(reserve: ReserveFile, act: () => Promise<T>, leave = 0): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!isFull(error) || !(await reserve.giveUp(leave))) throw error;
    return act();
  }
}

/** What is written again every second leaves so much of the reserve for the journals. */
const statusLeaves = 4 * reservePiece;

/**
 * The reserve of an experiment, for all who must write a little before any room can be made: a start, a stop, a command. Only what is on
 * the same disk as the reserve is helped by it.
 */
export class ExperimentReserve {
  readonly file: ReserveFile;
  readonly #files: Files;
  readonly #folder: string;

  /** @param folders `data_dir` and `results_dir`, absolute. */
  constructor(files: Files, { data, results }: { data: string; results: string }) {
    this.#files = files;
    this.#folder = data;
    const pictures = ['health_report.png', 'processed_data_plot.png'].map(name => join(results, name));
    this.file = new ReserveFile(
      files,
      join(data, 'metadata_manifest.reserve'),
      pictures.filter(path => this.#helps(path)),
      () => hasNames(data),
    );
  }

  /** @param files the same, or some that wrap them. @param isFor which paths of the disk it is for. */
  files(files = this.#files, isFor: (path: string) => boolean = () => true): Files {
    return filesWithReserve(files, this.file, path => isFor(path) && this.#helps(path));
  }

  /** For what is lost without harm, and written again and again. */
  statusFiles(): Files {
    return filesWithReserve(this.#files, this.file, path => this.#helps(path), statusLeaves);
  }

  /** @param path of what is locked. */
  lock(path: string, lock: Exclusive): Exclusive {
    return this.#helps(path) ? lockWithReserve(lock, this.file) : lock;
  }

  #helps(path: string): boolean {
    return deviceOf(dirname(path)) === deviceOf(this.#folder);
  }
}

/** Whether a file system that counts its files (inodes) has any left. Where it can't be asked, it has. */
function hasNames(folder: string): boolean {
  try {
    const { files, ffree } = statfsSync(folder);
    return files === 0 || ffree > 0;
  } catch {
    return true;
  }
}

/** Number of the file system that a folder is on, or is to be. */
function deviceOf(folder: string): number | null {
  for (let path = folder; ; path = dirname(path)) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat) return stat.dev;
    if (path === dirname(path)) return null;
  }
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

function openWithReserve(file: OpenFile, reserve: ReserveFile, leave: number): OpenFile {
  return {
    ...wrapOpenFile(file, run => run()),
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
        if (await reserve.giveUp(leave)) continue;
        if (failure !== null && taken === 0) throw failure;
        return taken;
      }
    },
  };
}

/** Whether an error says that the disk, or one's share of it, is full. */
export function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
