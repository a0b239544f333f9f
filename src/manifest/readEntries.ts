import type { Entry } from '../model/entry.ts';
import { newestArchived } from './archive.ts';
import { EntryReader, type EntryReaderOptions } from './entryReader.ts';
import { IdTable } from './idTable.ts';

/** Entries of one place: an archive segment by its name, or the live manifest (null), in order of collection. */
export interface EntryGroup {
  segment: string | null;
  entries: Iterable<Entry>;
}

/**
 * Reads every entry of an experiment once, live ones first, then the archive from its newest segment back: in the reverse order
 * of their collection but for the order within a group. It takes no lock and writes nothing, so a pipeline may run meanwhile: what
 * moves from the live manifest to the archive then is not missed, and not told twice.
 *
 * @param options `onDamage` is told of changes that are lost from the journals: the entries are then not as they were.
 * @throws DamagedManifestError, ArchiveError, and the file system's errors.
 */
export async function* readEntries(
  options: EntryReaderOptions & { onDamage?: (damage: string) => void },
): AsyncGenerator<EntryGroup> {
  const reader = new EntryReader(options);
  const { reach } = await reader.catchUp();
  for (const damage of reader.damage) options.onDamage?.(damage);
  // A compaction has only begun, or was cut short: what was acknowledged stands in the journal before it.
  if (reach === 'unsealed') await reader.finishJournal(() => undefined);
  const ids = new IdTable();
  for (const { entry_id: id } of reader.live.entries()) ids.add(id);
  yield { segment: null, entries: reader.live.entries() };
  yield* newestArchived(options.files, options.file, ids);
}
