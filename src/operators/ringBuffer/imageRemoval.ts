import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Hold, hold, nothingHeld } from '../../files/durableNames.ts';
import { findImage, ImagePathError, imageFolder, localFolder, StrangeImageError } from '../../image/findImage.ts';
import type { Queue } from '../../manifest/queue.ts';
import type { CameraData, Entry } from '../../model/entry.ts';
import { copyOf } from '../../model/remoteCopy.ts';
import type { Experiment } from '../stage/experiment.ts';
import type { Outcome } from '../stage/stage.ts';

/** An image that is gone from this machine, and what its entry has to say of it. */
export interface Removal {
  entry: Entry;
  /** Null: it was gone already. */
  path: string | null;
  bytes: number;
  /** Ends what keeps its place from others until its folder is synced. */
  release: Hold;
  /** Without a copy on the share it would have had to stay. */
  copyRequired: boolean;
}

/** A batch in flight. */
export interface RemovalWork {
  /** Entries whose claim this has ended, or will end: they are not to be released. */
  kept: Set<Entry>;
  /** Never rejects. */
  over: Promise<unknown>;
}

export interface RemovalFolders {
  /** `data_dir`. Nothing outside is ever removed. */
  dataFolder: string;
  /** `brightfield_dir`. */
  brightfieldFolder: string;
  /** `remote_root_dir`, below which entries say that their copies are. */
  remoteRoot: string;
}

const isUncopied = Symbol('an image that must be copied first: its entry only says that it was');

const kept = Symbol('an image that is not looked for any further');

/**
 * Removes images of claimed entries: files removed, then their folders synced, then entries settled. What a crash leaves between is
 * known by its claim; see `settleOrphans`.
 */
export class ImageRemoval {
  readonly #settings: RemovalFolders;
  readonly #unrecorded: Map<string, Removal>;
  readonly #deps: Pick<Experiment, 'queue' | 'files'>;

  /** @param unrecorded removed, and the manifest could not be told; by entry. It outlives this. */
  constructor(settings: RemovalFolders, unrecorded: Map<string, Removal>, deps: Pick<Experiment, 'queue' | 'files'>) {
    this.#settings = settings;
    this.#unrecorded = unrecorded;
    this.#deps = deps;
  }

  /** Removes the images of a batch that may still go, and settles their entries; the rest is released. */
  async removeAll(batch: readonly Entry[], work: RemovalWork, signal: AbortSignal): Promise<Outcome[]> {
    const { queue } = this.#deps;
    const removals: Removal[] = [];
    const spared: Entry[] = [];
    const uncopied: Entry[] = [];
    try {
      for (const entry of batch) {
        if (signal.aborted) break;
        const removal = await this.#remove(entry);
        if (removal === isUncopied) uncopied.push(entry);
        else if (removal) {
          removals.push(removal);
          work.kept.add(entry);
        } else spared.push(entry);
      }
    } finally {
      // Whatever stopped it: what is gone must be said to be gone.
      for (const removal of removals) this.#unrecorded.set(removal.entry.entry_id, removal);
      await this.#settle(removals);
    }
    if (signal.aborted) return [];
    if (spared.length > 0) await queue.release(spared, 'ring_buffer');
    if (uncopied.length > 0) await queue.release(uncopied, 'ring_buffer', { image_synced: false });
    for (const entry of [...spared, ...uncopied]) work.kept.add(entry);
    return [
      ...removals.map<Outcome>(({ entry, path, bytes }) => ({
        kind: 'done',
        entryId: entry.entry_id,
        detail: { image: entry.camera_data!.filename, bytes, ...(path === null && { found: 'gone already' }) },
      })),
      ...spared.map<Outcome>(({ entry_id: entryId }) => ({
        kind: 'discarded',
        entryId,
        reason: 'kept: it was changed meanwhile and may not be removed any more, or a link stands where it belongs',
      })),
      ...uncopied.map<Outcome>(({ entry_id: entryId }) => ({
        kind: 'discarded',
        entryId,
        reason:
          'kept: the entry says that the image was copied, but names no copy on the share; the image is copied first',
      })),
    ];
  }

  /** Tells the manifest of what it could not be told before. */
  settleUnrecorded(): Promise<void> {
    return this.#settle([...this.#unrecorded.values()]);
  }

  /** Claims of processes that are gone: where the image is gone too that is settled, else the claim ends and nothing was done. */
  async settleOrphans(): Promise<void> {
    const { queue } = this.#deps;
    const removals: Removal[] = [];
    const untouched: Entry[] = [];
    for (const entry of queue.orphans('ring_buffer')) {
      // Under which rules it went is not known; it was claimed, so one without a copy needed none.
      if (entry.camera_data && (await this.#find(entry).catch(keepStrange)) === null)
        removals.push({ entry, path: null, bytes: 0, release: nothingHeld, copyRequired: entry.image_synced });
      else untouched.push(entry);
    }
    if (untouched.length > 0) await queue.release(untouched, 'ring_buffer');
    await this.#settle(removals);
  }

  /** Removes the image of a claimed entry; null when that is not allowed any more. */
  async #remove(entry: Entry): Promise<Removal | typeof isUncopied | null> {
    const { queue, files } = this.#deps;
    const path = await this.#find(entry).catch(keepStrange);
    if (path === kept) return null;
    const bytes = path === null ? 0 : ((await files.stat(path))?.size ?? 0);
    const release = path === null ? nothingHeld : await hold(files, path);
    try {
      // No wait between this look and the removal.
      const now = removableEntry(entry, queue);
      if (now === null) {
        await release();
        return null;
      }
      const copyRequired = !queue.isFor('ring_buffer', { ...now, image_synced: false });
      if (path !== null && copyRequired && copyOf(now) === null) {
        await release();
        return isUncopied;
      }
      if (path !== null) await files.remove(path);
      return { entry, path, bytes, release, copyRequired };
    } catch (error) {
      await release();
      throw error;
    }
  }

  /**
   * Where an entry's image is in `data_dir`; null when it is not there, or can't be by its name. Errors are the file system's; one
   * with code `ENOENT` when `data_dir` itself is gone.
   */
  async #find(entry: Entry): Promise<string | null> {
    const { dataFolder, brightfieldFolder } = this.#settings;
    const camera = entry.camera_data!;
    try {
      const folder = imageFolder(camera, dataFolder, brightfieldFolder);
      return await findImage({ ...camera, filepath: localFolder(camera, folder) }, folder, this.#deps.files);
    } catch (error) {
      if (error instanceof ImagePathError && !(error instanceof StrangeImageError)) return null;
      throw error;
    }
  }

  /** Makes removals durable, and then known. Those that the manifest can't be told now stay unrecorded. */
  async #settle(removals: readonly Removal[]): Promise<void> {
    const { queue, files } = this.#deps;
    const folders = new Set(removals.flatMap(({ path }) => (path === null ? [] : [dirname(path)])));
    // An image that came back after a power cut would be one that nobody removes any more.
    try {
      for (const folder of folders) if (await files.stat(folder)) await files.syncFolder(folder);
    } finally {
      for (const { release } of removals) await release();
    }
    await Promise.all(
      removals.map(async removal => {
        await queue.settle([removal.entry], 'ring_buffer', removed(removal, this.#settings));
        this.#unrecorded.delete(removal.entry.entry_id);
      }),
    );
  }
}

/**
 * The entry as it is now, but for the claim; null when it would not be one to claim any more: a hand or other rules have changed
 * that, or the claim does not stand.
 */
function removableEntry({ entry_id: id, claims: then, attempt }: Entry, queue: Queue): Entry | null {
  const now = queue.get(id);
  if (!now?.claims.ring_buffer || !isDeepStrictEqual(now.claims.ring_buffer, then.ring_buffer)) return null;
  const { ring_buffer: _own, ...claims } = now.claims;
  const unclaimed = { ...now, claims };
  return now.attempt === attempt && queue.isFor('ring_buffer', unclaimed) ? unclaimed : null;
}

/** Where a link leads the image may still be: it is neither removed nor said to be gone. */
function keepStrange(error: unknown): typeof kept {
  if (error instanceof StrangeImageError) return kept;
  throw error;
}

function removed({ entry, copyRequired }: Removal, { remoteRoot }: RemovalFolders): Partial<Entry> {
  const set: Partial<Entry> = { image_local: false, copy_required: copyRequired };
  const copy = entry.image_synced ? copyOf(entry)?.path : undefined;
  // What the Python system has copied has its own words for it, and they stay.
  if (copy === undefined) return set;
  const path = join(remoteRoot, copy);
  const camera: CameraData = { ...entry.camera_data!, filepath: dirname(path), filename: basename(path) };
  return { ...set, camera_data: camera };
}
