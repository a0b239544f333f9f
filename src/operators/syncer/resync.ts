import type { Archive, Queue } from '../../manifest/queue.ts';
import type { Entry } from '../../model/entry.ts';
import { copyOf, type RemoteCopy } from '../../model/remoteCopy.ts';
import type { Share } from '../../share/share.ts';
import { isFilesOwn, type PlaceImageTools, placeImage } from './placeImage.ts';

export interface ResyncTools extends PlaceImageTools {
  queue: Queue;
  archive: Archive;
}

/** What was found, in images. */
export interface Resynced {
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
export async function resync(tools: ResyncTools, signal: AbortSignal): Promise<Resynced> {
  const resynced: Resynced = { copied: 0, gone: 0 };
  let batch: Copy[] = [];
  const finish = async (): Promise<void> => {
    for (const { entry } of await missing(batch, tools.share, signal)) {
      signal.throwIfAborted();
      try {
        await placeImage(entry, tools, signal);
        resynced.copied++;
      } catch (error) {
        if (signal.aborted || !isFilesOwn(error)) throw error;
        resynced.gone++;
      }
    }
    batch = [];
  };
  for await (const entry of allEntries(tools)) {
    const copy = copyIn(entry);
    if (copy) batch.push({ entry, copy });
    if (batch.length === batchEntries) await finish();
  }
  await finish();
  return resynced;
}

/** Whether the newest images that were copied stand on the share: an earlier state of it has lost those first. */
export async function hasNewestImages({ archive, share }: ResyncTools, signal: AbortSignal): Promise<boolean> {
  const newest = await archive.newestCopied(newestEntries, entry => copyIn(entry) !== null);
  const copies = newest.flatMap(entry => {
    const copy = copyIn(entry);
    return copy ? [{ entry, copy }] : [];
  });
  return (await missing(copies, share, signal)).length === 0;
}

interface Copy {
  entry: Entry;
  copy: RemoteCopy;
}

const copyIn = (entry: Entry): RemoteCopy | null => (entry.image_synced ? copyOf(entry) : null);

/** Those that do not stand on the share in full length. */
async function missing(copies: readonly Copy[], share: Share, signal: AbortSignal): Promise<Copy[]> {
  const paths = copies.map(({ copy }) => copy.path);
  const stats = await share.call('stats', paths, signal);
  return copies.filter(({ copy }, i) => stats[i]?.size !== copy.size);
}

async function* allEntries({ queue, archive }: ResyncTools): AsyncGenerator<Entry> {
  // As they are now: the live ones change while the copies are looked for.
  yield* [...queue.entries()];
  for await (const entry of archive.entries()) if (!queue.get(entry.entry_id)) yield entry;
}
