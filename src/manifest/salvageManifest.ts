import type { Files } from '../files/files.ts';
import { readChunks } from '../files/readChunks.ts';
import { splitLines } from '../files/splitLines.ts';
import type { Entry } from '../model/entry.ts';
import type { Change } from './change.ts';
import { journalPath, listJournals, readHeader, readJournal } from './journal.ts';
import { isHeader, isSnapshotMark } from './journalLine.ts';
import { normaliseEntry } from './normaliseEntry.ts';
import { readSnapshot } from './snapshot.ts';

/** What a damaged snapshot and its journals still say. */
export interface Salvaged {
  /** Entries that are whole, by id, in order of collection. */
  entries: Map<string, Entry>;
  /** Fields that journals give to entries which stand nowhere as a whole, by id; `rev` is that of the newest change. */
  fragments: Map<string, Partial<Entry> & { rev: number }>;
}

/**
 * Reads what can be read: each whole entry of the snapshot, wherever the damage is, and each whole line of the journals. Where lines
 * are lost, the later ones count all the same: an entry is then as its newest line says.
 *
 * @throws JournalFormatError, and the file system's errors.
 */
export async function salvageManifest(files: Files, file: string): Promise<Salvaged> {
  const salvaged: Salvaged = { entries: new Map(), fragments: new Map() };
  if (await files.stat(file)) await salvageSnapshot(files, file, salvaged.entries);
  const numbers = await listJournals(files, file);
  for (const number of numbers) {
    const next = numbers.includes(number + 1) ? await readHeader(files, journalPath(file, number + 1)) : null;
    const to = next?.sealed?.number === number ? next.sealed.length : undefined;
    await readJournal(files, journalPath(file, number), { to }, record => {
      if (!isHeader(record) && !isSnapshotMark(record)) take(salvaged, record);
    });
  }
  return salvaged;
}

async function salvageSnapshot(files: Files, file: string, entries: Map<string, Entry>): Promise<void> {
  const add = (entry: Entry): void => {
    if (!entries.has(entry.entry_id)) entries.set(entry.entry_id, entry);
  };
  // Up to the damage, in any form; then line by line, as a compaction writes it.
  await readSnapshot(files, file, add);
  for await (const { bytes } of splitLines(readChunks(files, file))) {
    const entry = bytes && entryOf(bytes.toString());
    if (entry) add(entry);
  }
}

function entryOf(line: string): Entry | null {
  try {
    const value = JSON.parse(line.replace(/^\s*\[?/, '').replace(/[,\]\s]*$/, '')) as Record<string, unknown> | null;
    // One without an id stands in a file that is not ours: it has been read in its own form.
    const entry = typeof value?.entry_id === 'string' ? normaliseEntry(value) : null;
    return typeof entry === 'string' ? null : entry;
  } catch {
    // Damaged, or the bracket of the array.
    return null;
  }
}

function take({ entries, fragments }: Salvaged, { id, rev, op, set }: Change): void {
  const entry = entries.get(id);
  const begins = op === 'add' || op === 'restore';
  if (entry && (begins || rev <= entry.rev)) return;
  if (op === 'archive') {
    entries.delete(id);
    fragments.delete(id);
  } else if (entry || begins) entries.set(id, { ...entry, ...(set as Entry), entry_id: id, rev });
  else fragments.set(id, { ...fragments.get(id), ...set, rev });
}
