import { connect, EMPTY, map, merge, type Observable } from 'rxjs';
import type { ExperimentOptions } from './experimentBasics.ts';
import type { Files } from './files/files.ts';
import { ownIdentity } from './files/processIdentity.ts';
import { graph } from './graph.ts';
import { followLastImage } from './manifest/lastImage.ts';
import { systemClock } from './model/clock.ts';
import type { NoteEvent, PipelineEvent } from './model/event.ts';
import type { StageName } from './model/stageName.ts';
import type { LastImage } from './model/status.ts';
import { plainErrors } from './model/systemErrors.ts';
import { type OpenedExperiment, openExperiment } from './openExperiment.ts';
import type { Experiment } from './operators/stage/experiment.ts';
import { mergeUntilComplete } from './rx/mergeUntilComplete.ts';
import { type AlarmSettings, alarms } from './sinks/alarms/alarms.ts';
import { followQuantities } from './sinks/quantities/followQuantities.ts';
import type { QuantitySettings } from './sinks/quantities/readQuantities.ts';
import type { ConfigUpdate } from './streams/configuration/configUpdates.ts';
import { control$ } from './streams/control/controlFile.ts';

export interface PipelineOptions extends ExperimentOptions {
  /** The configuration that counts at the start, and what follows. */
  config$: Observable<ConfigUpdate>;
  /** What is to say of the configuration and the ROI manifest: warnings for the log. */
  warnings$?: Observable<string>;
  /** Who is told of alarms, and how; the first value comes at once. */
  alarms$: Observable<AlarmSettings>;
  /** What is computed from the results; the first value comes at once. */
  quantities$: Observable<QuantitySettings>;
}

export interface Pipeline
  extends Pick<OpenedExperiment, 'statusFiles' | 'report' | 'stop' | 'close'>,
    Pick<Experiment, 'liveness'> {
  /** What happens in it. Subscribe once; completes when the work is done, or after {@link stop}. */
  readonly events$: Observable<PipelineEvent>;
  readonly runId: string;
  /** The image that was collected last, by whatever process. */
  readonly lastImage: () => LastImage | null;
  /** Files that are written only while the experiment's disk is there. */
  readonly files: Files;
  /** Those that this process runs. */
  readonly stages: readonly StageName[];
}

/** What is said of an event is for people, also where the words are the operating system's. */
function inPlainWords(event: PipelineEvent): PipelineEvent {
  switch (event.kind) {
    case 'alarm':
    case 'note':
      return { ...event, message: plainErrors(event.message) };
    case 'failed':
    case 'config_error':
      return { ...event, error: plainErrors(event.error) };
    case 'discarded':
      return { ...event, reason: plainErrors(event.reason) };
    default:
      return event;
  }
}

/** The graph on an opened experiment, with its alarms. Nothing moves before `events$` is subscribed to. @throws as `openExperiment` */
export async function openPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { paths, stages } = options;
  const opened = await openExperiment(options);
  const { experiment, report, pausedBy$, stop$, prepare } = opened;
  const { queue, files, runId, note } = experiment;
  const warnings$ = (options.warnings$ ?? EMPTY).pipe(
    map((message): NoteEvent => ({ kind: 'note', at: systemClock.now(), level: 'warning', stage: null, message })),
  );
  const events$ = graph(experiment, {
    config$: options.config$,
    control$: control$(paths.controlFile, message => note('warning', message)),
    pausedBy$,
    stop$,
    stages,
    prepare,
  }).pipe(
    mergeUntilComplete<PipelineEvent>(merge(opened.events$, warnings$)),
    map(inPlainWords),
    connect(reported$ =>
      // One process of an experiment has this stage.
      stages.includes('communicator')
        ? merge(
            reported$,
            followQuantities(reported$, {
              settings$: options.quantities$,
              files,
              results: paths.results,
              clock: systemClock,
            }),
          )
        : reported$,
    ),
    connect(reported$ =>
      merge(
        reported$,
        alarms(reported$, {
          settings$: options.alarms$,
          root: paths.root,
          host: ownIdentity.host,
          runId,
          clock: systemClock,
          random: Math.random,
        }),
      ),
    ),
  );
  const { statusFiles, stop, close } = opened;
  const lastImage = followLastImage(queue);
  return {
    runId,
    lastImage,
    files,
    liveness: experiment.liveness,
    statusFiles,
    stages,
    events$,
    report,
    stop,
    close,
  };
}
