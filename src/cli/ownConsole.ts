import { bufferTime, filter, map, merge, type Observable, ReplaySubject, Subject, shareReplay, takeUntil } from 'rxjs';
import type { ConsoleSources } from '../console/consoleSources.ts';
import type { ConsoleEnd } from '../console/openConsole.ts';
import { diskSpace } from '../files/diskSpace.ts';
import { ownIdentity } from '../files/processIdentity.ts';
import { systemClock } from '../model/clock.ts';
import type { PipelineEvent } from '../model/event.ts';
import type { LogLine } from '../model/logLine.ts';
import { oneLine } from '../model/shownText.ts';
import { eventLevel, eventSource, eventWords } from '../sinks/log/eventLines.ts';
import { DiskForecast } from '../sinks/status/diskForecast.ts';
import { mergeStatuses } from '../sinks/status/mergeStatuses.ts';
import { sampleStatus } from '../sinks/status/sampleStatus.ts';
import { statusOf } from '../sinks/status/statusOfEvents.ts';
import type { StopSignal } from '../streams/stopSignals.ts';
import type { CommandContext } from './commandDefinition.ts';
import type { RunView } from './drivePipeline.ts';
import type { HandOver } from './handOver.ts';
import { hostConsole } from './hostConsole.ts';
import type { ConfiguredPipeline } from './openConfigured.ts';
import { openConsoleSources } from './openConsoleSources.ts';
import { otherExperiment } from './otherExperiment.ts';
import { showConsole } from './showConsole.ts';
import { showOther } from './showOther.ts';

/** The status is made anew this often, and log lines are handed on, ms. */
const statusEveryMs = 500;
const linesEveryMs = 250;

/**
 * The console of a pipeline that runs in this same process: status and log come from its events, so that they are there also
 * when nothing can be written. It is on the screen at once, and gone when `beforeEnd` has resolved.
 *
 * @param stops$ told when its user asks the pipeline to stop.
 * @param handOver told when its user leaves the pipeline in the background, which stops it here.
 */
export function ownConsole(
  context: CommandContext,
  opened: ConfiguredPipeline,
  stops$: Subject<StopSignal>,
  handOver: HandOver,
): RunView {
  const events$ = new ReplaySubject<PipelineEvent>(maxEarlyEvents);
  const said$ = new Subject<LogLine>();
  const over$ = new Subject<void>();
  // Another experiment may be shown meanwhile: what is known of this one is kept for the way back.
  const status$ = ownStatus$(events$, opened).pipe(takeUntil(over$), shareReplay({ bufferSize: 1, refCount: false }));
  const log$ = ownLog$(events$, said$).pipe(
    takeUntil(over$),
    shareReplay({ bufferSize: keptBatches, refCount: false }),
  );
  const sources = openConsoleSources(opened, { status$, log$ });
  const host = {
    ...hostConsole(context, opened, () => stops$.next('SIGINT')),
    handOver: () => {
      handOver.isAsked = true;
      const intervalMs = opened.config.Timing.collector_interval_seconds * 1000;
      handOver.moment$(intervalMs, systemClock.now()).subscribe(() => stops$.next('SIGINT'));
    },
  };
  const ending = new AbortController();
  let failure: Error | null = null;
  const show = async (cameFrom: string | null): Promise<ConsoleEnd> => {
    const end = await showConsole(sources, { ...host, cameFrom }, ending.signal);
    if (end.reason !== 'attach' || end.attachTo === undefined) return end;
    const { root } = opened.paths;
    const other = await showOther(await otherExperiment(context, end.attachTo), root, ending.signal, root);
    // Whoever leaves another experiment comes back to the one of this process.
    return other.reason === 'closed' || other.reason === 'hungUp' ? other : show(end.attachTo);
  };
  const shown = show(null).then(
    ({ reason }) => {
      // Without its terminal nobody could stop it any more.
      if (reason !== 'closed') stops$.next(reason === 'hungUp' ? 'SIGHUP' : 'SIGINT');
    },
    (error: Error) => {
      failure = error;
      stops$.next('SIGTERM');
    },
  );
  return {
    say: text => said$.next({ at: systemClock.now(), level: 'info', source: 'pipeline', text }),
    onEvent: event => events$.next(event),
    beforeEnd: async () => {
      ending.abort();
      await shown;
      over$.next();
      if (failure) throw failure;
    },
  };
}

/** Batches of log lines that are kept. */
const keptBatches = 500;
/** Events from before the console is there. */
const maxEarlyEvents = 1000;

function ownStatus$(
  events$: Observable<PipelineEvent>,
  { pipeline, paths }: ConfiguredPipeline,
): ConsoleSources['status$'] {
  const startedAt = systemClock.now();
  const forecast = new DiskForecast();
  return sampleStatus(events$, statusEveryMs).pipe(
    map(state => {
      const at = systemClock.now();
      const space = diskSpace(paths.root);
      const disk = space && forecast.take(space, at);
      const { runId, lastImage } = pipeline;
      const status = statusOf(state, ownIdentity, { runId, startedAt, at, disk, lastImage: lastImage() });
      return { connection: 'running', status: mergeStatuses([status]) };
    }),
  );
}

function lineOf(event: PipelineEvent): LogLine {
  const { at, ...rest } = event;
  return {
    at,
    level: eventLevel(event),
    source: eventSource(event),
    text: oneLine(eventWords(event)),
    fields: JSON.stringify(rest),
    ...(event.kind === 'alarm' && { alarm: { state: 'raised', key: event.key, message: oneLine(event.message) } }),
    ...(event.kind === 'well' && { alarm: { state: 'over', key: event.key, message: '' } }),
  };
}

function ownLog$(events$: Observable<PipelineEvent>, said$: Observable<LogLine>): ConsoleSources['log$'] {
  const reported$ = events$.pipe(
    filter(event => eventLevel(event) !== 'debug'),
    map(lineOf),
  );
  return merge(reported$, said$).pipe(
    bufferTime(linesEveryMs),
    filter(lines => lines.length > 0),
  );
}
