import { filter, merge, tap, timer } from 'rxjs';
import { asError } from '../../model/asError.ts';
import type { Entry } from '../../model/entry.ts';
import type { RemoteCopy } from '../../model/remoteCopy.ts';
import type { Experiment } from '../stage/experiment.ts';
import type { Outcome, Stage, StageFlow, Worker } from '../stage/stage.ts';
import { framesPerMinute } from '../stage/stage.ts';
import { isFilesOwn } from './syncError.ts';
import type { SyncPlace } from './syncFiles.ts';
import { syncImage } from './syncImage.ts';
import { syncPatience } from './syncPatience.ts';
import { syncPlaces } from './syncPlaces.ts';
import { roundPlaces, SyncRounds } from './syncRounds.ts';
import { type SyncShareSettings, syncShare } from './syncShare.ts';

export interface SyncSettings extends SyncShareSettings {
  enabled: boolean;
  /** `data_dir`, absolute. */
  dataFolder: string;
  manifestFile: string;
  /** Files and folders besides the images and the manifest, the most wanted first. */
  places: readonly SyncPlace[];
  /** Time between two rounds for all that is no image, ms. */
  intervalMs: number;
  /** Images on their way at one time. */
  filesInFlight: number;
  /** Do not read back what was written. */
  trustWrite: boolean;
}

export type SyncExperiment = Pick<Experiment, 'tools' | 'manifest' | 'files' | 'shares' | 'note'>;

/** Stands for a round where an entry's id would. */
const roundId = 'round';
/** Entries whose failure is not told again. */
const mostTold = 1000;

type Item = { leaving: AbortSignal } & (
  | { kind: 'image'; entry: Entry }
  /** `countsAsProbe`: after a failure, so it counts as an item, whose success shows that the share is well again. */
  | { kind: 'round'; countsAsProbe: boolean }
);

/** What outlives a station. */
interface Memory {
  /** Entries whose failure was told. */
  failed: Set<string>;
  rounds: SyncRounds;
  /** The share has failed, and no round has gone through since. */
  isFailing: boolean;
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
 * the way, until the next round gives it back.
 *
 * Told to stop, it gives up what is not copied within a few seconds, and makes a last round that may take as long; cut short,
 * it ends at once. An unfinished copy is continued next time.
 */
export const syncer: Stage<SyncSettings, Item, SyncExperiment> = {
  name: 'syncer',
  exclusive: true,
  settings: ({ Services, Sync, Timing }, { paths, configFile, replay }) => ({
    enabled: replay === null && Services.enable_remote_sync,
    remoteRoot: paths.remote.root,
    dataFolder: paths.data,
    flagsFolder: paths.flags,
    manifestFile: paths.manifestFile,
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
  entriesOf: item => (item.kind === 'image' ? [item.entry.entry_id] : item.countsAsProbe ? [roundId] : []),
  begin: (experiment, flow) => {
    const memory: Memory = { failed: new Set(), rounds: new SyncRounds(experiment), isFailing: false };
    return { open: (settings, signal) => openWorker(settings, memory, experiment, flow, signal) };
  },
};

async function openWorker(
  settings: SyncSettings,
  memory: Memory,
  deps: SyncExperiment,
  { upstreamDone$ }: Pick<StageFlow, 'upstreamDone$'>,
  signal: AbortSignal,
): Promise<Worker<Item>> {
  const { manifest, tools } = deps;
  // Whether their copies stand is found when they are copied again.
  const orphans = manifest.orphans('syncer');
  if (orphans.length > 0) await manifest.release(orphans, 'syncer');
  const { rounds } = memory;
  const places = roundPlaces(settings);
  const { share, ledger } = await syncShare(settings, { ...deps, places }, signal);
  /** Entries that can't be copied for now. */
  const held = new Set<Entry>();
  let isRoundDue = true;
  let isRoundOn = false;
  let isEnding = false;
  const ending = upstreamDone$.subscribe(() => {
    isEnding = true;
  });
  let imagesOn = 0;
  /** A last round was made, or there is no point in one. */
  let isLeft = false;

  const begin = (leaving: AbortSignal): [Item] => {
    isRoundOn = true;
    return [{ kind: 'round', countsAsProbe: memory.isFailing, leaving }];
  };

  const round = async (countsAsProbe: boolean, signal: AbortSignal): Promise<readonly Outcome[]> => {
    try {
      const waited = [...held];
      held.clear();
      if (waited.length > 0) await manifest.giveBack(waited, 'syncer');
      const { files, bytes } = await rounds.run({ ...settings, places, share, ledger, signal });
      memory.isFailing = false;
      return countsAsProbe ? [{ kind: 'done', entryId: roundId, detail: { files, bytes } }] : [];
    } finally {
      isRoundOn = false;
    }
  };

  const image = async (entry: Entry, signal: AbortSignal, given: AbortSignal): Promise<readonly Outcome[]> => {
    const deadly = manifest.deadlyWork(entry, 'syncer');
    if (deadly !== null) {
      held.add(entry);
      return [failed(entry, deadly, memory)];
    }
    try {
      const placed = await syncImage(entry, settings, { share, files: deps.files }, given);
      if (signal.aborted) return [];
      const copy: RemoteCopy = { path: placed.remote, size: placed.size, sha256: placed.sha256 };
      await manifest.settle([entry], 'syncer', { image_synced: true, remote_copy: copy });
      memory.failed.delete(entry.entry_id);
      const name = entry.camera_data!.filename;
      if (placed.found === 'other') {
        deps.note('warning', `${name} stands on the share with other content; this one is beside it: ${placed.remote}`);
      }
      return [
        { kind: 'done', entryId: entry.entry_id, detail: { image: name, bytes: placed.size, sent: placed.sent } },
      ];
    } catch (error) {
      if (signal.aborted || given.aborted || !isFilesOwn(error)) throw error;
      held.add(entry);
      return [failed(entry, asError(error).message, memory)];
    }
  };

  /** What came since the last round, as far as it goes within a few seconds: whoever stops it may unplug it next. */
  const lastRound = async (): Promise<void> => {
    const patience = syncPatience(AbortSignal.abort(), new AbortController().signal, tools.scheduler);
    rounds.publishNext();
    try {
      await round(false, patience.signal);
    } catch (error) {
      const why = patience.signal.aborted ? 'it took too long' : asError(error).message;
      deps.note('warning', `not everything is on the share yet (${why}); the next start goes on with it`);
    } finally {
      patience.end();
    }
  };

  return {
    concurrency: settings.filesInFlight + 1,
    batch: settings.filesInFlight,
    wake$: merge(
      manifest.changes$.pipe(filter(() => manifest.waiting('syncer') > 0)),
      timer(settings.intervalMs, settings.intervalMs, tools.scheduler).pipe(tap(() => (isRoundDue = true))),
    ),
    claim: async (count, leaving) => {
      if (isRoundDue && !isRoundOn) {
        isRoundDue = false;
        return begin(leaving);
      }
      const free = Math.min(count, settings.filesInFlight - imagesOn);
      const entries = free > 0 ? await manifest.claim('syncer', free, { leaving }) : [];
      imagesOn += entries.length;
      if (entries.length === 0 && imagesOn === 0 && !isRoundOn && isEnding) {
        isEnding = false;
        isLeft = true;
        rounds.publishNext();
        return begin(leaving);
      }
      return entries.map(entry => ({ kind: 'image' as const, entry, leaving }));
    },
    process: async (item, signal) => {
      const patience = syncPatience(item.leaving, signal, tools.scheduler);
      try {
        if (item.kind === 'image') return await image(item.entry, signal, patience.signal);
        return await round(item.countsAsProbe, patience.signal);
      } catch (error) {
        if (signal.aborted) return [];
        isLeft = true;
        if (!patience.signal.aborted) {
          memory.isFailing = true;
          throw error;
        }
        if (item.kind === 'image') await manifest.giveBack([item.entry], 'syncer');
        return [];
      } finally {
        if (item.kind === 'image') imagesOn--;
        patience.end();
      }
    },
    release: items =>
      manifest.giveBack(
        items.flatMap(item => (item.kind === 'image' ? [item.entry] : [])),
        'syncer',
      ),
    close: async cutShort => {
      ending.unsubscribe();
      if (!cutShort && !isLeft) await lastRound();
      await manifest.giveBack([...held], 'syncer');
      await share.close();
    },
  };
}

/** Told as a failure once; what fails again at each round is only left out. */
function failed({ entry_id: entryId, camera_data: camera }: Entry, error: string, { failed }: Memory): Outcome {
  if (failed.has(entryId)) return { kind: 'discarded', entryId, reason: `not copied to the share: ${error}` };
  if (failed.size < mostTold) failed.add(entryId);
  return { kind: 'failed', entryId, error: `${camera?.filename} was not copied to the share: ${error}` };
}
