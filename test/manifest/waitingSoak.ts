import type { Files, OpenFile } from '../../src/files/files.ts';
import { isSettled } from '../../src/manifest/isSettled.ts';
import { Manifest } from '../../src/manifest/manifest.ts';
import type { WorkRules } from '../../src/manifest/workRules.ts';
import type { Entry } from '../../src/model/entry.ts';
import { manifestFile, sampleEntry, sampleOptions } from '../world/sampleManifest.ts';

/** What a tenth of the images has cost, in bytes for each. */
export interface Cost {
  written: number;
  read: number;
}

export interface WaitingSoak {
  /** While the share is away, a tenth of the images each. */
  away: Cost[];
  /** While they are copied. */
  copying: Cost[];
  /** Live entries at most. */
  maxLive: number;
  /** Ids in the order in which they were copied. */
  copied: number;
  inOrder: boolean;
  /** Waiting in the end. */
  left: number;
}

const rules: WorkRules = { compression: false, sync: true };

/**
 * Images come while the share is away, and wait for nothing else; then the share is back, and all are copied.
 *
 * @param file of the manifest. @param each is called after each batch.
 */
export async function waitingSoak(
  files: Files,
  {
    count,
    batch = 10,
    liveEntries,
    file = manifestFile,
    each = async () => undefined,
  }: {
    count: number;
    /** Images of one moment. */
    batch?: number;
    liveEntries: number;
    file?: string;
    each?: () => Promise<void> | void;
  },
): Promise<WaitingSoak> {
  const cost: Cost = { written: 0, read: 0 };
  const open = (): Promise<Manifest> =>
    Manifest.open(
      sampleOptions(counted(files, cost), {
        file,
        liveEntries,
        rules: () => rules,
        isSettled: entry => isSettled(entry, rules),
      }),
    );
  const tenths = (): { take: (done: number) => void; costs: Cost[] } => {
    const costs: Cost[] = [];
    let before = { ...cost };
    return {
      costs,
      take: done => {
        if (done % (count / 10) !== 0) return;
        costs.push({
          written: ((cost.written - before.written) * 10) / count,
          read: ((cost.read - before.read) * 10) / count,
        });
        before = { ...cost };
      },
    };
  };
  const first = await open();
  const away = tenths();
  let maxLive = 0;
  for (let at = 0; at < count; at += batch) {
    await first.offer(Array.from({ length: batch }, (_, i) => waits(`e${at + i}`)));
    maxLive = Math.max(maxLive, first.size);
    await each();
    away.take(at + batch);
  }
  await first.close({ compact: true });
  const manifest = await open();
  const copying = tenths();
  let copied = 0;
  let inOrder = true;
  for (;;) {
    const entries = await manifest.claim('syncer', batch);
    if (entries.length === 0) break;
    for (const [i, entry] of entries.entries()) inOrder &&= entry.entry_id === `e${copied + i}`;
    await Promise.all(
      entries.map(entry =>
        manifest.settle([entry], 'syncer', {
          image_synced: true,
          remote_copy: { path: `data/${entry.camera_data!.filename}`, size: 1, sha256: 'a'.repeat(64) },
        }),
      ),
    );
    copied += entries.length;
    maxLive = Math.max(maxLive, manifest.size);
    await each();
    copying.take(copied);
  }
  const left = manifest.waiting('syncer');
  await manifest.close({ compact: true });
  return { away: away.costs, copying: copying.costs, maxLive, copied, inOrder, left };
}

const waits = (id: string): Entry => sampleEntry(id, { processing_status: 'processed', data_transmitted: true });

/** The same files, and how many bytes go to them and come from them. */
function counted(files: Files, cost: Cost): Files {
  const open = async (opening: Promise<OpenFile>): Promise<OpenFile> => {
    const file = await opening;
    return {
      write: async (data, position) => {
        cost.written += data.length;
        return file.write(data, position);
      },
      read: async (into, position) => {
        const length = await file.read(into, position);
        cost.read += length;
        return length;
      },
      size: () => file.size(),
      truncate: length => file.truncate(length),
      sync: () => file.sync(),
      close: () => file.close(),
    };
  };
  return new Proxy(files, {
    get(target, key) {
      if (key === 'open') return (...args: Parameters<Files['open']>) => open(target.open(...args));
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}
