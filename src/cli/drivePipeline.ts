import { setTimeout as wait } from 'node:timers/promises';
import { connect, merge, type Observable, Subscription, tap } from 'rxjs';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import { withAccessHint } from '../files/accessHint.ts';
import { diskSpace } from '../files/diskSpace.ts';
import { nodeFiles } from '../files/files.ts';
import { ownIdentity } from '../files/processIdentity.ts';
import { systemClock } from '../model/clock.ts';
import type { PipelineEvent } from '../model/event.ts';
import type { StageName } from '../model/stageName.ts';
import type { Pipeline } from '../openPipeline.ts';
import { audit } from '../sinks/audit/audit.ts';
import { auditRun } from '../sinks/audit/auditRun.ts';
import { healthReport } from '../sinks/health/healthReport.ts';
import { logFile } from '../sinks/log/logFile.ts';
import { statusFile } from '../sinks/status/statusFile.ts';
import { LogReader } from '../streams/console/logReader.ts';
import { type StopSignal, stopRequests, stopSignals$ } from '../streams/stopSignals.ts';
import { endNow } from './endNow.ts';
import { signalExitCode } from './exitCodes.ts';

/** What is in flight at a second signal has so long to be released, ms. */
const abortMs = 900;
const beforeEndMs = 300;

export interface DriveOptions {
  paths: ResolvedPaths;
  /** How long a log file is written to, ms; the first value comes at once. */
  logIntervalMs$: Observable<number>;
  /** Requests to stop, from signals unless given. */
  stops$?: Observable<StopSignal>;
  onEvent: (event: PipelineEvent) => void;
  /** What a person should read, now: that it stops, or what can't be written. */
  say: (line: string) => void;
  /** Called right before the end of the process, when it was cut short: gives the terminal back. */
  beforeEnd?: () => void | Promise<void>;
}

/** How a run is shown: what `drivePipeline` tells while it goes on. */
export type RunView = Required<Pick<DriveOptions, 'onEvent' | 'say' | 'beforeEnd'>>;

/**
 * Runs a pipeline to its end and closes it, with status file and log: the one place that turns signals into draining and
 * cutting short. From then on no signal ends the process by itself: what follows is short, and a second press of the same
 * keys must not cut it off.
 *
 * @returns the signal that ended it, or null when its work was done. Ends the process itself when it is cut short.
 */
export async function drivePipeline(pipeline: Pipeline, options: DriveOptions): Promise<StopSignal | null> {
  const { paths, logIntervalMs$, stops$ = stopSignals$(), onEvent, say, beforeEnd } = options;
  let stoppedBy: StopSignal | null = null;
  let closing: Promise<void> | null = null;
  const running = new Subscription();
  const status = statusFile({
    folder: paths.flags,
    files: pipeline.statusFiles,
    clock: systemClock,
    own: ownIdentity,
    liveness: pipeline.liveness,
    runId: pipeline.runId,
    stages: pipeline.stages,
    disk: () => diskSpace(paths.root),
    lastImage: pipeline.lastImage,
    onError: error => say(`the status can't be written: ${withAccessHint(error)}`),
  });

  /** Outcomes in flight are dropped, claims released, the journal synced; then the process ends whatever still runs. */
  const abort = async (signal: StopSignal): Promise<never> => {
    say(`${signal}: cut short`);
    const over = Promise.allSettled([closing, status.stopped()]);
    await Promise.race([over, wait(abortMs)]);
    await Promise.race([Promise.resolve(beforeEnd?.()).catch(() => undefined), wait(beforeEndMs)]);
    endNow(signalExitCode(signal));
  };

  stops$.pipe(stopRequests()).subscribe(({ signal, how }) => {
    if (how === 'cut') {
      running.unsubscribe();
      closing ??= pipeline.close(true);
      void abort(signal);
    } else if (stoppedBy === null && closing === null) {
      stoppedBy = signal;
      say(`${signal}: finishing what is in work (again to cut it short)`);
      pipeline.stop();
    }
  });
  const log = logAlarm(pipeline, paths.logs);
  await new Promise<void>((resolve, reject) => {
    running.add(
      pipeline.events$
        .pipe(
          connect(events$ =>
            merge(
              events$.pipe(
                tap(event => {
                  log.see(event);
                  onEvent(event);
                }),
              ),
              status.follow(events$),
              healthReport(events$, {
                folder: paths.results,
                files: pipeline.files,
                clock: systemClock,
                root: paths.root,
                readLog: () =>
                  new LogReader({ folder: paths.logs, name: 'phorest', files: nodeFiles, maxLines: 500 }).past(),
                onError: error => say(`the health report can't be drawn: ${error.message}`),
              }),
              auditRun(events$, pipeline.stages, what => audit(paths, systemClock.now(), what, say, pipeline.files)),
              logFile(events$, {
                folder: paths.logs,
                files: pipeline.files,
                intervalMs$: logIntervalMs$,
                onError: error => {
                  say(log.raise(error));
                },
                onResolved: log.clear,
              }),
            ),
          ),
        )
        .subscribe({ error: reject, complete: resolve }),
    );
  }).catch(async (error: unknown) => {
    closing = pipeline.close(true);
    await closing;
    throw error;
  });
  closing = pipeline.close(false);
  await closing;
  return stoppedBy;
}

/**
 * The log that can't be written stands as an alarm where the stages' alarms do, until it can be written again: of the health stage, else of
 * the last stage that is on.
 */
export function logAlarm({ stages, report }: Pick<Pipeline, 'stages' | 'report'>, folder: string) {
  const key = `log ${folder}`;
  const off = new Set<StageName>();
  let raised: { stage: StageName; message: string } | null = null;
  const clear = (): void => {
    if (raised) report({ stage: raised.stage, at: systemClock.now(), kind: 'well', key });
    raised = null;
  };
  const raise = (message: string): void => {
    const on = stages.filter(name => !off.has(name));
    const stage = on.find(name => name === 'health') ?? on.at(-1) ?? stages[0]!;
    if (raised && raised.stage !== stage) clear();
    raised = { stage, message };
    report({ stage, at: systemClock.now(), kind: 'alarm', key, message, retryInMs: 0 });
  };
  return {
    /** Returns the words. */
    raise: (error: Error): string => {
      const message = `the log can't be written: ${withAccessHint(error)}`;
      raise(message);
      return message;
    },
    clear,
    /** Told of each event: a stage may be turned off while the alarm stands. */
    see: (event: PipelineEvent): void => {
      if (event.kind !== 'state') return;
      if (event.state === 'off') off.add(event.stage);
      else off.delete(event.stage);
      if (event.state === 'off' && raised?.stage === event.stage) raise(raised.message);
    },
  };
}
