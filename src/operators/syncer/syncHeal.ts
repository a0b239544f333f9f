import type { Files } from '../../files/files.ts';
import type { Manifest } from '../../manifest/manifest.ts';
import type { Entry } from '../../model/entry.ts';
import { copyOf, type RemoteCopy } from '../../model/remoteCopy.ts';
import type { Share } from '../../share/share.ts';
import { isFilesOwn } from './syncError.ts';
import { syncImage } from './syncImage.ts';

export interface Healing {
  manifest: Manifest;
  share: Share;
  files: Files;
  dataFolder: string;
  flagsFolder: string;
  trustWrite: boolean;
  signal: AbortSignal;
}

/** What was found, in images. */
export interface Healed {
  /** Missing on the share, and copied again. */
  copied: number;
  /** Missing on the share, and not here either. */
  gone: number;
}

/** Copies that are looked for in one call. */
const batchEntries = 256;
const newestEntries = 32;

/**
 * Looks for the copy of every image that was copied, archived ones too, and copies again what a stale share has lost and is
 * still here. The entries say already that they are copied, so nothing is claimed. Rejects with the share's failures, and
 * with the reason of `signal`.
 */
export async function syncHeal(healing: Healing): Promise<Healed> {
  const healed: Healed = { copied: 0, gone: 0 };
  let batch: Entry[] = [];
  for await (const entry of allEntries(healing.manifest)) {
    if (!entry.image_synced || !copyOf(entry)) continue;
    batch.push(entry);
    if (batch.length < batchEntries) continue;
    await healBatch(batch, healing, healed);
    batch = [];
  }
  await healBatch(batch, healing, healed);
  return healed;
}

/** Whether the newest images that were copied stand on the share: an earlier state of it has lost those first. */
export async function newestStand({
  manifest,
  share,
  signal,
}: Pick<Healing, 'manifest' | 'share' | 'signal'>): Promise<boolean> {
  let newest: RemoteCopy[] = [];
  for (const entry of manifest.entries()) {
    const copy = entry.image_synced ? copyOf(entry) : null;
    if (!copy) continue;
    newest.push(copy);
    if (newest.length > 2 * newestEntries) newest = newest.slice(-newestEntries);
  }
  newest = newest.slice(-newestEntries);
  const stats = await share.call(
    'stats',
    newest.map(({ path }) => path),
    signal,
  );
  return newest.every(({ size }, i) => stats[i]?.size === size);
}

async function* allEntries(manifest: Manifest): AsyncGenerator<Entry> {
  // As they are now: the live ones change while the copies are looked for.
  yield* [...manifest.entries()];
  for await (const entry of manifest.archived()) if (!manifest.get(entry.entry_id)) yield entry;
}

async function healBatch(batch: readonly Entry[], healing: Healing, healed: Healed): Promise<void> {
  const { share, signal } = healing;
  if (batch.length === 0) return;
  const copies = batch.map(entry => copyOf(entry)!);
  const stats = await share.call(
    'stats',
    copies.map(({ path }) => path),
    signal,
  );
  for (const [i, entry] of batch.entries()) {
    if (stats[i]?.size === copies[i]!.size) continue;
    signal.throwIfAborted();
    try {
      await syncImage(entry, healing, healing, signal);
      healed.copied++;
    } catch (error) {
      if (signal.aborted || !isFilesOwn(error)) throw error;
      healed.gone++;
    }
  }
}
