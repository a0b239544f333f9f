import { merge, type Observable, Subject } from 'rxjs';
import { systemClock } from '../model/clock.ts';
import { type StopSignal, stopSignals$ } from '../streams/stopSignals.ts';
import type { CommandContext } from './commandDefinition.ts';
import { drivePipeline, type RunView } from './drivePipeline.ts';
import { exitCodes } from './exitCodes.ts';
import { type ConfiguredPipeline, openConfigured } from './openConfigured.ts';
import { ownConsole } from './ownConsole.ts';
import { resultLines } from './resultLines.ts';
import { RunProgress } from './runProgress.ts';

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
  const view = withConsole ? ownConsole(context, opened, consoleStops$) : lines(context, options, opened, progress);
  const stoppedBy = await drivePipeline(pipeline, {
    paths,
    logIntervalMs$,
    stops$: merge(stopSignals$(), consoleStops$) as Observable<StopSignal>,
    ...view,
    onEvent: event => {
      progress.take(event);
      view.onEvent(event);
    },
  }).finally(() => view.beforeEnd());
  if (logFormat === 'pretty') {
    output.line(`${stoppedBy ?? 'done'}: ${progress.summary()}`);
    for (const line of resultLines(paths)) output.line(line);
  }
  return exitCodes.done;
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
