import { merge, type Observable, Subject } from 'rxjs';
import { systemClock } from '../model/clock.ts';
import { type StopSignal, stopSignals$ } from '../streams/stopSignals.ts';
import type { CommandContext } from './commandDefinition.ts';
import { drivePipeline, type RunView } from './drivePipeline.ts';
import { exitCodes } from './exitCodes.ts';
import { gapWords, HandOver, nextFrame } from './handOver.ts';
import { type ConfiguredPipeline, openConfigured } from './openConfigured.ts';
import { ownConsole } from './ownConsole.ts';
import { resultLines } from './resultLines.ts';
import { RunProgress } from './runProgress.ts';
import { startPipeline } from './startPipeline.ts';

export interface RunOptions {
  stages?: string;
  logFormat: 'pretty' | 'json';
  takeOver?: true;
  /** False: `--no-console`. */
  console: boolean;
}

/** The pipeline in this process until a signal: with the console on a terminal, else a line an event. */
export async function runInForeground(context: CommandContext, options: RunOptions): Promise<number> {
  const { output } = context;
  const { logFormat } = options;
  const opened = await openConfigured(context, { ...options, onWait: message => output.line(message) });
  const { pipeline, paths, logIntervalMs$ } = opened;
  const withConsole = output.isInteractive && options.console && logFormat === 'pretty';
  const progress = new RunProgress();
  const consoleStops$ = new Subject<StopSignal>();
  const handOver = new HandOver();
  const view = withConsole
    ? ownConsole(context, opened, consoleStops$, handOver)
    : lines(context, options, opened, progress);
  const stoppedBy = await drivePipeline(pipeline, {
    paths,
    logIntervalMs$,
    stops$: merge(stopSignals$(), consoleStops$) as Observable<StopSignal>,
    ...view,
    onEvent: event => {
      progress.take(event);
      handOver.take(event);
      view.onEvent(event);
    },
  }).finally(() => view.beforeEnd());
  if (logFormat === 'pretty') {
    const how = stoppedBy === null ? 'done' : stoppedBy === 'SIGINT' ? 'stopped' : `stopped by ${stoppedBy}`;
    output.line(`${how}: ${progress.summary()}`);
    for (const line of resultLines(paths)) output.line(line);
  }
  if (handOver.isAsked) return goOnInBackground(context, options, opened, handOver.lastFrame);
  return exitCodes.done;
}

/** Starts what has ended here in the background, and says what that cost. @throws ExitError when it does not start */
async function goOnInBackground(
  context: CommandContext,
  { stages }: RunOptions,
  { paths, config }: ConfiguredPipeline,
  lastFrame: number | null,
): Promise<number> {
  const code = await startPipeline(context, stages === undefined ? {} : { stages });
  const intervalMs = config.Timing.collector_interval_seconds * 1000;
  const next = lastFrame === null ? null : await nextFrame(paths.pipelineStatusFile, lastFrame, intervalMs);
  context.output.line(gapWords(lastFrame, next, intervalMs));
  return code;
}

function lines(
  { output }: CommandContext,
  { logFormat }: RunOptions,
  { pipeline, paths }: ConfiguredPipeline,
  progress: RunProgress,
): RunView {
  if (logFormat === 'pretty') output.line(`experiment ${paths.root} · run ${pipeline.runId} · stop with Ctrl-C`);
  return {
    say: line => output.line(line),
    beforeEnd: () => output.progress(''),
    onEvent: event => {
      output.event(event, logFormat);
      if (logFormat === 'pretty') output.progress(progress.line(systemClock.now()));
    },
  };
}
