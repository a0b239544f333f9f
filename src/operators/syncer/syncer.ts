import { filter, fromEvent, type Observable, of, type SchedulerLike, switchMap, timer } from 'rxjs';
import { asError } from '../../model/asError.ts';
import type { Entry } from '../../model/entry.ts';
import type { Experiment } from '../stage/experiment.ts';
import { framesPerMinute, type Stage, type Worker } from '../stage/stage.ts';
import { CopyImages } from './copyImages.ts';
import { openShare, type ShareSettings } from './openShare.ts';
import { syncPlaces } from './syncFiles.ts';
import { RoundMemory, SyncRounds } from './syncRounds.ts';

export interface SyncSettings extends ShareSettings {
  enabled: boolean;
  /** `data_dir` and `brightfield_dir`, absolute. */
  dataFolder: string;
  brightfieldFolder: string;
  /** Time between two rounds for all that is no image, ms. */
  intervalMs: number;
  /** Images on their way at one time. */
  filesInFlight: number;
}

export type SyncExperiment = Pick<Experiment, 'tools' | 'queue' | 'archive' | 'files' | 'shares' | 'note'>;

/** What outlives a worker. */
interface Memory {
  /** Entries whose failure was told. */
  failed: Set<string>;
  rounds: RoundMemory;
}

/**
 * The syncer: copies the experiment to the share. Local files are only read.
 *
 * Images: claims entries that are settled but for their copy, oldest first, as they come; settles them with `image_synced` and
 * `remote_copy` once the copy stands, durable and checked. All else (manifest first, then the configuration, results, archive,
 * logs) goes in rounds: one at the start, one each interval, beside the images, and a last one when there will be no more.
 *
 * Everything on the share happens in a child process. A share that is absent, not mounted, read-only, full or hanging is the
 * stage's failure; one that comes back as an earlier state of itself gets again what it has lost and is still here. An image
 * that is not here, or that the share refuses for its name or size, is told as failed; it stays claimed, so as not to stand in
 * the way, until the next round releases it.
 *
 * Told to stop, it gives up what is not copied within a few seconds, and makes a last round that may take as long; cut short,
 * it ends at once. An unfinished copy is continued next time.
 */
export const syncer: Stage<SyncSettings, Entry, SyncExperiment> = {
  name: 'syncer',
  exclusive: true,
  settings: ({ Services, Sync, Timing }, { paths, configFile, replay }) => ({
    enabled: replay === null && Services.enable_remote_sync,
    remoteRoot: paths.remote.root,
    dataFolder: paths.data,
    brightfieldFolder: paths.brightfield,
    flagsFolder: paths.flags,
    places: syncPlaces(paths, configFile),
    intervalMs: Timing.sync_interval_seconds * 1000,
    filesInFlight: Sync.files_in_flight,
    bytesPerSecond: Sync.bandwidth_limit,
    deadlineMs: Sync.deadline_seconds * 1000,
    trustWrite: Sync.trust_write,
  }),
  isEnabled: ({ enabled }) => enabled,
  pace: (config, { replay }) => ({
    intervalMs: config.Timing.sync_interval_seconds * 1000,
    perMinute: framesPerMinute(config, replay),
  }),
  entriesOf: entry => [entry.entry_id],
  begin: experiment => {
    const memory: Memory = { failed: new Set(), rounds: new RoundMemory() };
    return { open: (settings, signal) => openWorker(settings, memory, experiment, signal) };
  },
};

async function openWorker(
  settings: SyncSettings,
  memory: Memory,
  experiment: SyncExperiment,
  signal: AbortSignal,
): Promise<Worker<Entry>> {
  const {
    queue,
    note,
    tools: { scheduler },
  } = experiment;
  // Whether their copies stand is found when they are copied again.
  const orphans = queue.orphans('syncer');
  if (orphans.length > 0) await queue.release(orphans, 'syncer');
  const { share, ledger } = await openShare(settings, experiment, signal);
  const tools = { ...settings, ...experiment, share, ledger };
  const images = new CopyImages(tools, memory.failed);
  const rounds = new SyncRounds(tools, memory.rounds);
  /** Something was given up: the share may be at it still. */
  let hasGivenUp = false;
  const patiently = async <T>(
    work: (given: AbortSignal) => Promise<T>,
    signal: AbortSignal,
    leaving: AbortSignal,
  ): Promise<T | null> => {
    const result = await withPatience(work, signal, leaving, scheduler);
    hasGivenUp ||= result === null;
    return result;
  };
  return {
    concurrency: settings.filesInFlight,
    batch: settings.filesInFlight,
    wake$: queue.changes$.pipe(filter(() => queue.waiting('syncer') > 0)),
    claim: (count, leaving) => queue.claim('syncer', count, { leaving }),
    process: async (entry, signal, leaving) => {
      const outcomes = await patiently(given => images.copy(entry, signal, given), signal, leaving);
      if (outcomes === null && !signal.aborted) await queue.releaseEventually([entry], 'syncer');
      return outcomes ?? [];
    },
    release: entries => queue.releaseEventually(entries, 'syncer'),
    rounds: {
      due$: timer(settings.intervalMs, settings.intervalMs, scheduler),
      run: async (isLast, signal, leaving) => {
        if (hasGivenUp) return null;
        let why = 'it took too long';
        try {
          await images.releaseFailed();
          const moved = await patiently(given => rounds.run(isLast, given), signal, leaving);
          if (moved !== null || signal.aborted) return moved;
        } catch (error) {
          // Whoever stops it may unplug the share next: that it is gone already is no alarm.
          if (!isLast || !leaving.aborted) throw error;
          why = asError(error).message;
        }
        note('warning', `not everything is on the share yet (${why}); the next start goes on with it`);
        return null;
      },
    },
    close: async () => {
      await images.releaseFailed();
      await share.close();
    },
  };
}

/** What is on its way when the stage is asked to leave may take so long; then it is given up, to be continued, ms. */
const drainMs = 3000;

/**
 * Lets `work` go on until the stage is cut off (`signal`), or was asked to leave a few seconds ago. Resolves with null when it was
 * given up.
 */
async function withPatience<T>(
  work: (given: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  leaving: AbortSignal,
  scheduler?: SchedulerLike,
): Promise<T | null> {
  const late = new AbortController();
  const given = AbortSignal.any([signal, late.signal]);
  const leaving$: Observable<unknown> = leaving.aborted ? of(null) : fromEvent(leaving, 'abort');
  const waiting = leaving$.pipe(switchMap(() => timer(drainMs, scheduler))).subscribe(() => late.abort());
  try {
    return await work(given);
  } catch (error) {
    if (given.aborted) return null;
    throw error;
  } finally {
    waiting.unsubscribe();
  }
}
