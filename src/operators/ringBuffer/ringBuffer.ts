import { EMPTY, filter, merge, tap, timer } from 'rxjs';
import { workRules } from '../../manifest/workRules.ts';
import type { Entry } from '../../model/entry.ts';
import type { Experiment } from '../stage/experiment.ts';
import type { Stage, Worker } from '../stage/stage.ts';
import { ArchivedImages } from './archivedImages.ts';
import { ImageRemoval, type Removal, type RemovalFolders, type RemovalWork } from './imageRemoval.ts';
import { isForSpace, RemovalDemand, type RemovalLimits } from './removalDemand.ts';
import { isCopyDoubted, newestCopies, UnconfirmedCopies } from './unconfirmedCopies.ts';

export interface RingBufferSettings extends RemovalLimits, RemovalFolders {
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
  const { size, dataFolder } = settings;
  const { queue, files, tools } = deps;
  const removal = new ImageRemoval(settings, unrecorded, deps);
  if ((await files.stat(dataFolder)) === null) throw gone(dataFolder);
  await removal.settleUnrecorded();
  await removal.settleOrphans();
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

  const works = new WeakMap<readonly Entry[], RemovalWork>();
  const demand = new RemovalDemand(settings, archived, deps);

  return {
    concurrency: 1,
    batch: 1,
    wake$: merge(
      queue.changes$.pipe(filter(() => demand.hasTooMany())),
      deps.space$.pipe(filter(space => demand.isShort(space))),
      timer(pollEveryMs, pollEveryMs, tools.scheduler),
      // What had to stay for its copy may go now.
      unconfirmed?.answered$.pipe(tap(() => archived.rewind())) ?? EMPTY,
    ),
    claim: async () => {
      const count = Math.min(batchImages, await demand.wanted());
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
      const work: RemovalWork = { kept: new Set(), over: Promise.resolve() };
      works.set(batch, work);
      const outcomes = removal.removeAll(batch, work, signal);
      work.over = outcomes.catch(() => undefined);
      const done = await outcomes;
      for (const outcome of done) if (outcome.kind === 'done') demand.removed(Number(outcome.detail.bytes));
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

function gone(folder: string): Error {
  const error: NodeJS.ErrnoException = new Error(`the folder ${folder} is not there; is its disk mounted?`);
  error.code = 'ENOENT';
  error.path = folder;
  return error;
}
