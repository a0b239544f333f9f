import { basename, dirname, join } from 'node:path';
import type { Files } from '../files/files.ts';
import { readChunks } from '../files/readChunks.ts';
import {
  isChangedLine,
  isHeader,
  type JournalHeader,
  type JournalRecord,
  journalFormat,
  parseLine,
} from './journalLine.ts';

const newline = 0x0a;
/** The header stands first; torn attempts at it may stand before. */
const headerBytes = 64 * 1024;

const stem = (manifestFile: string): string => basename(manifestFile).replace(/\.json$/, '');

/** `metadata_manifest.journal.<n>.jsonl` beside the manifest. */
export function journalPath(manifestFile: string, number: number): string {
  return join(dirname(manifestFile), `${stem(manifestFile)}.journal.${number}.jsonl`);
}

/** Whether a path is that of a journal of this manifest. */
export function isJournal(path: string, manifestFile: string): boolean {
  return dirname(path) === dirname(manifestFile) && basename(path).startsWith(`${stem(manifestFile)}.journal.`);
}

/** Numbers of the journals that are there, ascending. */
export async function listJournals(files: Files, manifestFile: string): Promise<number[]> {
  const prefix = `${stem(manifestFile)}.journal.`;
  const numbers: number[] = [];
  for (const name of await files.list(dirname(manifestFile))) {
    const match = name.startsWith(prefix) ? /^(\d+)\.jsonl$/.exec(name.slice(prefix.length)) : null;
    if (match) numbers.push(Number(match[1]));
  }
  return numbers.sort((a, b) => a - b);
}

/** A journal that a newer version of this program wrote: reading it with today's rules could lose what it says. */
export class JournalFormatError extends Error {
  override name = 'JournalFormatError';
}

export interface JournalPart {
  /** Bytes up to the end of the last whole line: reading goes on from here. */
  end: number;
  /** Bytes there were; more than `end` when the last line is torn, or still being written. */
  length: number;
  /** Lines that were torn, damaged or foreign. */
  damaged: number;
  /** Those among them that were whole once: their length is right, and their content is another. */
  changed: number;
}

/**
 * Hands on the records of a journal from a byte on, at most to byte `to`, as they are read. Null when there is no such
 * journal.
 * @throws JournalFormatError when a newer version wrote it.
 */
export async function readJournal(
  files: Files,
  path: string,
  { from = 0, to }: { from?: number; to?: number | undefined },
  taken: (record: JournalRecord) => void,
): Promise<JournalPart | null> {
  const part: JournalPart = { end: from, length: from, damaged: 0, changed: 0 };
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of readChunks(files, path, from, to)) {
      part.length += chunk.length;
      const bytes = rest.length ? Buffer.concat([rest, chunk]) : chunk;
      let begin = 0;
      for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, begin)) {
        if (end > begin) {
          const line = bytes.toString('utf8', begin, end);
          const record = recordOf(line, path);
          if (record) taken(record);
          else {
            part.damaged++;
            if (isChangedLine(line)) part.changed++;
          }
        }
        begin = end + 1;
      }
      part.end += begin;
      rest = bytes.subarray(begin);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return part;
}

function recordOf(line: string, path: string): JournalRecord | null {
  const record = parseLine(line);
  if (record && isHeader(record) && record.format > journalFormat) {
    throw new JournalFormatError(
      `${path} has journal format ${record.format}; this version of phorest reads up to ${journalFormat}. Use the newer version that wrote it.`,
    );
  }
  return record;
}

/** The header of a journal: the first that stands there counts. Null when it has none yet, or there is no such journal. */
export async function readHeader(files: Files, path: string): Promise<JournalHeader | null> {
  let header: JournalHeader | null = null;
  const take = (record: JournalRecord): void => {
    if (isHeader(record)) header ??= record;
  };
  const part = await readJournal(files, path, { to: headerBytes }, take);
  // One whose header was damaged later was given another, which stands at its end.
  if (header === null && part !== null && part.length >= headerBytes) await readJournal(files, path, {}, take);
  return header;
}
