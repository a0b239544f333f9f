import { isDeepStrictEqual } from 'node:util';
import type { Entry } from '../model/entry.ts';
import type { EntryReader, EntryReaderOptions } from './entryReader.ts';
import { readSnapshot } from './snapshot.ts';

/** Fields that are ours alone: a hand that changes them means something else. */
const untouchable: ReadonlySet<string> = new Set(['entry_id', 'rev', 'claims']);

export interface HandEdit {
  id: string;
  /** The entry is new; else only the fields in `set` change. */
  add: boolean;
  set: Partial<Entry>;
}

export interface HandEdits {
  edits: HandEdit[];
  /** The file can't be read as a whole: none of its edits is taken. */
  broken: boolean;
}

const none: HandEdits = { edits: [], broken: false };

/**
 * What somebody has changed in the `.json` since we published it. Nothing when the file on the disk is one that a fold
 * wrote, by any process. Only fields that differ from what we published count; what is missing deletes nothing; entries of
 * an older copy of the file are left alone and reported.
 *
 * @param catchUp reads on in the journals, where the mark of a snapshot stands before the snapshot itself.
 */
export async function findHandEdits(
  { files, file, note }: EntryReaderOptions,
  reader: EntryReader,
  catchUp: () => Promise<unknown>,
): Promise<HandEdits> {
  const stat = await files.stat(file);
  const seen = reader.snapshotStat;
  if (!stat || (seen && stat.ino === seen.ino && stat.mtimeMs === seen.mtimeMs && stat.size === seen.size)) return none;
  const entries: Entry[] = [];
  const snapshot = await readSnapshot(files, file, entry => {
    entries.push(entry);
  });
  // An editor that writes in place may not have finished: the next event comes when it has.
  if (snapshot.size !== stat.size) return none;
  await catchUp();
  reader.sawSnapshot(stat);
  if (reader.isKnown(snapshot)) return none;
  if (snapshot.problems.length) {
    note(
      'error',
      `${file} was edited and can't be read: ${snapshot.problems[0]}. The edit is not taken; mend it and save again.`,
    );
    return { edits: [], broken: true };
  }
  const edits: HandEdit[] = [];
  let stale = 0;
  for (const entry of entries) {
    const published = reader.live.published(entry.entry_id);
    if (!published) {
      if (entry.rev === 0) edits.push({ id: entry.entry_id, add: true, set: entry });
      else stale++;
    } else if (published.rev !== entry.rev) stale++;
    else {
      const fields = Object.keys(entry).filter(
        key => !untouchable.has(key) && !isDeepStrictEqual(entry[key], published[key]),
      );
      if (fields.length) {
        edits.push({ id: entry.entry_id, add: false, set: Object.fromEntries(fields.map(key => [key, entry[key]])) });
      }
    }
  }
  note('info', `${file} was edited by hand: ${edits.length} entries are changed or new`);
  if (stale)
    note('warning', `${file}: ${stale} entries are from an older copy of the file; edits to them are not taken`);
  return { edits, broken: false };
}
