import { join } from 'node:path';
import { adoptedEntry } from '../manifest/adoptedEntry.ts';
import { Manifest, type ManifestOptions } from '../manifest/manifest.ts';
import { readEntries } from '../manifest/readEntries.ts';
import type { Entry, ProcessIdentity } from '../model/entry.ts';
import { trimTornTail } from '../sinks/appendDurably.ts';
import { removeFile, syncNamed } from '../storage/durableNames.ts';
import type { Exclusive } from '../storage/exclusive.ts';
import { imageOf } from './imageOf.ts';
import type { Inspection } from './inspection.ts';
import { rebuildTable } from './rebuildTable.ts';
import { withoutEntry } from './withoutEntry.ts';

export interface RepairOptions {
  manifest: ManifestOptions;
  /** Lock between the processes that write a file. */
  lock: (path: string) => Exclusive;
  own: ProcessIdentity;
  /** For the table's columns, and the plot. */
  sensors: readonly string[];
  title: string;
  onMended: (message: string) => void;
  /** What can't be mended now, and why. */
  onLeft: (message: string) => void;
}

/** Entries set back, or adopted, in one go. */
const batchEntries = 500;

/**
 * Mends what an inspection has found, as far as that is safe. A manifest of which a part can't be read is rebuilt first, and nothing
 * else done: what else there is, the next inspection finds. Otherwise: torn ends are cut, what dead writers left is removed, images
 * without an entry get one, entries whose result is gone are set back, and the table is written anew. No image and no
 * result is removed. What a living process owns is left to it. Entries are brought back from the archive: whoever calls it holds
 * the lock that `requeue` does.
 *
 * @throws the file system's errors; what was mended until then stays so.
 */
export async function repair(inspection: Inspection, options: RepairOptions): Promise<void> {
  const { repairs, options: given } = inspection;
  const { files, paths } = given;
  const { onMended } = options;
  if (repairs.manifest) {
    const manifest = await Manifest.open({ ...options.manifest, isSuspect: true });
    await manifest.close({ fold: true });
    onMended(`${paths.manifestFile}: is rebuilt from all that is still known`);
    return;
  }
  for (const path of repairs.torn) {
    const isResults = path.endsWith('.jsonl');
    const lockPath = join(paths.results, isResults ? 'processing_results' : 'communicating_results');
    await options.lock(lockPath)(() => trimTornTail(files, path));
    onMended(`${path}: the torn line at its end is cut off`);
  }
  for (const path of repairs.temporaries) {
    await removeFile(files, path);
    onMended(`${path}: removed`);
  }
  if (repairs.orphans.length > 0 || repairs.again.size > 0) await mendManifest(inspection, options);
  if (repairs.table) await rebuildTable(inspection, options);
}

async function mendManifest({ repairs, options: given }: Inspection, options: RepairOptions): Promise<void> {
  const { onMended, onLeft } = options;
  const manifest = await Manifest.open(options.manifest);
  try {
    const without = repairs.orphans.length > 0 ? await withoutEntry(repairs.orphans, given) : [];
    for (let at = 0; at < without.length; at += batchEntries) {
      const orphans = without.slice(at, at + batchEntries);
      for (const path of orphans) await syncNamed(given.files, path);
      await manifest.offer(orphans.map(path => adoptedEntry(path, given.now())));
      for (const path of orphans) onMended(`${path}: has an entry now, and waits for its analysis`);
    }
    if (repairs.again.size === 0) return;
    for await (const { segment, entries } of readEntries(options.manifest)) {
      let batch: Entry[] = [];
      const setBack = async (): Promise<void> => {
        const changed = new Set(await manifest.requeue(batch, 'pending', { restore: segment !== null }));
        for (const entry of changed) onMended(`${entry.entry_id}: is set back, and waits for its analysis`);
        if (changed.size < batch.length) onLeft(`${batch.length - changed.size} entries that are in work`);
        batch = [];
      };
      for (const entry of entries) {
        if (!repairs.again.has(entry.entry_id)) continue;
        if (!(await imageOf(entry, given))) {
          onLeft(`${entry.entry_id}: its image is not there, so it can't be analysed again`);
          continue;
        }
        batch.push(entry);
        if (batch.length === batchEntries) await setBack();
      }
      if (batch.length > 0) await setBack();
    }
  } finally {
    await manifest.close({ fold: true });
  }
}
