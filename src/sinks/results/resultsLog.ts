import {
  type Appended,
  appendDurably,
  endOfLines,
  isAsLongAsCanBe,
  ShorterFileError,
  trimTornTail,
} from '../../files/appendDurably.ts';
import { makeFolder, syncGrown } from '../../files/durableNames.ts';
import type { Exclusive } from '../../files/fileLock.ts';
import type { Files } from '../../files/files.ts';
import { comparePositions, SegmentedFile, type SegmentPosition } from '../../files/segmentedFile.ts';
import { splitLines } from '../../files/splitLines.ts';
import type { ResultLocation } from '../../model/entry.ts';
import { jsonFault } from '../../model/jsonFault.ts';
import type { ResultLine } from '../../model/result.ts';
import { resultLinePrefix } from './composeResultLine.ts';

const newline = 0x0a;
/** One write and one fsync take in at most so much; lines beyond it wait for the next. */
const batchBytes = 16 << 20;
/** `position` may name a place that is so far from the end: it spares the lock, and recovery a look at no more than this. */
const staleBytes = 32 << 20;

export interface ResultsLogOptions {
  /** `results_dir`. Made when it is not there. */
  folder: string;
  files: Files;
  /** Lock between all processes that append to this log. Not the manifest's: it is held during an fsync. */
  exclusive: Exclusive;
  /** A segment is closed before a line would make it longer than this, bytes. */
  segmentBytes?: number;
  /** The manifest knows of results up to here. */
  known?: SegmentPosition | null;
  /** Told that the newest segment is shorter than it was, and that a further one is begun. */
  onChanged?: (message: string) => void;
}

/** A line that is no result: damaged, or written by somebody else. */
export interface BadLine {
  file: string;
  segment: number;
  offset: number;
  length: number;
  reason: string;
}

/**
 * `processing_results.jsonl` and its further segments: one line an image and attempt, appended, never rewritten.
 *
 * Any number of processes append. A line that `append` has acknowledged is durable and stays at its location for good,
 * also when its segment is compressed later. A line that was not acknowledged may still be there, whole: `find` tells.
 * Which attempt's line counts is the manifest's to say.
 */
export interface ResultsLog {
  /**
   * Appends one line; resolves when it is durable. Lines asked for at the same time share a write and an fsync.
   * @param line one JSON object in UTF-8 with its newline, or its parts.
   * @throws Error with `code` `ENOSPC` on a full disk; nothing is acknowledged then, and the same line may be tried again.
   */
  append(line: Uint8Array | readonly Uint8Array[]): Promise<ResultLocation>;
  /** A place in front of everything that is appended from now on, for a claim to name. Near the end of the log. */
  position(): Promise<SegmentPosition>;
  /**
   * @throws Error when no result line stands there: with file, bytes and what was found.
   */
  read(location: ResultLocation): Promise<ResultLine>;
  /**
   * Looks behind a position for the line of an entry's attempt, for recovery. What it finds it has made durable.
   * @returns null when there is none.
   */
  find(from: SegmentPosition, entryId: string, attempt: number): Promise<ResultLocation | null>;
  /**
   * All result lines in order, from a position on; ends at the last whole line that is there when it gets to it. One line
   * is in memory at a time. Other lines are given to `onBadLine` and skipped.
   */
  lines(
    from?: SegmentPosition,
    onBadLine?: (bad: BadLine) => void,
  ): AsyncIterable<{ line: ResultLine; location: ResultLocation }>;
  /** Resolves when what was asked for is settled. Further calls to `append` are refused. */
  close(): Promise<void>;
}

interface Waiting {
  line: Buffer;
  resolve: (location: ResultLocation) => void;
  reject: (error: unknown) => void;
}

/** Opens the log of a results folder; see {@link ResultsLog}. */
export async function openResultsLog(options: ResultsLogOptions): Promise<ResultsLog> {
  const { folder, files, exclusive, segmentBytes = 1 << 30, known = null, onChanged } = options;
  await makeFolder(files, folder);
  const log = new SegmentedFile(files, folder, 'processing_results', 'jsonl');
  const waiting: Waiting[] = [];
  /** End of what is known to be written; nothing before it is ever taken back. */
  let end: SegmentPosition | null = null;
  /** Furthest end that was ever seen. What is put back behind a shorter file must find its places free. */
  let furthest: SegmentPosition = known ?? { segment: 0, length: 0 };
  /** Segments whose name this process has made durable. */
  let namedSegment = -1;
  /** A segment that takes no more, though it is shorter than `segmentBytes`. */
  let fullSegment = -1;
  let flushing: Promise<void> | null = null;
  let closed = false;

  /**
   * The segment to append to. One that was moved away, or shortened, may be put back: then lines of two files would have one place.
   * So the next is begun, and the places that the manifest names are those of the file that is gone.
   */
  async function newest(): Promise<SegmentPosition> {
    const there = await log.current();
    if (comparePositions(there, furthest) >= 0) {
      // What another process has written may be taken back by it as long as it is torn.
      if (there.segment > furthest.segment) furthest = { segment: there.segment, length: 0 };
      return there;
    }
    // Begun already, and nothing was written to it yet.
    if (furthest.length === 0) return furthest;
    const path = log.path(furthest.segment);
    onChanged?.(
      `${path} was moved away or shortened: results up to byte ${furthest.length} were there. New ones go to ${log.path(furthest.segment + 1)}; ` +
        "put the file back, 'phorest verify' says what is missing",
    );
    furthest = { segment: furthest.segment + 1, length: 0 };
    log.forget();
    return furthest;
  }

  /** Writes the first of `batch` that go into one segment, and settles them. Returns how many those were; none where it was full. */
  async function writeSome(batch: readonly Waiting[]): Promise<number> {
    let { segment, length } = await newest();
    const tooLong = (): boolean =>
      length > 0 && (segment === fullSegment || length + (batch[0] as Waiting).line.length > segmentBytes);
    if (tooLong()) length = await trimTornTail(files, log.path(segment), isResultLine);
    if (tooLong()) {
      segment++;
      length = 0;
    }
    let count = 0;
    let bytes = 0;
    for (const { line } of batch) {
      if (count > 0 && length + bytes + line.length > segmentBytes) break;
      count++;
      bytes += line.length;
    }
    const lines = batch.slice(0, count);
    const data = lines.length === 1 ? (lines[0] as Waiting).line : Buffer.concat(lines.map(({ line }) => line));
    const nameIt = segment === namedSegment ? null : folder;
    let appended: Appended;
    try {
      appended = await appendDurably(files, log.path(segment), data, {
        keep: 'lines',
        folder: nameIt,
        isWhole: isResultLine,
        least: length,
      });
    } catch (error) {
      // It is looked at again.
      if (error instanceof ShorterFileError) return 0;
      if (length === 0 || !isAsLongAsCanBe(error)) throw error;
      fullSegment = segment;
      return 0;
    }
    namedSegment = segment;
    if (isAsLongAsCanBe(appended.error)) fullSegment = segment;
    end = { segment, length: appended.offset + appended.length };
    furthest = end;
    let offset = appended.offset;
    let settled = 0;
    for (const { line, resolve, reject } of lines) {
      const fits = offset + line.length <= end.length;
      if (!fits && segment === fullSegment) break;
      if (fits) resolve({ segment, offset, length: line.length });
      else reject(appended.error);
      settled++;
      offset += line.length;
    }
    return settled;
  }

  async function flush(): Promise<void> {
    // Callers of the same turn come in one batch.
    await Promise.resolve();
    while (waiting.length > 0) {
      let bytes = 0;
      let count = 0;
      while (count < waiting.length && (count === 0 || bytes + (waiting[count] as Waiting).line.length <= batchBytes)) {
        bytes += (waiting[count++] as Waiting).line.length;
      }
      let batch = waiting.splice(0, count);
      try {
        await exclusive(async () => {
          while (batch.length > 0) batch = batch.slice(await writeSome(batch));
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    flushing = null;
  }

  async function measureEnd(): Promise<SegmentPosition> {
    return exclusive(async () => {
      const { segment, length } = await newest();
      if (length === 0) return { segment, length };
      const file = await files.open(log.path(segment), 'r');
      try {
        return { segment, length: await endOfLines(file, length) };
      } finally {
        await file.close();
      }
    });
  }

  async function* rawLines(from: SegmentPosition) {
    for (const segment of await log.segments()) {
      if (segment < from.segment) continue;
      let start = segment === from.segment ? from.length : 0;
      // A position inside a line (the log was cut behind our back) begins with the next whole one.
      let skipFirst = false;
      if (start > 0) {
        start--;
        skipFirst = true;
      }
      for await (const line of splitLines(log.read(segment, start), start)) {
        if (skipFirst) {
          skipFirst = false;
          continue;
        }
        yield { segment, ...line };
      }
    }
  }

  async function* lines(from: SegmentPosition = { segment: 0, length: 0 }, onBadLine?: (bad: BadLine) => void) {
    for await (const { segment, offset, length, bytes, terminated } of rawLines(from)) {
      if (!terminated && segment === (await log.current()).segment) return;
      const parsed = terminated ? parseResultLine(bytes) : 'it has no end';
      if (typeof parsed !== 'string') yield { line: parsed, location: { segment, offset, length } };
      else onBadLine?.({ file: log.path(segment), segment, offset, length, reason: parsed });
    }
  }

  return {
    append(line) {
      if (closed) return Promise.reject(new Error(`${folder}: the results log is closed`));
      const bytes =
        line instanceof Uint8Array ? Buffer.from(line.buffer, line.byteOffset, line.length) : Buffer.concat(line);
      if (bytes.length < 2 || bytes.indexOf(newline) !== bytes.length - 1) {
        return Promise.reject(new TypeError('A result line is one line that ends with its newline'));
      }
      return new Promise((resolve, reject) => {
        waiting.push({ line: bytes, resolve, reject });
        flushing ??= flush();
      });
    },

    async position() {
      const { segment, length } = await newest();
      if (end === null || end.segment !== segment || length < end.length || length - end.length > staleBytes) {
        end = await measureEnd();
      }
      return { ...end };
    },

    async read({ segment, offset, length }) {
      // The byte before tells whether a line begins there.
      const start = Math.max(0, offset - 1);
      const parts: Buffer[] = [];
      try {
        for await (const part of log.read(segment, start, offset + length)) parts.push(part);
      } catch (error) {
        throw notThere({ segment, offset, length }, (error as Error).message, error);
      }
      const bytes = Buffer.concat(parts);
      const body = bytes.subarray(offset - start);
      if (body.length !== length) throw notThere({ segment, offset, length }, 'the file ends before');
      if (offset > 0 && bytes[0] !== newline) throw notThere({ segment, offset, length }, 'it begins inside a line');
      if (body.indexOf(newline) !== length - 1) throw notThere({ segment, offset, length }, 'it is not one whole line');
      const parsed = parseResultLine(body);
      if (typeof parsed === 'string') throw notThere({ segment, offset, length }, parsed);
      return parsed;
    },

    async find(from, entryId, attempt) {
      const prefix = Buffer.from(resultLinePrefix(entryId, attempt));
      for await (const { segment, offset, length, bytes, terminated } of rawLines(from)) {
        if (!terminated || !bytes?.subarray(0, prefix.length).equals(prefix)) continue;
        // Also a line that begins well may have lost a block in a power cut.
        if (typeof parseResultLine(bytes) === 'string') continue;
        const path = log.path(segment);
        if (await files.stat(path)) {
          const file = await files.open(path, 'r+');
          try {
            await syncGrown(files, path, file);
          } finally {
            await file.close();
          }
          await files.syncFolder(folder);
        }
        return { segment, offset, length };
      }
      return null;
    },

    lines,

    async close() {
      closed = true;
      await flushing;
    },
  };

  function notThere({ segment, offset, length }: ResultLocation, reason: string, cause?: unknown): Error {
    return new Error(
      `${log.path(segment)}: no result line at bytes ${offset} to ${offset + length}: ${reason}. ` +
        'Was the file edited or replaced? Requeue the entry to analyse its image again.',
      { cause },
    );
  }
}

/** A line may have lost its newline alone: an editor has saved the file, or a kill came there. */
export const isResultLine = (bytes: Buffer): boolean => typeof parseResultLine(bytes) !== 'string';

/** The line, or why it is none. As editors save it, with a byte order mark or a carriage return, it is the same line. */
export function parseResultLine(bytes: Buffer | null): ResultLine | string {
  if (bytes === null) return 'it is too long for a result line';
  const text = bytes.toString().replace(/^\uFEFF/, '');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return `it is not JSON (${jsonFault(text)})`;
  }
  const line = value as Partial<ResultLine> | null;
  if (
    typeof line !== 'object' ||
    line === null ||
    typeof line.entry_id !== 'string' ||
    typeof line.attempt !== 'number'
  ) {
    return 'it has no entry_id and attempt';
  }
  return line as ResultLine;
}
