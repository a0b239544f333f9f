import { join } from 'node:path';
import { concat, defer, exhaustMap, ignoreElements, type Observable, type SchedulerLike, tap } from 'rxjs';
import type { DiskSpace } from '../../files/diskSpace.ts';
import { makeFolder, removeFile } from '../../files/durableNames.ts';
import type { Files } from '../../files/files.ts';
import type { Liveness } from '../../files/processIdentity.ts';
import type { Clock } from '../../model/clock.ts';
import type { ProcessIdentity } from '../../model/entry.ts';
import type { PipelineEvent } from '../../model/event.ts';
import { parseIso } from '../../model/localTime.ts';
import { sayOnce } from '../../model/sayOnce.ts';
import type { StageName } from '../../model/stageName.ts';
import type { ProcessStatus } from '../../model/status.ts';
import { DiskForecast } from './diskForecast.ts';
import { mergeStatuses } from './mergeStatuses.ts';
import { readProcessStatus } from './readProcessStatus.ts';
import { rewriteStatus } from './rewriteStatus.ts';
import { sampleStatus } from './sampleStatus.ts';
import { emptyStatus, statusOf } from './statusOfEvents.ts';

export interface StatusFileOptions {
  /** `flag_dir`, absolute. */
  folder: string;
  files: Files;
  clock: Clock;
  own: ProcessIdentity;
  liveness: (process: ProcessIdentity) => Liveness;
  intervalMs?: number;
  runId: string;
  /** Stages that this process runs: they are in its status from the first one on. */
  stages: readonly StageName[];
  /** What is free on the disk when a status is written; null when it can't be asked. */
  disk?: () => DiskSpace | null;
  /** The image that was collected last. */
  lastImage?: () => ProcessStatus['last_image'];
  /** Told once for each new reason why the status can't be written; the pipeline goes on. */
  onError: (error: Error) => void;
  scheduler?: SchedulerLike;
}

/** A process on another machine that has not written for so long is taken to be gone, ms. */
const silentMs = 60_000;

const statusFileName = 'pipeline_status.json';

/** Name of a process's own status file. */
export function statusName({ host, pid }: Pick<ProcessIdentity, 'host' | 'pid'>): string {
  return `${host.replaceAll(/[^\w.-]/g, '_')}-${pid}.json`;
}

export interface StatusFile {
  /**
   * Keeps the files as the events come. Emits nothing. Completes when the events have completed and the last status,
   * `stopped`, is written. A file that can't be written is reported and tried again at the next turn; it never errors for
   * that, only with the events. One write at a time: on a slow disk turns are left out. Teardown leaves the files as they
   * are: the heartbeat tells. Subscribe once.
   */
  follow(events$: Observable<PipelineEvent>): Observable<never>;
  /** Writes that the process has stopped, for an end that was not waited for: after {@link follow} was torn down. */
  stopped(): Promise<void>;
}

/**
 * Keeps `flags/status/<host>-<pid>.json` and the merge of all processes' files, `flags/pipeline_status.json`, about once a
 * second, atomically while the disk has room, and without fsync.
 */
export function statusFile(options: StatusFileOptions): StatusFile {
  const { folder, files, clock, own, liveness, runId, stages, intervalMs = 1_000, onError, scheduler } = options;
  const startedAt = clock.now();
  const statusFolder = join(folder, 'status');
  const ownName = statusName(own);
  const forecast = new DiskForecast();
  let latest = emptyStatus;
  const report = sayOnce(onError);
  let writing: Promise<void> = Promise.resolve();

  async function write(ended: boolean): Promise<void> {
    try {
      const at = clock.now();
      const space = options.disk?.() ?? null;
      const disk = space && forecast.take(space, at);
      const lastImage = options.lastImage?.() ?? null;
      const status = statusOf(latest, own, { runId, runs: stages, startedAt, at, disk, lastImage });
      if (ended) {
        status.state = 'stopped';
        for (const stage of Object.values(status.stages)) {
          if (stage.state !== 'off') stage.state = 'stopped';
          // Cut short, they had no time to say that it was released.
          stage.in_flight = 0;
          stage.late = null;
        }
      }
      await makeFolder(files, statusFolder);
      await rewriteStatus(files, join(statusFolder, ownName), JSON.stringify(status));
      const merged = mergeStatuses([status, ...(await others())]);
      await rewriteStatus(files, join(folder, statusFileName), JSON.stringify(merged, null, 1));
      report(null);
    } catch (error) {
      report(error as Error);
    }
  }

  /** What the other living processes say; the file of one that is gone is removed. */
  async function others(): Promise<ProcessStatus[]> {
    const found: ProcessStatus[] = [];
    for (const name of await files.list(statusFolder)) {
      if (!name.endsWith('.json') || name === ownName) continue;
      const path = join(statusFolder, name);
      const status = await readProcessStatus(files, path).catch(() => null);
      // What does not say when it was written is left to whoever has put it there.
      if (!status?.started || !status.heartbeat) continue;
      const alive = liveness(status);
      const silent = !(clock.now() - parseIso(status.heartbeat) < silentMs);
      if (alive === 'gone' || (alive === 'unknown' && silent)) await removeFile(files, path);
      else found.push(status);
    }
    return found;
  }

  return {
    follow: events$ =>
      concat(
        sampleStatus(events$, intervalMs, scheduler).pipe(
          tap(state => {
            latest = state;
          }),
          exhaustMap(() => (writing = write(false))),
          ignoreElements(),
        ),
        defer(() => write(true)).pipe(ignoreElements()),
      ),
    stopped: async () => {
      await writing;
      await write(true);
    },
  };
}
