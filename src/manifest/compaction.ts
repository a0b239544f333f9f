import { basename, dirname, join } from 'node:path';
import { removeFile } from '../files/durableNames.ts';
import type { Exclusive } from '../files/fileLock.ts';
import type { FileStat } from '../files/files.ts';
import type { Entry } from '../model/entry.ts';
import { entriesPerSegment, writeSegment } from './archive.ts';
import type { Change } from './change.ts';
import type { EntryReader, EntryReaderOptions } from './entryReader.ts';
import { findHandEdits, takeEdits } from './handEdits.ts';
import { journalPath, listJournals } from './journal.ts';
import type { JournalRecord } from './journalLine.ts';
import type { JournalTail } from './journalTail.ts';
import { keepCopy } from './keepCopy.ts';
import { type PreparedSnapshot, prepareSnapshot } from './snapshot.ts';
import { type Prepared, prepareAll, type Request } from './transaction.ts';

/** Part of `liveEntries` that stays when there are too many: archiving one at a time would compact each time. */
const remainingShare = 0.75;
/** A file that is saved by hand again and again is replaced all the same; its edits count as long as they can be read. */
const maxBeginnings = 3;

export interface CompactionOptions extends EntryReaderOptions {
  /** Entries that stay live although they are settled, or wait for nothing but their copy on the share; older ones are archived. */
  liveEntries: number;
  /** Archive none that wait. */
  settledOnly?: boolean;
}

export interface Compaction {
  options: CompactionOptions;
  reader: EntryReader;
  tail: JournalTail;
  /** Gives each line its own mark. */
  mark: () => string;
  /** Runs a step under the manifest's lock; one that does nothing where the lock is held from beginning to end. */
  locked: Exclusive;
  /** Asked under the lock, at the end of the journals: whether there is still a reason. */
  isWanted: () => boolean;
  /** The journal that failed to sync, until a snapshot holds what it says: nothing more is written to it. 0: none did. */
  suspect: () => number;
  /** Ends it before the snapshot stands. */
  signal?: AbortSignal;
}

export interface Compacted {
  /** Entries that went to the archive. */
  archived: number;
  /** Where the changes begin that the snapshot does not have; null: no snapshot was published. */
  at: { number: number; offset: number } | null;
}

/** A journal was begun: its changes are those that the snapshot will not have. */
interface Begun {
  number: number;
  offset: number;
  entries: readonly Entry[];
  isOurs: boolean;
}

/**
 * Archives what need not be live, writes the snapshot and begins the next journal. Changes go on meanwhile: the lock is held
 * for short steps, and not while the snapshot is written.
 *
 * 1. Locked: hand edits and archived entries into the journal, a segment at a time → the next journal, which seals this one. The
 *    snapshot is of the state at this place.
 * 2. The snapshot under a temporary name, durable.
 * 3. Locked: its mark in the journal that was begun → rename → removal of journals that no reader needs.
 *
 * A crash anywhere leaves what the next start reads to the same state. Where another process has begun a later journal before
 * step 3, that one's snapshot will have everything, and this one gives up. An edit that somebody saved meanwhile is read first: it
 * begins again.
 */
export async function compact(compaction: Compaction): Promise<Compacted> {
  const { locked } = compaction;
  let archived = 0;
  for (let beginning = 1; ; beginning++) {
    const mayBeginAgain = beginning < maxBeginnings;
    let begun: Begun | null = null;
    let end: Compacted['at'] | 'again' | undefined;
    for (let toArchive: number | null = null; ; ) {
      const step: Step = await locked(async () => {
        const step = await begin(compaction, toArchive);
        // Others build on another snapshot: nothing of theirs may come between.
        if (step.begun && !step.begun.isOurs) end = await write(compaction, step.begun, unlocked, mayBeginAgain);
        return step;
      });
      archived += step.archived;
      begun = step.begun;
      if (step.toArchive === 0) break;
      toArchive = step.toArchive;
    }
    if (begun === null) return { archived, at: null };
    end ??= begun.isOurs ? await write(compaction, begun, locked, mayBeginAgain) : null;
    if (end !== 'again') return { archived, at: end };
  }
}

/** For who holds the lock already. */
export const unlocked: Exclusive = work => work();

/** Writes the snapshot, and publishes it under the lock. */
async function write(
  compaction: Compaction,
  begun: Begun,
  locked: Exclusive,
  mayBeginAgain: boolean,
): Promise<Compacted['at'] | 'again'> {
  const { files, file } = compaction.options;
  const snapshot = await prepareSnapshot(files, file, begun.entries, compaction.signal);
  try {
    return await locked(() => publish(compaction, begun, snapshot, mayBeginAgain));
  } catch (error) {
    await snapshot.discard();
    throw error;
  }
}

interface Step {
  archived: number;
  /** Entries that are still to be archived before the journal begins. */
  toArchive: number;
  begun: Begun | null;
}

/** Under the lock. @param toArchive null at first. */
async function begin(
  { isWanted, suspect, signal, ...compaction }: Compaction,
  toArchive: number | null,
): Promise<Step> {
  const { options, reader, tail } = compaction;
  await tail.becomeCurrent();
  signal?.throwIfAborted();
  if (toArchive === null && !isWanted()) return { archived: 0, toArchive: 0, begun: null };
  let archived = 0;
  if (suspect() === 0) {
    if (toArchive === null) await takeHandEdits(compaction);
    const left = toArchive ?? surplus(compaction);
    archived = await archiveOldest(compaction, Math.min(left, entriesPerSegment));
    if (archived > 0 && archived < left) return { archived, toArchive: left - archived, begun: null };
  }
  // What others have done meanwhile may have made it read everything anew.
  await tail.beginNext();
  await removeTemporaries(options);
  const { number, offset } = reader.position;
  const entries = [...reader.live.entries()];
  return { archived, toArchive: 0, begun: { number, offset, entries, isOurs: reader.snapshotIsOurs } };
}

/** Under the lock. `again`: the file was changed by hand meanwhile, or the journal that was begun failed to sync. */
async function publish(
  { options, reader, tail, suspect, signal }: Compaction,
  { number, offset, isOurs }: Begun,
  snapshot: PreparedSnapshot,
  mayBeginAgain: boolean,
): Promise<Compacted['at'] | 'again'> {
  const { files, file } = options;
  await tail.becomeCurrent();
  signal?.throwIfAborted();
  if (reader.position.number !== number) {
    await snapshot.discard();
    return null;
  }
  const isSuspect = suspect() === number;
  if (isSuspect && !mayBeginAgain) throw new Error(`${journalPath(file, number)} could not be made durable`);
  if (isSuspect || (mayBeginAgain && !isSame(await files.stat(file), reader.snapshotStat))) {
    await snapshot.discard();
    return 'again';
  }
  const before = reader.position.offset;
  await mustBeClean(options, tail, [{ snapshot: snapshot.mark, ...(!isOurs && { anew: true as const }) }]);
  reader.published(snapshot.mark);
  const markLength = reader.position.offset - before;
  await snapshot.place();
  reader.sawSnapshot(await files.stat(file));
  // The journal sealed by this one stays until the next compaction: other processes are still reading in it.
  for (const old of await listJournals(files, file))
    if (old < number - 1) await removeFile(files, journalPath(file, old));
  return { number, offset: offset + markLength };
}

function isSame(one: FileStat | null, other: FileStat | null): boolean {
  return one?.ino === other?.ino && one?.mtimeMs === other?.mtimeMs && one?.size === other?.size;
}

async function mustBeClean(
  { file }: CompactionOptions,
  tail: JournalTail,
  records: readonly JournalRecord[],
): Promise<void> {
  const outcome = await tail.append(records);
  if (!outcome.clean) throw outcome.error ?? new Error(`another process wrote to ${file} at the same time`);
}

/** The snapshot is about to be replaced: what a hand has changed in it, and no event has told of yet, counts all the same. */
async function takeHandEdits({
  options,
  reader,
  tail,
  mark,
}: Pick<Compaction, 'options' | 'reader' | 'tail' | 'mark'>): Promise<void> {
  const { edits, found } = await findHandEdits(options, reader, () => tail.read());
  if (found === 'stale' || reader.isSnapshotBroken) await keepEdits(options);
  if (edits.length === 0) return;
  const request: Request = {
    prepare: draft => takeEdits(edits, draft),
    resolve: () => undefined,
    reject: error => {
      throw error;
    },
    attempts: 0,
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
  for (const line of lines) tail.announceChange(line);
}

async function keepEdits({ files, file, note }: CompactionOptions): Promise<void> {
  const copy = await keepCopy(files, file);
  if (copy)
    note('warning', `${file} is replaced; what stood there, with the edits that are not taken, is kept as ${copy}`);
}

/** How many entries are to leave the live manifest. */
function surplus({
  reader: { live },
  options: { liveEntries, settledOnly },
}: Pick<Compaction, 'reader' | 'options'>): number {
  const idle = live.settled + (settledOnly ? 0 : live.awaitingCopy);
  return idle <= liveEntries ? 0 : idle - Math.floor(liveEntries * remainingShare);
}

/** Segment durable, then its mark, then `archive` lines, then (by the caller) the snapshot without the entries. Resolves with how many. */
async function archiveOldest(
  { options, reader: { live }, tail, mark }: Pick<Compaction, 'options' | 'reader' | 'tail' | 'mark'>,
  count: number,
): Promise<number> {
  const { files, file, settledOnly = false } = options;
  const entries = [...live.oldestIdle(count, { settledOnly })];
  if (entries.length === 0) return 0;
  await writeSegment(files, file, entries, entries.filter(entry => live.awaitsCopy(entry)).length);
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
    tail.announceChange(line);
  }
  return entries.length;
}

/**
 * What a compaction that was cut short, or is overtaken by this one, has left. Its process may only be suspended, its lock stolen: without its
 * temporary file it can't put its older snapshot over the one that comes now. (It made that file before its mark, and its mark before the
 * journal just begun, or else it will find that journal and give up.)
 */
async function removeTemporaries({ files, file }: CompactionOptions): Promise<void> {
  const folder = dirname(file);
  const prefix = `${basename(file)}.`;
  for (const name of await files.list(folder)) {
    if (name.startsWith(prefix) && name.endsWith('.tmp')) await removeFile(files, join(folder, name));
  }
}
