import type { Files } from '../files/files.ts';
import { readChunks } from '../files/readChunks.ts';
import { prepareReplacement, type Replacement } from '../files/writeAtomic.ts';
import type { Entry } from '../model/entry.ts';
import { jsonFault } from '../model/jsonFault.ts';
import { Checksum, type PublishedSnapshot } from './journalLine.ts';
import { normaliseEntry } from './normaliseEntry.ts';
import { splitArray } from './splitArray.ts';

/** Entries are turned to text this many at a time, so that the snapshot of a long manifest lets other work in between. */
const entriesPerChunk = 100;

export interface ReadSnapshot extends PublishedSnapshot {
  /** What could not be read, in words; empty when all is well. */
  problems: string[];
}

/**
 * Reads `metadata_manifest.json`, ours or the Python system's, and hands on its entries in their order. A file that is not
 * there is an empty one. What is damaged (by an editor; we replace the file as a whole) is reported and does not take the
 * sound entries before it along.
 *
 * @param taken when it returns a promise, reading waits for it: memory stays bounded whatever the file's length.
 */
export async function readSnapshot(
  files: Files,
  path: string,
  taken: (entry: Entry) => void | Promise<void>,
): Promise<ReadSnapshot> {
  const checksum = new Checksum();
  const result: ReadSnapshot = { size: 0, crc: '', problems: [] };
  if ((await files.stat(path)) === null) return result;

  async function* measured(): AsyncGenerator<Buffer> {
    for await (const chunk of readChunks(files, path)) {
      checksum.add(chunk);
      result.size += chunk.length;
      yield chunk;
    }
  }

  const known = new Map<string, number>();
  const chunks = measured();
  const objects = splitArray(chunks);
  try {
    for (let index = 0; ; index++) {
      const next = await objects.next();
      if (next.done) {
        if (!next.value) result.problems.push('the array is not closed: the file was cut off');
        break;
      }
      const entry = readEntry(next.value, known);
      if (typeof entry === 'string') result.problems.push(`entry ${index}: ${entry}`);
      else await taken(entry);
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    result.problems.push(error.message);
  } finally {
    await chunks.return(undefined);
  }
  result.crc = checksum.text();
  return result;
}

function readEntry(text: string, known: Map<string, number>): Entry | string {
  let raw: Record<string, unknown>;
  try {
    raw = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return `it is no JSON (${jsonFault(text)})`;
  }
  const entry = normaliseEntry(raw);
  if (typeof entry === 'string') return entry;
  const seen = known.get(entry.entry_id) ?? 0;
  known.set(entry.entry_id, seen + 1);
  if (seen === 0) return entry;
  return raw.entry_id ? `entry_id ${entry.entry_id} stands there twice; the first counts` : normaliseEntry(raw, seen);
}

/** A snapshot that stands, durable, under a temporary name. */
export interface PreparedSnapshot extends Replacement {
  mark: PublishedSnapshot;
}

/** Replaces the snapshot. */
export async function writeSnapshot(files: Files, path: string, entries: Iterable<Entry>): Promise<void> {
  const { place } = await prepareSnapshot(files, path, entries);
  await place();
}

/**
 * Writes a snapshot that is to replace the present one, and leaves the event loop free between its pieces.
 *
 * @param signal ends it between two pieces; it then rejects with the signal's reason, and nothing is left.
 */
export async function prepareSnapshot(
  files: Files,
  path: string,
  entries: Iterable<Entry>,
  signal?: AbortSignal,
): Promise<PreparedSnapshot> {
  const checksum = new Checksum();
  let size = 0;

  async function* chunks(): AsyncGenerator<Uint8Array> {
    let lines: string[] = [];
    let first = true;
    const take = (text: string): Buffer => {
      signal?.throwIfAborted();
      const chunk = Buffer.from(text);
      checksum.add(chunk);
      size += chunk.length;
      return chunk;
    };
    for (const entry of entries) {
      lines.push(`${first ? '[\n' : ',\n'}${JSON.stringify(entry)}`);
      first = false;
      if (lines.length === entriesPerChunk) {
        yield take(lines.join(''));
        lines = [];
      }
    }
    yield take(`${first ? '[' : lines.join('')}\n]\n`);
  }

  const replacement = await prepareReplacement(files, path, chunks());
  return { ...replacement, mark: { size, crc: checksum.text() } };
}
