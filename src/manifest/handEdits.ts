import { isDeepStrictEqual } from 'node:util';
import type { Entry } from '../model/entry.ts';
import { counted } from '../model/quantity.ts';
import type { EntryReader, EntryReaderOptions } from './entryReader.ts';
import { readSnapshot } from './snapshot.ts';
import type { Draft } from './transaction.ts';

/** Fields that are ours alone: a hand that changes them means something else. */
const protectedKeys: ReadonlySet<string> = new Set(['entry_id', 'rev', 'attempt', 'claims']);

export interface HandEdit {
  id: string;
  /** The entry is new; else only the fields in `set` change. */
  add: boolean;
  set: Partial<Entry>;
}

export interface HandEdits {
  edits: HandEdit[];
  /**
   * `stale`: entries of an older copy of the file, and `broken`: a file that can't be read as a whole, are not taken. Unless
   * `nothing` was found, the file is no longer what the journals build on, and is to be replaced soon.
   */
  found: 'nothing' | 'edited' | 'stale' | 'broken';
}

const nothing: HandEdits = { edits: [], found: 'nothing' };

/**
 * What somebody has changed in the `.json` since we published it. Nothing when the file on the disk is one that a compaction
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
  if (!stat || (seen && stat.ino === seen.ino && stat.mtimeMs === seen.mtimeMs && stat.size === seen.size))
    return nothing;
  const entries: Entry[] = [];
  const snapshot = await readSnapshot(files, file, entry => {
    entries.push(entry);
  });
  // An editor that writes in place may not have finished: the next event comes when it has.
  if (snapshot.size !== stat.size) return nothing;
  await catchUp();
  reader.sawSnapshot(stat);
  if (reader.isKnown(snapshot)) return nothing;
  if (snapshot.problems.length) {
    reader.sawSnapshot(stat, { isBroken: true });
    note(
      'error',
      `${file} was edited and can't be read: ${snapshot.problems[0]}. The edit is not taken; mend it and save again.`,
    );
    return { edits: [], found: 'broken' };
  }
  const edits: HandEdit[] = [];
  let stale = 0;
  for (const entry of entries) {
    const { entry_id: id, rev } = entry;
    const published = reader.live.published(id);
    if (!published && rev === 0) edits.push({ id, add: true, set: entry });
    else if (published?.rev === rev) {
      const set = difference(entry, published);
      if (set) edits.push({ id, add: false, set });
    } else if (!published || difference(entry, reader.live.get(id)!)) stale++;
  }
  note('info', `${file} was edited by hand: ${counted(edits.length, 'entry is', 'entries are')} changed or new`);
  if (stale)
    note(
      'warning',
      `${file}: ${counted(stale, 'entry is', 'entries are')} from an older copy of the file; edits to them are not taken`,
    );
  return { edits, found: stale > 0 ? 'stale' : 'edited' };
}

/** Makes the edits changes of their own. What another process has made a change already stays as it is. */
export function takeEdits(edits: readonly HandEdit[], draft: Draft): void {
  for (const { id, add, set } of edits) {
    const entry = draft.live.get(id);
    if (add && !entry) draft.change(id, 'add', set);
    if (add || !entry) continue;
    const left = difference(set, entry);
    if (left) draft.change(id, 'edit', left);
  }
}

/** The fields of one that are not so in the other, but for ours; null when there are none. */
function difference(one: Partial<Entry>, other: Entry): Partial<Entry> | null {
  const fields = Object.entries(one).filter(
    ([key, value]) => !protectedKeys.has(key) && !isDeepStrictEqual(value, other[key]),
  );
  return fields.length > 0 ? Object.fromEntries(fields) : null;
}
