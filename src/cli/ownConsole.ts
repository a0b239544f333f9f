import { bufferTime, filter, map, merge, type Observable, ReplaySubject, Subject } from 'rxjs';
import type { ConsoleSources } from '../console/consoleSources.ts';
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
import { hostConsole } from './hostConsole.ts';
import type { ConfiguredPipeline } from './openConfigured.ts';
import { openConsoleSources } from './openConsoleSources.ts';
import { showConsole } from './showConsole.ts';

/** The status is made anew this often, and log lines are handed on, ms. */
const statusEveryMs = 500;
const linesEveryMs = 250;

/**
 * The console of a pipeline that runs in this same process: status and log come from its events, so that they are there also
 * when nothing can be written. It is on the screen at once, and gone when `beforeEnd` has resolved.
 *
 * @param stops$ told when its user asks the pipeline to stop.
 */
export function ownConsole(context: CommandContext, opened: ConfiguredPipeline, stops$: Subject<StopSignal>): RunView {
  const events$ = new ReplaySubject<PipelineEvent>(maxEarlyEvents);
  const said$ = new Subject<LogLine>();
  const sources = openConsoleSources(opened, {
    status$: ownStatus$(events$, opened),
    log$: ownLog$(events$, said$),
  });
  const host = hostConsole(context, opened, () => stops$.next('SIGINT'));
  const ending = new AbortController();
  let failure: Error | null = null;
  const shown = showConsole(sources, host, ending.signal).then(
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
      if (failure) throw failure;
    },
  };
}

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
