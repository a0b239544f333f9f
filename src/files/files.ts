import { closeSync, constants, fstatSync, ftruncateSync, openSync, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type NameSemantics, nameSemanticsOf } from './nameSemantics.ts';

/** An open file. Positions and lengths are bytes. */
export interface OpenFile {
  /**
   * Writes once and returns how many bytes were taken, which may be fewer (full disk). `position` null: at the end of a file opened for
   * appending.
   */
  write(data: Uint8Array, position: number | null): Promise<number>;
  read(into: Uint8Array, position: number): Promise<number>;
  size(): Promise<number>;
  /**
   * `length` null: to the length that it has, which gives back the place beyond it. That is one step: what another process appends meanwhile
   * stays.
   */
  truncate(length: number | null): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileStat {
  size: number;
  mtimeMs: number;
  ino: number;
  isFolder: boolean;
  /** Who may read and write it, as `chmod` has it. Absent: the file system does not tell. */
  mode?: number;
  /**
   * What stands there where neither a file nor a folder does. Nothing that the program makes is any of these; it opens none. A link to a
   * folder is a folder too: a configured one may be.
   */
  strange?: 'link' | 'pipe' | 'socket' | 'device';
}

/**
 * How a file is opened, as in `fs.open`. There is no `w`: what is written anew gets a name that nobody can foretell, and must not be
 * there (`wx`). `r+a` is `a+` of a file that is there already.
 */
export type OpenFlags = 'r' | 'r+' | 'r+a' | 'wx' | 'a' | 'a+';

/**
 * The file system as everything durable sees it, so that a test can stand in between and stop at any
 * write, rename or fsync. Errors are Node's (`code`, `path`).
 */
export interface Files {
  /**
   * Opens a file itself, never what a link of that name leads to, nor a pipe or device; to write in place (`r+`, `r+a`, `a`, `a+`) only a file
   * that has no other name. `mode`: of a file that it makes, less what the umask takes.
   */
  open(path: string, flags: OpenFlags, mode?: number): Promise<OpenFile>;
  /** Null when nothing stands there. Of a link that does not lead to a folder it tells nothing but that it is one. */
  stat(path: string): Promise<FileStat | null>;
  /** Names in a folder, unsorted; empty when there is no such folder. */
  list(folder: string): Promise<string[]>;
  /**
   * With parents; no error when it is there.
   * @param under a folder above it that must be there: neither it nor what is above it is made, not even in the instant in which it goes.
   */
  makeFolder(path: string, under?: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** No error when it is gone already. */
  remove(path: string): Promise<void>;
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>;
  /**
   * The turns of one process in each folder; see `inTurn`. Absent: those of this process. A test that models several processes gives one for
   * each.
   */
  readonly turns?: Map<string, Promise<unknown>>;
  /** What the file system that holds a folder does with names. */
  nameHabit(folder: string): Promise<NameSemantics>;
  /** Opens to read what stands on the medium rather than the copy of it in memory, as far as the system lets one. Absent: it does not. */
  openUncached?(path: string): Promise<OpenFile>;
  /** Where a path leads once every link in it is followed. Absent: there are no links. */
  realPath?(path: string): Promise<string>;
}

/**
 * Step by step: `mkdir` of Node with `recursive` goes round for ever where the system says `ENOENT` below a folder that is there,
 * as in `/proc`.
 */
async function makeFolders(path: string, under?: string): Promise<void> {
  const isFolder = async (at: string): Promise<boolean> => (await stat(at).catch(() => null))?.isDirectory() === true;
  if (await isFolder(path)) return;
  // Says that it is not there.
  if (path === under) await stat(path);
  const parent = dirname(path);
  if (parent !== path && parent !== under && !(await isFolder(parent))) await makeFolders(parent, under);
  await mkdir(path).catch(async (error: unknown) => {
    // Another process may have been quicker.
    if (!(await isFolder(path))) throw error;
  });
}

const missing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

const { O_RDONLY, O_RDWR, O_WRONLY, O_CREAT, O_EXCL, O_APPEND } = constants;
/** Opening a pipe must not wait for its other end. Systems that know no such thing have no such flag. */
const itself = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const flagBits: Readonly<Record<OpenFlags, number>> = {
  r: O_RDONLY,
  'r+': O_RDWR,
  'r+a': O_RDWR | O_APPEND,
  wx: O_WRONLY | O_CREAT | O_EXCL,
  a: O_WRONLY | O_CREAT | O_APPEND,
  'a+': O_RDWR | O_CREAT | O_APPEND,
};

/** Something that is no file of ours stands where one belongs. */
export class StrangeFileError extends Error {
  override name = 'StrangeFileError';
  readonly code: string;
  readonly path: string;

  constructor(
    path: string,
    what: string,
    code: string,
    { wanted = 'a file of its own', cause }: { wanted?: string; cause?: unknown } = {},
  ) {
    super(`${code}: ${path} is ${what}, where ${wanted} belongs: remove it, or move it away`, { cause });
    this.code = code;
    this.path = path;
  }
}

/**
 * Opens a file as {@link Files.open} does: itself, and nothing that somebody else has put under its name.
 * @throws StrangeFileError for what is no such file; system errors
 */
export async function openItself(path: string, flags: OpenFlags | number, mode?: number): Promise<FileHandle> {
  const bits = bitsOf(flags);
  const handle = await open(path, bits, mode).catch((error: unknown) => {
    throw openingError(path, error);
  });
  try {
    if (!(bits & O_EXCL)) mustBeItself(path, await handle.stat(), bits);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The same at once, for libraries that take the number of an open file and close it. */
export function openItselfSync(path: string, flags: OpenFlags): number {
  const bits = bitsOf(flags);
  let file: number;
  try {
    file = openSync(path, bits);
  } catch (error) {
    throw openingError(path, error);
  }
  try {
    mustBeItself(path, fstatSync(file), bits);
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

const bitsOf = (flags: OpenFlags | number): number => (typeof flags === 'number' ? flags : flagBits[flags]) | itself;

function openingError(path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ELOOP') return new StrangeFileError(path, 'a link', code, { cause: error });
  return code === 'ENXIO' ? new StrangeFileError(path, 'a pipe or a device', 'EFTYPE', { cause: error }) : error;
}

/** @throws StrangeFileError when what was opened is no file, or was opened to write in place and has a second name. */
function mustBeItself(path: string, found: Stats, bits: number): void {
  if (found.isDirectory()) throw new StrangeFileError(path, 'a folder', 'EISDIR');
  if (!found.isFile()) throw new StrangeFileError(path, 'a pipe or a device', 'EFTYPE');
  const writesInPlace = (bits & (O_WRONLY | O_RDWR)) !== 0;
  if (writesInPlace && found.nlink > 1)
    throw new StrangeFileError(path, 'a file that has a second name (a hard link)', 'EMLINK');
}

function strangenessOf(found: Stats): FileStat['strange'] {
  if (found.isFile() || found.isDirectory()) return undefined;
  if (found.isSymbolicLink()) return 'link';
  if (found.isFIFO()) return 'pipe';
  return found.isSocket() ? 'socket' : 'device';
}

/** No other call of this process, and nobody who stops it for long, comes between the two. */
async function truncateToItself(file: number): Promise<void> {
  ftruncateSync(file, fstatSync(file).size);
}

class NodeFile implements OpenFile {
  readonly #handle: FileHandle;
  readonly #path: string;

  constructor(handle: FileHandle, path: string) {
    this.#handle = handle;
    this.#path = path;
  }

  write(data: Uint8Array, position: number | null): Promise<number> {
    return this.#named(this.#handle.write(data, 0, data.length, position).then(({ bytesWritten }) => bytesWritten));
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#named(this.#handle.read(into, 0, into.length, position).then(({ bytesRead }) => bytesRead));
  }

  size(): Promise<number> {
    return this.#named(this.#handle.stat().then(({ size }) => size));
  }

  truncate(length: number | null): Promise<void> {
    const { fd } = this.#handle;
    return this.#named(length === null ? truncateToItself(fd) : this.#handle.truncate(length));
  }

  sync(): Promise<void> {
    return this.#named(this.#handle.sync());
  }

  close(): Promise<void> {
    return this.#named(this.#handle.close());
  }

  /** Node's errors of an open file don't say which file it is. */
  #named<T>(operation: Promise<T>): Promise<T> {
    return operation.catch((error: NodeJS.ErrnoException) => {
      if (error.code !== undefined && error.path === undefined) {
        error.path = this.#path;
        error.message += ` '${this.#path}'`;
      }
      throw error;
    });
  }
}

/** The real file system. */
export const nodeFiles: Files = {
  async open(path, flags, mode) {
    // A copy of what may only be read is written to all the same, now and when it grows.
    return new NodeFile(await openItself(path, flags, mode === undefined ? mode : mode | 0o600), path);
  },
  async stat(path) {
    try {
      const found = await lstat(path);
      const { size, mtimeMs, ino, mode } = found;
      const strange = strangenessOf(found);
      const isFolder = found.isDirectory() || (strange === 'link' && (await leadsToFolder(path)));
      return { size, mtimeMs, ino, isFolder, mode: mode & 0o777, ...(strange && { strange }) };
    } catch (error) {
      if (missing(error)) return null;
      throw error;
    }
  },
  async list(folder) {
    try {
      return await readdir(folder);
    } catch (error) {
      if (missing(error)) return [];
      throw error;
    }
  },
  makeFolder: makeFolders,
  rename,
  async remove(path) {
    await unlink(path).catch((error: unknown) => {
      if (!missing(error)) throw error;
    });
  },
  async syncFolder(path) {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } catch (error) {
      // vfat and SMB refuse to sync a folder; their renames are as durable as they get.
      if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    } finally {
      await handle.close();
    }
  },
  nameHabit: nameSemanticsOf,
  async openUncached(path) {
    const cached = (): Promise<OpenFile> => nodeFiles.open(path, 'r');
    try {
      return new UncachedFile(new NodeFile(await openItself(path, O_RDONLY | constants.O_DIRECT), path), cached);
    } catch (error) {
      if (isUnaligned(error)) return cached();
      throw error;
    }
  },
  realPath: path => realpath(path),
};

const leadsToFolder = (link: string): Promise<boolean> =>
  stat(link).then(
    target => target.isDirectory(),
    () => false,
  );

/** Some file systems know no reading past the cache, others only to places in memory that Node can't choose. */
const isUnaligned = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EINVAL';

/** Reads past the cache until the file system refuses to, then through it. Not to be written to. */
class UncachedFile implements OpenFile {
  #file: OpenFile;
  #cached: (() => Promise<OpenFile>) | null;

  constructor(file: OpenFile, cached: () => Promise<OpenFile>) {
    this.#file = file;
    this.#cached = cached;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    try {
      return await this.#file.read(into, position);
    } catch (error) {
      if (!this.#cached || !isUnaligned(error)) throw error;
      const file = await this.#cached();
      this.#cached = null;
      await this.#file.close();
      this.#file = file;
      return file.read(into, position);
    }
  }

  write(data: Uint8Array, position: number | null): Promise<number> {
    return this.#file.write(data, position);
  }

  size(): Promise<number> {
    return this.#file.size();
  }

  truncate(length: number | null): Promise<void> {
    return this.#file.truncate(length);
  }

  sync(): Promise<void> {
    return this.#file.sync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
