import { setTimeout as wait } from 'node:timers/promises';
import { connect, merge, Subscription, tap } from 'rxjs';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import { systemClock } from '../model/clock.ts';
import type { PipelineEvent } from '../model/event.ts';
import type { Pipeline } from '../openPipeline.ts';
import { statusFile } from '../sinks/statusFile.ts';
import { diskSpace } from '../storage/diskSpace.ts';
import { nodeFiles } from '../storage/files.ts';
import { livenessOf, ownIdentity } from '../storage/processIdentity.ts';
import { type StopSignal, stopRequests, stopSignals$ } from '../streams/stopSignals.ts';
import type { ConsoleOutput } from './consoleOutput.ts';
import { endNow } from './endNow.ts';
import { cutShortCode } from './exitCodes.ts';

/** What is in flight at a second signal has so long to be given back, ms. */
const cutShortMs = 900;

export interface DriveOptions {
  paths: ResolvedPaths;
  output: ConsoleOutput;
  onEvent: (event: PipelineEvent) => void;
}

/**
 * Runs a pipeline to its end and closes it: the one place that turns signals into draining and cutting short. From then on
 * no signal ends the process by itself: what follows is short, and a second press of the same keys must not cut it off.
 *
 * @returns the signal that ended it, or null when its work was done. Ends the process itself when it is cut short.
 */
export async function drivePipeline(
  pipeline: Pipeline,
  { paths, output, onEvent }: DriveOptions,
): Promise<StopSignal | null> {
  let stoppedBy: StopSignal | null = null;
  let closing: Promise<void> | null = null;
  const running = new Subscription();
  stopSignals$()
    .pipe(stopRequests(() => systemClock.monotonic()))
    .subscribe(({ signal, how }) => {
      if (how === 'cut') {
        running.unsubscribe();
        closing ??= pipeline.close(true);
        void cutShort(closing, signal, output);
      } else if (stoppedBy === null && closing === null) {
        stoppedBy = signal;
        output.line(`${signal}: finishing what is in flight (again to cut it short)`);
        pipeline.stop();
      }
    });
  await new Promise<void>((resolve, reject) => {
    running.add(
      pipeline.events$
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
                disk: () => diskSpace(paths.root),
                onError: error => output.error(`the status can't be written: ${error.message}`),
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
  output.progress('');
  closing = pipeline.close(false);
  await closing;
  return stoppedBy;
}

/** Outcomes in flight are dropped, claims given back, the journal synced; then the process ends whatever still runs. */
async function cutShort(closing: Promise<void>, signal: StopSignal, output: ConsoleOutput): Promise<never> {
  output.line(`${signal}: cut short`);
  await Promise.race([closing.catch(() => undefined), wait(cutShortMs)]);
  endNow(cutShortCode(signal));
}
