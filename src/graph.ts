import { isDeepStrictEqual } from 'node:util';
import {
  auditTime,
  combineLatest,
  concat,
  concatMap,
  connect,
  debounce,
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  groupBy,
  ignoreElements,
  type MonoTypeOperatorFunction,
  map,
  merge,
  mergeMap,
  NEVER,
  type Observable,
  type OperatorFunction,
  of,
  pairwise,
  ReplaySubject,
  Subject,
  takeUntil,
  tap,
  throttleTime,
  timer,
} from 'rxjs';
import type { Config } from './config/schema.ts';
import { configEvents, paceEvents, settingsEvents } from './graphEvents.ts';
import { countedStages } from './manifest/stageWork.ts';
import type { WorkRules } from './manifest/workRules.ts';
import type { Control } from './model/control.ts';
import type { NoteEvent, PipelineEvent, StageEvent } from './model/event.ts';
import type { Hindrance } from './model/hindrance.ts';
import type { StageName } from './model/stage.ts';
import { type BackupDeps, type BackupSettings, backup } from './operators/backup.ts';
import { type CollectDeps, type CollectSettings, collect } from './operators/collect.ts';
import { type CommunicateDeps, type CommunicateSettings, communicate } from './operators/communicate.ts';
import { type CompressDeps, type CompressSettings, compress } from './operators/compress.ts';
import { heldBy } from './operators/heldBy.ts';
import { imageRoom } from './operators/imageRoom.ts';
import { keepSnapshots } from './operators/keepSnapshots.ts';
import { lasting } from './operators/lasting.ts';
import type { WantedRoom } from './operators/noRoom.ts';
import { type ProcessDeps, type ProcessSettings, process } from './operators/process.ts';
import { type RingBufferDeps, type RingBufferSettings, ringBuffer } from './operators/ringBuffer.ts';
import type { StageTools } from './operators/stage.ts';
import { type SyncDeps, type SyncSettings, sync } from './operators/sync.ts';
import { type HealthDeps, type HealthSettings, watchHealth } from './operators/watchHealth.ts';
import { conflate } from './rx/conflate.ts';
import { mergeUntilComplete } from './rx/mergeUntilComplete.ts';
import type { DiskSpace } from './storage/diskSpace.ts';
import type { ConfigUpdate } from './streams/configUpdates.ts';

/** How the settings of each stage follow from the configuration. A stage sees these and nothing else of it. */
export interface StageSettings {
  collector: (config: Config) => CollectSettings;
  processor: (config: Config) => Omit<ProcessSettings, 'roiManifestText'>;
  communicator: (config: Config) => CommunicateSettings;
  compressor: (config: Config) => CompressSettings;
  syncer: (config: Config) => SyncSettings;
  ring_buffer: (config: Config) => RingBufferSettings;
  backup: (config: Config) => BackupSettings;
  health: (config: Config) => HealthSettings;
}

/** The stages that the graph joins. */
export type GraphStage = keyof StageSettings;

/** How often the configuration asks a stage to come round, and for how many items; null: no oftener than there is work. */
export interface Pace {
  intervalMs: number | null;
  perMinute: number | null;
}

export interface GraphParts
  extends Omit<CollectDeps, 'tools' | 'room'>,
    Omit<ProcessDeps, 'tools'>,
    Omit<CommunicateDeps, 'tools'> {
  /** Cold; connected once, here. When it completes there will be no new settings, and the pipeline ends with its work. */
  config$: Observable<ConfigUpdate>;
  settings: StageSettings;
  pace: (config: Config) => Partial<Record<GraphStage, Pace>>;
  /** Which stages each entry must pass; `setRules` tells the manifest. */
  rules: (config: Config) => WorkRules;
  setRules: (rules: WorkRules) => Promise<void>;
  compressor: Omit<CompressDeps, 'tools' | 'manifest' | 'files'>;
  syncer: Omit<SyncDeps, 'tools' | 'manifest' | 'files'>;
  ringBuffer: Omit<RingBufferDeps, 'tools' | 'manifest' | 'files' | 'space$' | 'waitingImage'>;
  /** Its files are those for `backup_dir`, which may be on another disk than the rest. */
  backup: Omit<BackupDeps, 'tools' | 'manifest'>;
  /** `backup_dir`, where snapshots of the configuration and the ROI manifest are kept too. */
  backupFolder: string;
  health: Omit<HealthDeps, 'tools' | 'manifest'>;
  /** How much of the disk shall stay free. */
  wantedRoom: (config: Config) => WantedRoom;
  /** What is free on the disk of the images, from time to time; null where it can't be asked. */
  space$: Observable<DiskSpace | null>;
  /** Null while the experiment is on the disk that it belongs on. The first value comes at once. */
  here$: Observable<Hindrance | null>;
  /** Which stages shall rest. Cold; connected once, here. The first value comes at once. Never completes, and never errors. */
  control$: Observable<Control>;
  /** Text of the ROI manifest and of each change of it; null while it is not there. */
  roiManifest$: Observable<string | null>;
  /** Emits when another process may have changed the manifest. */
  manifestTouched$: Observable<unknown>;
  /** Stages that this process runs; others may run in other processes, on the same manifest. */
  stages: readonly StageName[];
  tools: Omit<StageTools, 'upstreamDone$' | 'paused$' | 'alive'>;
}

/** So long a missing ROI manifest may take to come, ms. */
const roiManifestGraceMs = 1000;
/** A manifest that grows slowly is published at least so often, ms. */
const quietFoldMs = 600_000;
/** The counts of waiting entries are told at most so often, ms; signs of life of a stage too. */
const countsEveryMs = 500;
const beatEveryMs = 1000;

/**
 * The pipeline as one observable of what happens in it. DESIGN has the picture; this is the picture as code:
 *
 *     config$, control$ ──► collect ──► manifest ──► process ──► results ──► communicate
 *                                          │ ▲
 *                                          ├─► compress ──► sync ──► ring buffer
 *                                          └─► backup
 *
 * Subscribe once. It completes when its work is done, or after `tools.stop$` when what was in flight is; each stage has
 * closed what it opened by then. It errors only with an error of `config$`. Unsubscribing cuts everything short: see
 * `tools.track`.
 */
export function graph(parts: GraphParts): Observable<PipelineEvent> {
  const { config$, control$, tools } = parts;
  const news$ = connect((updates$: Observable<ConfigUpdate>) => {
    const settings$ = updates$.pipe(
      filter(update => update.kind === 'loaded'),
      map(({ config }) => config),
    );
    const told$ = updates$.pipe(concatMap(update => configEvents(update, tools.clock.now())));
    const paces$ = settings$.pipe(concatMap(config => paceEvents(parts, config)));
    const changes$ = settings$.pipe(
      pairwise(),
      concatMap(([before, after]) => settingsEvents(parts, before, after)),
    );
    const run = (wishes$: Observable<Control>): Observable<PipelineEvent> => {
      const seen$ = wishes$.pipe(map(control => ({ kind: 'control' as const, at: tools.clock.now(), ...control })));
      return stages(parts, settings$, wishes$).pipe(mergeUntilComplete(merge(told$, paces$, changes$, seen$)));
    };
    return control$.pipe(connect(run, { connector: () => new ReplaySubject(1) }));
  });
  return config$.pipe(news$);
}

function stages(
  parts: GraphParts,
  config$: Observable<Config>,
  control$: Observable<Control>,
): Observable<PipelineEvent> {
  const { settings, roiManifest$, manifest, manifestTouched$, tools } = parts;
  const runs = (stage: GraphStage): boolean => parts.stages.includes(stage);
  const alive$ = new Subject<StageName>();
  const toolsOf = (stage: GraphStage, flow: Partial<StageTools> = {}): StageTools => ({
    ...tools,
    paused$: control$.pipe(
      map(({ paused }) => paused.includes(stage)),
      distinctUntilChanged(),
    ),
    alive: name => alive$.next(name),
    upstreamDone$: NEVER,
    ...flow,
  });
  const beats$ = alive$.pipe(
    groupBy(stage => stage),
    mergeMap(ofStage$ => ofStage$.pipe(throttleTime(beatEveryMs, tools.scheduler))),
    map(stage => ({ stage, at: tools.clock.now(), kind: 'beat' as const })),
  );
  const section$ = <S>(pick: (config: Config) => S): Observable<S> =>
    config$.pipe(map(pick), distinctUntilChanged<S>(isDeepStrictEqual), takeUntil(tools.stop$));

  /** A stage, and what others must know of its end. It rests while the experiment's disk is not there. */
  const join = <S>(
    stage: GraphStage,
    settings$: Observable<S>,
    build: (tools: StageTools) => OperatorFunction<S, StageEvent>,
    flow: Partial<StageTools> = {},
  ): Joined => {
    const { mark, done$, ended$ } = ending(runs(stage));
    const events$ = settings$.pipe(heldBy(stage, parts.here$, toolsOf(stage, flow), build), mark);
    return { events$: runs(stage) ? events$ : EMPTY, done$, ended$ };
  };

  const room = imageRoom({
    ...parts,
    wanted$: section$(parts.wantedRoom),
    clock: tools.clock,
    measureSpace: parts.ringBuffer.measureSpace,
  });
  const collected = join('collector', section$(settings.collector), ofStage =>
    collect({ ...parts, tools: ofStage, room }),
  );

  const notes$ = new Subject<NoteEvent>();
  const keepWatching = <T>(what: string): MonoTypeOperatorFunction<T> => lasting({ ...tools, what, notes$ });
  const seenRois$ = new ReplaySubject<string | null>(1);
  const rois$ = roiManifest$.pipe(
    keepWatching('the ROI manifest is not watched'),
    distinctUntilChanged(),
    tap(seenRois$),
    // The simulated camera writes it a moment after the start: that it is not there yet is no alarm.
    debounce(text => (text === null ? timer(roiManifestGraceMs, tools.scheduler) : of(0))),
    takeUntil(tools.stop$),
  );
  const processed = join(
    'processor',
    combineLatest([section$(settings.processor), rois$]).pipe(
      map(([section, roiManifestText]) => ({ ...section, roiManifestText })),
    ),
    ofStage => process({ ...parts, tools: ofStage }),
    { upstreamDone$: collected.done$ },
  );

  const communicated = join(
    'communicator',
    section$(settings.communicator),
    ofStage => communicate({ ...parts, tools: ofStage }),
    // What the processor still finishes after a stop is reported too.
    { stop$: combineLatest([tools.stop$, processed.ended$]), upstreamDone$: processed.done$ },
  );

  const compressed = join(
    'compressor',
    section$(settings.compressor),
    ofStage => compress({ ...parts, ...parts.compressor, tools: ofStage }),
    { upstreamDone$: processed.done$ },
  );

  const synced = join(
    'syncer',
    section$(settings.syncer),
    ofStage => sync({ ...parts, ...parts.syncer, tools: ofStage }),
    {
      // Its last round has what the others still write.
      stop$: combineLatest([tools.stop$, communicated.ended$, compressed.ended$]),
      upstreamDone$: combineLatest([communicated.done$, compressed.done$]),
    },
  );

  const removed = join(
    'ring_buffer',
    // The manifest must know first what an image has to pass: it queues what may go.
    section$(settings.ring_buffer).pipe(
      concatMap(async section => {
        await parts.setRules(section.rules);
        return section;
      }),
    ),
    ofStage => ringBuffer({ ...parts, ...parts.ringBuffer, waitingImage: () => room.waiting, tools: ofStage }),
    { upstreamDone$: combineLatest([communicated.done$, synced.done$]) },
  );

  const backedUp = join(
    'backup',
    section$(settings.backup),
    ofStage => backup({ ...parts, ...parts.backup, tools: ofStage }),
    { upstreamDone$: combineLatest([communicated.done$, synced.done$]) },
  );

  const others = [collected, processed, communicated, compressed, synced, removed, backedUp];
  const watched = join(
    'health',
    section$(settings.health),
    ofStage => watchHealth({ ...parts.health, manifest, tools: ofStage }),
    { upstreamDone$: combineLatest(others.map(({ ended$ }) => ended$)) },
  );

  const running$ = merge(...[...others, watched].map(({ events$ }) => events$));
  const snapshots$ = keepSnapshots({
    ...tools,
    config$,
    roiManifest$: seenRois$,
    files: parts.backup.files,
    folder: parts.backupFolder,
    notes$,
  });
  const rules$ = section$(parts.rules).pipe(
    concatMap(rules => parts.setRules(rules)),
    ignoreElements(),
  );
  const others$ = merge(of(undefined), manifestTouched$).pipe(
    conflate(() => manifest.catchUp()),
    keepWatching('changes by other processes are not seen'),
    ignoreElements(),
  );
  const folds$ = timer(quietFoldMs, quietFoldMs, tools.scheduler).pipe(
    conflate(() => manifest.fold()),
    keepWatching(`the manifest can't be folded`),
    ignoreElements(),
  );
  const counts$ = defer(() =>
    countedStages
      .filter(stage => parts.stages.includes(stage))
      .map<PipelineEvent>(stage => ({
        stage,
        at: tools.clock.now(),
        kind: 'queued',
        count: manifest.waiting(stage),
      })),
  );
  const countsOnChange$ = manifest.changes$.pipe(
    auditTime(countsEveryMs, tools.scheduler),
    concatMap(() => counts$),
  );
  return concat(
    running$.pipe(
      mergeUntilComplete(merge(notes$, snapshots$, rules$, others$, folds$, beats$, counts$, countsOnChange$)),
    ),
    counts$,
  );
}

interface Joined extends Pick<Ending, 'done$' | 'ended$'> {
  events$: Observable<PipelineEvent>;
}

interface Ending {
  /** Tells those downstream when the stage has completed. */
  mark: MonoTypeOperatorFunction<PipelineEvent>;
  /** It has, and nothing more will come from it; never when it runs in other processes. */
  done$: Observable<unknown>;
  /** It does not run here any more, if it ever did. */
  ended$: Observable<unknown>;
}

function ending(runsHere: boolean): Ending {
  const completed$ = new ReplaySubject<void>(1);
  return {
    mark: tap({ complete: () => completed$.next() }),
    done$: runsHere ? completed$ : NEVER,
    ended$: runsHere ? completed$ : of(undefined),
  };
}
