import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { EMPTY, filter, merge, tap, timer } from 'rxjs';
import type { Amount } from '../../config/kinds/amount.ts';
import type { DiskSpace } from '../../files/diskSpace.ts';
import { type Hold, hold, nothingHeld } from '../../files/durableNames.ts';
import type { Files } from '../../files/files.ts';
import { findImage, ImagePathError, imageFolder, localFolder, StrangeImageError } from '../../image/findImage.ts';
import type { Queue } from '../../manifest/queue.ts';
import { type WorkRules, workRules } from '../../manifest/workRules.ts';
import type { CameraData, Entry } from '../../model/entry.ts';
import { copyOf } from '../../model/remoteCopy.ts';
import type { Experiment } from '../stage/experiment.ts';
import type { Outcome, Stage, Worker } from '../stage/stage.ts';
import { ArchivedImages } from './archivedImages.ts';
import { namesLimits, type SpaceLimits, spaceLimits } from './spaceLimits.ts';
import { isCopyDoubted, newestCopies, UnconfirmedCopies } from './unconfirmedCopies.ts';

export interface RingBufferSettings {
  /** `image_buffer_size`: images that are kept; 0 keeps all. */
  size: number;
  /** `min_free_disk`; 0 bytes, or `size` 0 without copies on a share: nothing is deleted for want of space. */
  minFree: Amount;
  /** What an image must have passed before it may go. The manifest has the same; here, so that a change is seen. */
  rules: WorkRules;
  /** `data_dir`. Nothing outside is ever removed. */
  dataFolder: string;
  /** `brightfield_dir`. */
  brightfieldFolder: string;
  /** `remote_root_dir`, below which entries say that their copies are. */
  remoteRoot: string;
  /** `flag_dir`: says which share that is. */
  flagsFolder: string;
}

export type RingBufferExperiment = Pick<
  Experiment,
  'tools' | 'queue' | 'archive' | 'files' | 'measureSpace' | 'space$' | 'waitingImage' | 'restoreLock' | 'note'
> &
  /** Where copies are looked for before the first images go; absent: nowhere. */
  Partial<Pick<Experiment, 'shares'>>;

/** Images removed in one go: one fsync a folder, one write to the manifest. */
const batchImages = 64;
/** It looks for itself so often, ms: for what nobody tells of. */
const pollEveryMs = 10_000;

/** An image that is gone from this machine, and what its entry has to say of it. */
interface Removal {
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
interface Work {
  /** Entries whose claim this has ended, or will end: they are not to be released. */
  kept: Set<Entry>;
  /** Never rejects. */
  over: Promise<unknown>;
}

/**
 * The ring buffer: removes the oldest images from this machine, when there are more than `size`, or when less than `minFree` of
 * the disk is free (then until somewhat more is, so that it need not begin anew with each image).
 *
 * Removes only what is settled: analysed, reported, and compressed and copied where that is on; never an original, nor one that
 * is claimed, nor one whose copy may have been emptied by a power cut (see `UnconfirmedCopies`), nor one whose entry names no copy of its own (it is
 * given to the syncer once more), nor a file that no entry names, nor
 * anything outside `data_dir`. Exclusive: one for a root. Claim durable →
 * files removed → their folders synced → entries settled with `image_local: false`, and with the place of the copy on the share
 * where there is one. What a crash or a failure left between is settled or released when it opens again. Images of archived entries
 * are the oldest: their entries are brought back, settled, and archived again some day (see `ArchivedImages`).
 *
 * A batch is one item. One that is cut off settles what it has removed and releases the rest. Where nothing may be removed it
 * waits. What the disk refuses is the stage's failure.
 */
export const ringBuffer: Stage<RingBufferSettings, readonly Entry[], RingBufferExperiment> = {
  name: 'ring_buffer',
  exclusive: true,
  settings: (config, { paths, replay }) => ({
    size: replay ? 0 : config.Buffer.image_buffer_size,
    minFree: config.Buffer.min_free_disk,
    rules: workRules(config),
    dataFolder: paths.data,
    brightfieldFolder: paths.brightfield,
    remoteRoot: paths.remote.root,
    flagsFolder: paths.flags,
  }),
  isEnabled: settings => settings.size > 0 || isForSpace(settings),
  pace: () => ({ intervalMs: null, perMinute: null }),
  entriesOf: batch => batch.map(entry => entry.entry_id),
  begin: experiment => {
    const { queue, archive, restoreLock, note } = experiment;
    const archived = new ArchivedImages({
      queue,
      archive,
      restoreLock,
      note: message => note('warning', message, 'ring_buffer'),
    });
    const listening = archived.listen();
    /** Removed, and the manifest could not be told. */
    const unrecorded = new Map<string, Removal>();
    const unconfirmed = unconfirmedCopiesOf(experiment);
    return {
      open: async settings => openWorker(settings, archived, unrecorded, await unconfirmed(settings), experiment),
      dispose: () => listening.unsubscribe(),
    };
  },
};

/** Whether images are removed for want of space at all. Who keeps all, and has no copies, does not want to lose any. */
function isForSpace({ minFree, size, rules }: RingBufferSettings): boolean {
  if (size === 0 && !rules.sync) return false;
  return minFree.kind === 'bytes' ? minFree.bytes > 0 : minFree.percent > 0;
}

/** Those of each share are found once: what was confirmed since stays so when the stage begins anew. */
function unconfirmedCopiesOf({ shares, archive, files, tools, note }: RingBufferExperiment) {
  const known = new Map<string, UnconfirmedCopies>();
  return async ({ rules, remoteRoot, flagsFolder }: RingBufferSettings): Promise<UnconfirmedCopies | null> => {
    if (!shares || !rules.sync) return null;
    const unconfirmed =
      known.get(remoteRoot) ??
      new UnconfirmedCopies({
        newest: await archive.newestCopied(newestCopies, isCopyDoubted),
        ...{ shares, files, remoteRoot, flagsFolder, clock: tools.clock },
        note: (level, message) => note(level, message, 'ring_buffer'),
      });
    known.set(remoteRoot, unconfirmed);
    return unconfirmed;
  };
}

async function openWorker(
  settings: RingBufferSettings,
  archived: ArchivedImages,
  unrecorded: Map<string, Removal>,
  unconfirmed: UnconfirmedCopies | null,
  deps: RingBufferExperiment,
): Promise<Worker<readonly Entry[]>> {
  const { size, minFree, dataFolder } = settings;
  const { queue, files, tools } = deps;
  if ((await files.stat(dataFolder)) === null) throw gone(dataFolder);
  await settle([...unrecorded.values()], settings, unrecorded, deps);
  await settleOrphans(settings, unrecorded, deps);
  archived.rewind();
  if (size > 0) await archived.refresh();

  /** The oldest live ones that may go. They are looked through only while there are unconfirmed copies. */
  const claimLive = (count: number): Promise<Entry[]> => {
    unconfirmed?.ask();
    if (!unconfirmed?.areLeft) return queue.claim('ring_buffer', count);
    const among: string[] = [];
    let seen = 0;
    const waiting = queue.waiting('ring_buffer');
    for (const entry of queue.entries()) {
      if (among.length === count || seen === waiting) break;
      if (!queue.isFor('ring_buffer', entry)) continue;
      seen++;
      if (!unconfirmed.has(entry)) among.push(entry.entry_id);
    }
    return queue.claim('ring_buffer', count, { among });
  };

  const works = new WeakMap<readonly Entry[], Work>();
  /** Since less than `low` was free, until `enough` is. */
  let isFreeing = false;
  /** The same for the names of files. */
  let isFreeingNames = false;
  /** Of those that were removed here, so that about as many go as it takes. */
  let meanBytes = 0;

  const isOver = (): boolean =>
    size > 0 &&
    (archived.isBehind ||
      (queue.localImages + archived.count > size && (queue.waiting('ring_buffer') > 0 || archived.mayHaveMore)));
  const limitsOf = ({ size: bytes }: DiskSpace): SpaceLimits => spaceLimits(minFree, bytes, deps.waitingImage.bytes);
  const isShort = (space: DiskSpace | null): boolean =>
    space !== null && isForSpace(settings) && (space.free < limitsOf(space).low || namesShort(space, 'low') > 0);

  /** How many images should go now. */
  const wanted = async (): Promise<number> => {
    const space = isForSpace(settings) ? await deps.measureSpace() : null;
    let forSpace = 0;
    if (space) {
      const { low, enough } = limitsOf(space);
      isFreeing = space.free < (isFreeing ? enough : low);
      if (isFreeing) forSpace = meanBytes > 0 ? Math.ceil((enough - space.free) / meanBytes) : 1;
      const forNames = namesShort(space, isFreeingNames ? 'enough' : 'low');
      isFreeingNames = forNames > 0;
      forSpace = Math.max(forSpace, forNames);
    }
    if (size === 0) return forSpace;
    await archived.refresh();
    return Math.max(forSpace, queue.localImages + archived.count - size);
  };

  return {
    concurrency: 1,
    batch: 1,
    wake$: merge(
      queue.changes$.pipe(filter(isOver)),
      deps.space$.pipe(filter(isShort)),
      timer(pollEveryMs, pollEveryMs, tools.scheduler),
      // What had to stay for its copy may go now.
      unconfirmed?.answered$.pipe(tap(() => archived.rewind())) ?? EMPTY,
    ),
    claim: async () => {
      const count = Math.min(batchImages, await wanted());
      if (count <= 0) return [];
      const oldest = await archived.claim(count, entry => unconfirmed?.has(entry) === true);
      try {
        const live = await claimLive(count - oldest.length);
        return oldest.length + live.length > 0 ? [[...oldest, ...live]] : [];
      } catch (error) {
        await queue.releaseEventually(oldest, 'ring_buffer');
        throw error;
      }
    },
    process: async (batch, signal) => {
      const work: Work = { kept: new Set(), over: Promise.resolve() };
      works.set(batch, work);
      const outcomes = removeAll(batch, work, signal, settings, unrecorded, deps);
      work.over = outcomes.catch(() => undefined);
      const done = await outcomes;
      for (const outcome of done) {
        const bytes = outcome.kind === 'done' ? Number(outcome.detail.bytes) : 0;
        if (bytes > 0) meanBytes = meanBytes === 0 ? bytes : meanBytes + (bytes - meanBytes) / 8;
      }
      return done;
    },
    release: async batches => {
      for (const batch of batches) {
        const work = works.get(batch);
        await work?.over;
        const rest = batch.filter(entry => !work?.kept.has(entry));
        if (rest.length > 0) await queue.releaseEventually(rest, 'ring_buffer');
      }
    },
    close: async () => unconfirmed?.close(),
  };
}

/** How many names of files are missing until so many are free; not more than 0: none. */
function namesShort({ names }: DiskSpace, limit: 'low' | 'enough'): number {
  return names === undefined ? 0 : namesLimits(names.size)[limit] - names.free;
}

async function removeAll(
  batch: readonly Entry[],
  work: Work,
  signal: AbortSignal,
  settings: RingBufferSettings,
  unrecorded: Map<string, Removal>,
  deps: RingBufferExperiment,
): Promise<Outcome[]> {
  const removals: Removal[] = [];
  const spared: Entry[] = [];
  const uncopied: Entry[] = [];
  try {
    for (const entry of batch) {
      if (signal.aborted) break;
      const removal = await remove(entry, settings, deps);
      if (removal === isUncopied) uncopied.push(entry);
      else if (removal) {
        removals.push(removal);
        work.kept.add(entry);
      } else spared.push(entry);
    }
  } finally {
    // Whatever stopped it: what is gone must be said to be gone.
    for (const removal of removals) unrecorded.set(removal.entry.entry_id, removal);
    await settle(removals, settings, unrecorded, deps);
  }
  if (signal.aborted) return [];
  if (spared.length > 0) await deps.queue.release(spared, 'ring_buffer');
  if (uncopied.length > 0) await deps.queue.release(uncopied, 'ring_buffer', { image_synced: false });
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

const isUncopied = Symbol('an image that must be copied first: its entry only says that it was');

/** Removes the image of a claimed entry; null when that is not allowed any more. */
async function remove(
  entry: Entry,
  settings: RingBufferSettings,
  { queue, files }: RingBufferExperiment,
): Promise<Removal | typeof isUncopied | null> {
  const path = await find(entry, settings, files).catch(keepStrange);
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

/**
 * Where an entry's image is in `data_dir`; null when it is not there, or can't be by its name. Errors are the file system's; one
 * with code `ENOENT` when `data_dir` itself is gone.
 */
async function find(
  entry: Entry,
  { dataFolder, brightfieldFolder }: RingBufferSettings,
  files: Files,
): Promise<string | null> {
  const camera = entry.camera_data!;
  try {
    const folder = imageFolder(camera, dataFolder, brightfieldFolder);
    return await findImage({ ...camera, filepath: localFolder(camera, folder) }, folder, files);
  } catch (error) {
    if (error instanceof ImagePathError && !(error instanceof StrangeImageError)) return null;
    throw error;
  }
}

const kept = Symbol('an image that is not looked for any further');

/** Where a link leads the image may still be: it is neither removed nor said to be gone. */
function keepStrange(error: unknown): typeof kept {
  if (error instanceof StrangeImageError) return kept;
  throw error;
}

/** Makes removals durable, and then known. Those that the manifest can't be told now stay in `unrecorded`. */
async function settle(
  removals: readonly Removal[],
  settings: RingBufferSettings,
  unrecorded: Map<string, Removal>,
  { queue, files }: RingBufferExperiment,
): Promise<void> {
  const folders = new Set(removals.flatMap(({ path }) => (path === null ? [] : [dirname(path)])));
  // An image that came back after a power cut would be one that nobody removes any more.
  try {
    for (const folder of folders) if (await files.stat(folder)) await files.syncFolder(folder);
  } finally {
    for (const { release } of removals) await release();
  }
  await Promise.all(
    removals.map(async removal => {
      await queue.settle([removal.entry], 'ring_buffer', removed(removal, settings));
      unrecorded.delete(removal.entry.entry_id);
    }),
  );
}

function removed({ entry, copyRequired }: Removal, { remoteRoot }: RingBufferSettings): Partial<Entry> {
  const set: Partial<Entry> = { image_local: false, copy_required: copyRequired };
  const copy = entry.image_synced ? copyOf(entry)?.path : undefined;
  // What the Python system has copied has its own words for it, and they stay.
  if (copy === undefined) return set;
  const path = join(remoteRoot, copy);
  const camera: CameraData = { ...entry.camera_data!, filepath: dirname(path), filename: basename(path) };
  return { ...set, camera_data: camera };
}

/** Claims of processes that are gone: where the image is gone too that is settled, else the claim ends and nothing was done. */
async function settleOrphans(
  settings: RingBufferSettings,
  unrecorded: Map<string, Removal>,
  deps: RingBufferExperiment,
): Promise<void> {
  const { queue, files } = deps;
  const removals: Removal[] = [];
  const untouched: Entry[] = [];
  for (const entry of queue.orphans('ring_buffer')) {
    // Under which rules it went is not known; it was claimed, so one without a copy needed none.
    if (entry.camera_data && (await find(entry, settings, files).catch(keepStrange)) === null)
      removals.push({ entry, path: null, bytes: 0, release: nothingHeld, copyRequired: entry.image_synced });
    else untouched.push(entry);
  }
  if (untouched.length > 0) await queue.release(untouched, 'ring_buffer');
  await settle(removals, settings, unrecorded, deps);
}

function gone(folder: string): Error {
  const error: NodeJS.ErrnoException = new Error(`the folder ${folder} is not there; is its disk mounted?`);
  error.code = 'ENOENT';
  error.path = folder;
  return error;
}
