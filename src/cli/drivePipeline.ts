import { setTimeout as wait } from 'node:timers/promises';
import { connect, merge, tap } from 'rxjs';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import { systemClock } from '../model/clock.ts';
import type { PipelineEvent } from '../model/event.ts';
import type { Pipeline } from '../openPipeline.ts';
import { statusFile } from '../sinks/statusFile.ts';
import { nodeFiles } from '../storage/files.ts';
import { livenessOf, ownIdentity } from '../storage/processIdentity.ts';
import { type StopSignal, stopRequests, stopSignals$ } from '../streams/stopSignals.ts';
import type { ConsoleOutput } from './consoleOutput.ts';
import { cutShortCode } from './exitCodes.ts';

/** What is in flight at a second signal has so long to be given back, ms. */
const cutShortMs = 900;

export interface DriveOptions {
  paths: ResolvedPaths;
  output: ConsoleOutput;
  onEvent: (event: PipelineEvent) => void;
}

/**
 * Runs a pipeline to its end and closes it: the one place that turns signals into draining and cutting short.
 *
 * @returns the signal that ended it, or null when its work was done. Ends the process itself when it is cut short.
 */
export async function drivePipeline(
  pipeline: Pipeline,
  { paths, output, onEvent }: DriveOptions,
): Promise<StopSignal | null> {
  let stoppedBy: StopSignal | null = null;
  await new Promise<void>((resolve, reject) => {
    const running = pipeline.events$
      .pipe(
        connect(events$ =>
          merge(
            events$.pipe(tap(onEvent)),
            statusFile(events$, {
              folder: paths.flags,
              files: nodeFiles,
              clock: systemClock,
              own: ownIdentity,
              liveness: livenessOf,
              onError: error => output.error(`the status can't be written: ${error.message}`),
            }),
          ),
        ),
      )
      .subscribe({ error: reject, complete: resolve });
    const signals = stopSignals$()
      .pipe(stopRequests(() => systemClock.monotonic()))
      .subscribe(({ signal, how }) => {
        if (how === 'drain' && stoppedBy === null) {
          stoppedBy = signal;
          output.line(`${signal}: finishing what is in flight (again to cut it short)`);
          pipeline.stop();
        } else if (how === 'cut') {
          running.unsubscribe();
          void cutShort(pipeline, signal, output);
        }
      });
    running.add(() => signals.unsubscribe());
  });
  output.progress('');
  await pipeline.close(false);
  return stoppedBy;
}

/** Outcomes in flight are dropped, claims given back, the journal synced; then the process ends whatever still runs. */
async function cutShort(pipeline: Pipeline, signal: StopSignal, output: ConsoleOutput): Promise<never> {
  output.line(`${signal}: cut short`);
  await Promise.race([pipeline.close(true).catch(() => undefined), wait(cutShortMs)]);
  process.exit(cutShortCode(signal));
}
