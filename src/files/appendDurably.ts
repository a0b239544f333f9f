import { syncGrown, trimOnce } from './durableNames.ts';
import type { Files, OpenFile } from './files.ts';
import { readRange } from './readBytes.ts';

const newline = 0x0a;

export interface Appended {
  /** Where the data begin, bytes from the start of the file. */
  offset: number;
  /** How many bytes are durable: all, or with `keep: 'lines'` on a disk that ran full the whole lines that fitted. */
  length: number;
  /** Why the rest is not there, with the system's `code`; null when all is. */
  error: Error | null;
}

/**
 * Appends whole lines to a text file and fsyncs them. To be called by one writer at a time.
 *
 * What a crashed writer left after the last newline was never acknowledged and is cut off first. When the disk takes only
 * a part, the torn line is cut off again; with `keep: 'nothing'` all of it. When the fsync fails nothing counts. Only
 * bytes that can't be anybody else's are ever cut: the file is opened for appending and must still end with what this
 * call wrote. So even a writer whose lock was stolen while it slept destroys no line of the thief's.
 *
 * @param data whole lines, the last with its newline; or whole rows.
 * @param rowsEnd for a file of rows that are all of one length: where the last whole one ends in a file of so many bytes.
 * @param folder its name is made durable in this folder too: for a file that may be new.
 * @param least the file has at least so many bytes, else it is another one than was looked at.
 * @throws ShorterFileError when it has less, or is gone; nothing is written then, and nothing made.
 * @throws Error when nothing of it was made durable.
 */
export async function appendDurably(
  files: Files,
  path: string,
  data: Uint8Array,
  {
    keep,
    folder,
    isWhole,
    rowsEnd,
    least = 0,
  }: {
    keep: 'lines' | 'nothing';
    folder: string | null;
    isWhole?: IsWhole;
    rowsEnd?: (size: number) => number;
    least?: number;
  },
): Promise<Appended> {
  await trimOnce(files, path);
  const file = await openToAppend(files, path, least);
  try {
    const offset = rowsEnd ? await endTornRow(file, rowsEnd) : await endTornTail(file, isWhole);
    let written = 0;
    let error: Error | null = null;
    try {
      written = await file.write(data, null);
      if (written !== data.length) {
        // Asked to take the rest, the system says why it did not: the disk is full, or the file as long as one may be.
        try {
          written += await file.write(data.subarray(written), null);
          if (written !== data.length) error = diskFull(path, written, data.length);
        } catch (reason) {
          error = reason as Error;
        }
      }
      const size = await file.size();
      if (size !== offset + written || (error && !(await stands(file, offset, data.subarray(0, written))))) {
        throw new Error(`${path}: another process wrote to it at the same moment; nothing is counted as written`);
      }
      if (error) {
        const kept = keep === 'lines' ? data.lastIndexOf(newline, written - 1) + 1 : 0;
        await file.truncate(offset + kept);
        written = kept;
        if (written === 0) throw error;
      }
      await syncGrown(files, path, file);
      if (folder !== null) await files.syncFolder(folder);
    } catch (failure) {
      await takeBack(file, offset, data, failure as Error);
      throw failure;
    }
    return { offset, length: written, error };
  } finally {
    await file.close();
  }
}

async function openToAppend(files: Files, path: string, least: number): Promise<OpenFile> {
  if (least === 0) return files.open(path, 'a+');
  const changed = (found: string, cause?: unknown): Error =>
    new ShorterFileError(
      `${path} was moved away or shortened in the instant of a write: ${least} bytes were there, ${found}`,
      { cause },
    );
  const file = await files.open(path, 'r+a').catch((error: unknown) => {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? changed('nothing is now', error) : error;
  });
  try {
    const size = await file.size();
    if (size < least) throw changed(`${size} are now`);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A file was moved away, or shortened, in the instant before it was appended to. */
export class ShorterFileError extends Error {
  override name = 'ShorterFileError';
}

/** The file is as long as this file system, or a limit set for the process, lets one be: further lines go into another. */
export const isAsLongAsCanBe = (error: unknown): boolean => (error as NodeJS.ErrnoException | null)?.code === 'EFBIG';

/** Whether what stands after the last newline is a whole line that lacks nothing but its newline, as some editors leave it. */
export type IsWhole = (tail: Buffer) => boolean;

/** A tail longer than this is none that an editor has left, bytes. */
const longestTail = 64 << 20;

/**
 * Cuts off what a crashed writer left after the last newline, for a file that gets no more lines.
 * @param isWhole what it says to be a whole line gets its newline instead. Absent: none is.
 * @returns the file's length then.
 */
export async function trimTornTail(files: Files, path: string, isWhole?: IsWhole): Promise<number> {
  const file = await files.open(path, 'r+');
  try {
    return await endTornTail(file, isWhole);
  } finally {
    await file.close();
  }
}

/** Cuts what stands after the last newline, or ends it where it is a whole line. Says where the file then ends. */
async function endTornTail(file: OpenFile, isWhole: IsWhole = () => false): Promise<number> {
  const size = await file.size();
  const end = await endOfLines(file, size);
  if (end === size) return end;
  const tail = await readRange(file, end, size - end <= longestTail ? size : end);
  if (tail.length > 0 && isWhole(tail)) {
    if ((await file.write(Buffer.of(newline), size)) === 1) return size + 1;
  }
  await file.truncate(end);
  return end;
}

async function endTornRow(file: OpenFile, rowsEnd: (size: number) => number): Promise<number> {
  const size = await file.size();
  const end = rowsEnd(size);
  if (end < size) await file.truncate(end);
  return end;
}

/** Where the last line with its newline ends before byte `to`; `from` where none does. */
export async function endOfLines(file: OpenFile, to: number, from = 0): Promise<number> {
  for (let end = to; end > from; ) {
    // The last byte alone tells in all but the rarest case.
    const start = Math.max(from, end === to ? end - 1 : end - stepBytes);
    const at = (await readRange(file, start, end)).lastIndexOf(newline);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return from;
}

const stepBytes = 64 << 10;

/** After a failed append: leaves nothing of it, unless somebody else has written in its place or behind it meanwhile. */
async function takeBack(file: OpenFile, offset: number, data: Uint8Array, failure: Error): Promise<void> {
  try {
    const written = (await file.size()) - offset;
    if (written <= 0 || written > data.length) return;
    if (await stands(file, offset, data.subarray(0, written))) await file.truncate(offset);
  } catch (error) {
    // The next append cuts a torn line; whole lines that stay were never acknowledged. Both errors are told.
    failure.message += ` (and it could not be taken back: ${(error as Error).message})`;
  }
}

async function stands(file: OpenFile, offset: number, data: Uint8Array): Promise<boolean> {
  return (await readRange(file, offset, offset + data.length)).equals(data);
}

function diskFull(path: string, written: number, wanted: number): Error {
  const error: NodeJS.ErrnoException = new Error(
    `${path}: the disk took ${written} of ${wanted} bytes; it is probably full`,
  );
  error.code = 'ENOSPC';
  error.path = path;
  return error;
}
