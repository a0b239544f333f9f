import { join } from 'node:path';
import { trimTornTail } from '../files/appendDurably.ts';
import { removeFile, syncNamed } from '../files/durableNames.ts';
import { Manifest } from '../manifest/manifest.ts';
import { readEntries } from '../manifest/readEntries.ts';
import { isRemoved } from '../manifest/workRules.ts';
import type { Entry } from '../model/entry.ts';
import { counted } from '../model/quantity.ts';
import { isResultLine } from '../sinks/results/resultsLog.ts';
import { withoutEntry } from './imageNames.ts';
import { imageOf } from './imageOf.ts';
import type { Inspection, RepairOptions } from './inspection.ts';
import { rebuildReports } from './rebuildReports.ts';

/** Entries set back, or recovered, in one go. */
const batchEntries = 500;

/**
 * Mends what an inspection has found, as far as that is safe. A manifest of which a part can't be read is rebuilt first, and nothing
 * else done: what else there is, the next inspection finds. Otherwise: torn ends are cut, what dead writers left is removed, images
 * without an entry get one, entries whose result is gone are set back, and table and series are written anew. No image and no
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
    await manifest.close({ compact: true });
    onMended(`${paths.manifestFile}: is rebuilt from all that is still known`);
    return;
  }
  for (const path of repairs.torn) {
    const isResults = path.endsWith('.jsonl');
    const lockPath = join(paths.results, isResults ? 'processing_results' : 'communicating_results');
    await options.lock(lockPath)(() => trimTornTail(files, path, isResults ? isResultLine : undefined));
    onMended(`${path}: ends with a whole line again`);
  }
  for (const path of repairs.temporaries) {
    await removeFile(files, path);
    onMended(`${path}: removed`);
  }
  if (repairs.orphans.length > 0 || repairs.lost.size > 0 || repairs.again.size > 0 || repairs.moved.size > 0)
    await mendManifest(inspection, options);
  if (repairs.table || repairs.series) await rebuildReports(inspection, options);
}

async function mendManifest(inspection: Inspection, options: RepairOptions): Promise<void> {
  const { repairs } = inspection;
  const manifest = await Manifest.open(options.manifest);
  try {
    if (repairs.orphans.length > 0 || repairs.lost.size > 0) await addOrphans(manifest, inspection, options);
    if (repairs.again.size > 0) await setBack(manifest, inspection, options);
    if (repairs.moved.size > 0) await relocate(manifest, inspection, options);
  } finally {
    await manifest.close({ compact: true });
  }
}

async function addOrphans(
  manifest: Manifest,
  { repairs, options: given }: Inspection,
  { onMended }: RepairOptions,
): Promise<void> {
  const orphans = repairs.orphans.length > 0 ? (await withoutEntry(repairs.orphans, given)).left : [];
  for (const path of orphans) await syncNamed(given.files, path);
  for (const { recovered, ...entry } of await manifest.addOrphans(orphans, repairs.lost)) {
    const { filename, filepath } = entry.camera_data!;
    onMended(
      recovered === undefined
        ? `${join(filepath, filename)}: has an entry now, and waits for its analysis`
        : `${entry.entry_id}: has its entry back from its result line (${filename}, ${entry.processing_status}); nothing is analysed again`,
    );
  }
}

async function setBack(
  manifest: Manifest,
  { repairs, options: given }: Inspection,
  options: RepairOptions,
): Promise<void> {
  const { onMended, onLeft } = options;
  await inBatches(
    options,
    entry => repairs.again.has(entry.entry_id),
    async (batch, restore) => {
      const there: Entry[] = [];
      for (const entry of batch) {
        if (!isRemoved(entry) && (await imageOf(entry, given))) there.push(entry);
        else onLeft(`${entry.entry_id}: its image is not there, so it can't be analysed again`);
      }
      const changed = await manifest.requeue(there, 'pending', { restore });
      for (const entry of changed) onMended(`${entry.entry_id}: is set back, and waits for its analysis`);
      if (changed.length < there.length)
        onLeft(`${counted(there.length - changed.length, 'entry that is', 'entries that are')} in work`);
    },
  );
}

async function relocate(
  manifest: Manifest,
  { repairs, options: given }: Inspection,
  options: RepairOptions,
): Promise<void> {
  let mended = 0;
  let left = 0;
  await inBatches(
    options,
    entry => repairs.moved.has(entry.entry_id),
    async (batch, restore) => {
      const moved = batch.map(entry => ({ entry, result: repairs.moved.get(entry.entry_id)! }));
      const changed = await manifest.relocate(moved, { restore });
      mended += changed.length;
      left += batch.length - changed.length;
    },
  );
  if (mended > 0)
    options.onMended(
      `${given.paths.manifestFile}: knows again where the results of ${counted(mended, 'image')} stand; none is analysed again`,
    );
  if (left > 0) options.onLeft(`${counted(left, 'entry that is', 'entries that are')} in work`);
}

/** Hands on the entries that are chosen, some at a time. */
async function inBatches(
  { manifest }: RepairOptions,
  isChosen: (entry: Entry) => boolean,
  act: (batch: readonly Entry[], restore: boolean) => Promise<void>,
): Promise<void> {
  for await (const { segment, entries } of readEntries(manifest)) {
    let batch: Entry[] = [];
    for (const entry of entries) {
      if (!isChosen(entry)) continue;
      batch.push(entry);
      if (batch.length < batchEntries) continue;
      await act(batch, segment !== null);
      batch = [];
    }
    if (batch.length > 0) await act(batch, segment !== null);
  }
}
