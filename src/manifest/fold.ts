import { basename, dirname, join } from 'node:path';
import { removeFile } from '../files/durableNames.ts';
import { entriesPerSegment, writeSegment } from './archive.ts';
import type { Change } from './change.ts';
import type { EntryReader, EntryReaderOptions } from './entryReader.ts';
import { findHandEdits, takeEdits } from './handEdits.ts';
import { journalPath, listJournals } from './journal.ts';
import type { JournalRecord } from './journalLine.ts';
import type { JournalTail } from './journalTail.ts';
import { setAside } from './setAside.ts';
import { writeSnapshot } from './snapshot.ts';
import { type Prepared, prepareAll, type Request } from './transaction.ts';

/** Part of `liveEntries` that stays when there are too many: archiving one at a time would fold each time. */
const keptShare = 0.75;

export interface FoldOptions extends EntryReaderOptions {
  /** Settled entries that stay live; older ones are archived. */
  liveEntries: number;
}

/**
 * Writes the snapshot and begins the next journal. Under the lock, with the reader at the end of the journals.
 *
 * Order: hand edits and archived entries into the journal → the next journal, which seals this one → the snapshot under a
 * temporary name → its mark in the journal → rename → removal of journals that no reader needs. A crash between any two
 * leaves what the next start reads to the same state. A fold by another process at the same time makes this one fail.
 *
 * @param durable false when the present journal failed to sync: nothing is written to it any more.
 * @returns how many entries went to the archive.
 */
export async function fold(
  options: FoldOptions,
  reader: EntryReader,
  tail: JournalTail,
  mark: () => string,
  durable: boolean,
): Promise<number> {
  const { files, file } = options;
  let archived = 0;
  if (durable) {
    await takeHandEdits(options, reader, tail, mark);
    archived = await archiveOldest(options, reader, tail, mark);
  }
  await tail.beginNext();
  await removeTemporaries(options);
  const anew = reader.snapshotIsOurs ? {} : { anew: true as const };
  await writeSnapshot(files, file, reader.live.entries(), async snapshot => {
    await mustBeClean(options, tail, [{ snapshot, ...anew }]);
    reader.published(snapshot);
  });
  reader.sawSnapshot(await files.stat(file));
  // The journal just sealed stays until the next fold: other processes are still reading in it.
  const { number } = reader.position;
  for (const old of await listJournals(files, file))
    if (old < number - 1) await removeFile(files, journalPath(file, old));
  return archived;
}

async function mustBeClean({ file }: FoldOptions, tail: JournalTail, records: readonly JournalRecord[]): Promise<void> {
  const outcome = await tail.append(records);
  if (!outcome.clean) throw outcome.error ?? new Error(`another process wrote to ${file} at the same time`);
}

/** The snapshot is about to be replaced: what a hand has changed in it, and no event has told of yet, counts all the same. */
async function takeHandEdits(
  options: FoldOptions,
  reader: EntryReader,
  tail: JournalTail,
  mark: () => string,
): Promise<void> {
  const { edits, found } = await findHandEdits(options, reader, () => tail.read());
  if (found === 'stale' || found === 'broken') await keepCopy(options);
  if (edits.length === 0) return;
  const request: Request = {
    prepare: draft => takeEdits(edits, draft),
    resolve: () => undefined,
    reject: error => {
      throw error;
    },
    doubts: 0,
  };
  const { prepared, undo } = prepareAll([request], reader.live, mark);
  const lines = prepared.flatMap((one: Prepared) => one.changes);
  try {
    if (lines.length > 0) await mustBeClean(options, tail, lines);
  } catch (error) {
    undo();
    reader.sawSnapshot(null);
    throw error;
  }
  for (const line of lines) tail.tell(line);
}

async function keepCopy({ files, file, note }: FoldOptions): Promise<void> {
  const copy = await setAside(files, file);
  if (copy)
    note('warning', `${file} is replaced; what stood there, with the edits that are not taken, is kept as ${copy}`);
}

/** Segment durable, then `archive` lines, then (by the caller) the snapshot without the entries. */
async function archiveOldest(
  options: FoldOptions,
  { live }: EntryReader,
  tail: JournalTail,
  mark: () => string,
): Promise<number> {
  const { liveEntries, files, file } = options;
  if (live.settled <= liveEntries) return 0;
  const oldest = [...live.oldestSettled(live.settled - Math.floor(liveEntries * keptShare))];
  for (let from = 0; from < oldest.length; from += entriesPerSegment) {
    const entries = oldest.slice(from, from + entriesPerSegment);
    await writeSegment(files, file, entries);
    const lines = entries.map<Change>(({ entry_id: id, rev }) => ({
      id,
      rev: rev + 1,
      op: 'archive',
      set: {},
      by: mark(),
    }));
    await mustBeClean(options, tail, lines);
    for (const line of lines) {
      live.apply(line);
      tail.tell(line);
    }
  }
  return oldest.length;
}

/**
 * What a fold that was cut short has left. Its process may only be suspended, its lock stolen: without its temporary file
 * it can't put its older snapshot over the one that comes now. (It made that file before its mark, and its mark before the
 * journal just begun, or else it will find that journal and give up.)
 */
async function removeTemporaries({ files, file }: FoldOptions): Promise<void> {
  const folder = dirname(file);
  const prefix = `${basename(file)}.`;
  for (const name of await files.list(folder)) {
    if (name.startsWith(prefix) && name.endsWith('.tmp')) await removeFile(files, join(folder, name));
  }
}
