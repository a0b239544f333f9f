import type { Entry } from '../model/entry.ts';
import { entriesPerSegment, writeSegment } from './archive.ts';
import { type EntryReaderOptions, mustBeWhole } from './entryReader.ts';
import { listJournals } from './journal.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';

/**
 * Makes a long manifest that was never ours (the Python system's, of a million images) short enough to hold: its older
 * settled entries go to archive segments while it is read, then it is replaced by the rest. Memory is bounded by what is
 * not settled. Does nothing where there are journals, or where few enough entries are settled.
 *
 * Runs under the manifest's lock. A crash before the replacement leaves the old file, and segments that the next start
 * writes once more; on duplicates the live entry wins.
 */
export async function importManifest(options: EntryReaderOptions & { liveEntries: number }): Promise<void> {
  const { files, file, isSettled, liveEntries, note } = options;
  if ((await listJournals(files, file)).length > 0) return;
  /** What stays, by place in the order of collection. */
  const kept = new Map<number, Entry>();
  let settled: number[] = [];
  let place = 0;
  let archived = 0;

  async function archiveOldest(): Promise<void> {
    const oldest = settled.slice(0, entriesPerSegment);
    settled = settled.slice(entriesPerSegment);
    await writeSegment(
      files,
      file,
      oldest.map(at => kept.get(at)!),
    );
    for (const at of oldest) kept.delete(at);
    archived += oldest.length;
  }

  const { problems } = await readSnapshot(files, file, entry => {
    kept.set(place, entry);
    if (isSettled(entry)) settled.push(place);
    place++;
    return settled.length >= liveEntries + entriesPerSegment ? archiveOldest() : undefined;
  });
  mustBeWhole(file, problems);
  if (archived === 0) return;
  await writeSnapshot(files, file, kept.values());
  note('info', `${file}: ${archived} settled entries of ${place} were moved to the archive beside it`);
}
