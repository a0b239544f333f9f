import { readSegment } from '../manifest/archive.ts';
import type { Manifest, ManifestOptions } from '../manifest/manifest.ts';
import { readEntries } from '../manifest/readEntries.ts';
import type { Entry } from '../model/entry.ts';
import type { Selection } from './requeueSelection.ts';

/** Changes that are made durable together. */
const batchEntries = 1_000;

/**
 * Sets the entries of a selection back, or aside. Those that went from the live manifest to the archive since they were chosen are
 * looked for there, once. Whoever calls it holds the lock of all that bring entries back from the archive.
 *
 * @param options with which the manifest was opened.
 * @returns how many were changed. Rejects with the errors of the manifest; what was changed until then stays so.
 */
export async function requeueGroups(
  groups: Selection['groups'],
  target: 'pending' | 'skip',
  manifest: Manifest,
  options: ManifestOptions,
): Promise<number> {
  let changed = 0;
  const setBack = async (entries: readonly Entry[], restore: boolean): Promise<void> => {
    for (let at = 0; at < entries.length; at += batchEntries) {
      changed += (await manifest.requeue(entries.slice(at, at + batchEntries), target, { restore })).length;
    }
  };
  for (const { segment, ids } of groups) {
    if (segment === null) {
      const live = [...ids].flatMap(id => manifest.get(id) ?? []);
      const isLive = new Set(live.map(entry => entry.entry_id));
      await setBack(live, false);
      await setBack(await archived(new Set([...ids].filter(id => !isLive.has(id))), options), true);
    } else {
      const entries = await readSegment(options.files, options.file, segment);
      await setBack(
        entries.filter(({ entry_id: id }) => ids.has(id)),
        true,
      );
    }
  }
  return changed;
}

/** Entries as the archive has them now. */
async function archived(ids: ReadonlySet<string>, options: ManifestOptions): Promise<Entry[]> {
  const found: Entry[] = [];
  if (ids.size === 0) return found;
  for await (const { segment, entries } of readEntries(options)) {
    if (segment === null) continue;
    for (const entry of entries) if (ids.has(entry.entry_id)) found.push(entry);
    // They went to the newest segments.
    if (found.length === ids.size) break;
  }
  return found;
}
