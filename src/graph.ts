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
  filter,
  groupBy,
  ignoreElements,
  type MonoTypeOperatorFunction,
  map,
  merge,
  mergeMap,
  NEVER,
  type Observable,
  of,
  pairwise,
  ReplaySubject,
  Subject,
  takeUntil,
  tap,
  throttleTime,
  timer,
} from 'rxjs';
import { changedSettings } from './config/changedKeys.ts';
import { describeProblem } from './config/configError.ts';
import type { Config } from './config/schema.ts';
import { queueStages } from './manifest/stageWork.ts';
import type { WorkRules } from './manifest/workRules.ts';
import type { Control } from './model/control.ts';
import type { NoteEvent, PipelineEvent } from './model/event.ts';
import type { StageName } from './model/stage.ts';
import { alongside } from './operators/alongside.ts';
import { type CollectDeps, type CollectSettings, collect } from './operators/collect.ts';
import { type CommunicateDeps, type CommunicateSettings, communicate } from './operators/communicate.ts';
import { type CompressDeps, type CompressSettings, compress } from './operators/compress.ts';
import { conflate } from './operators/conflate.ts';
import { lasting } from './operators/lasting.ts';
import { type ProcessDeps, type ProcessSettings, process } from './operators/process.ts';
import type { StageTools } from './operators/stage.ts';
import { type HealthDeps, type HealthSettings, watchHealth } from './operators/watchHealth.ts';
import type { ConfigUpdate } from './streams/configUpdates.ts';

/** How the settings of each stage follow from the configuration. A stage sees these and nothing else of it. */
export interface StageSettings {
  collector: (config: Config) => CollectSettings;
  processor: (config: Config) => Omit<ProcessSettings, 'roiManifestText'>;
  communicator: (config: Config) => CommunicateSettings;
  compressor: (config: Config) => CompressSettings;
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
  extends Omit<CollectDeps, 'tools'>,
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
  health: Omit<HealthDeps, 'tools' | 'manifest'>;
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
 *                                          └─► compress
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
      return stages(parts, settings$, wishes$).pipe(alongside(merge(told$, paces$, changes$, seen$)));
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

  const collected = ending(runs('collector'));
  const collected$ = section$(settings.collector).pipe(
    collect({ ...parts, tools: toolsOf('collector') }),
    collected.mark,
  );

  const processed = ending(runs('processor'));
  const notes$ = new Subject<NoteEvent>();
  const keepWatching = <T>(what: string): MonoTypeOperatorFunction<T> => lasting({ ...tools, what, notes$ });
  const rois$ = roiManifest$.pipe(
    keepWatching('the ROI manifest is not watched'),
    distinctUntilChanged(),
    // The simulated camera writes it a moment after the start: that it is not there yet is no alarm.
    debounce(text => (text === null ? timer(roiManifestGraceMs, tools.scheduler) : of(0))),
    takeUntil(tools.stop$),
  );
  const processed$ = combineLatest([section$(settings.processor), rois$]).pipe(
    map(([section, roiManifestText]) => ({ ...section, roiManifestText })),
    process({ ...parts, tools: toolsOf('processor', { upstreamDone$: collected.done$ }) }),
    processed.mark,
  );

  const communicated = ending(runs('communicator'));
  const communicated$ = section$(settings.communicator).pipe(
    communicate({
      ...parts,
      // What the processor still finishes after a stop is reported too.
      tools: toolsOf('communicator', {
        stop$: combineLatest([tools.stop$, processed.ended$]),
        upstreamDone$: processed.done$,
      }),
    }),
    communicated.mark,
  );

  const compressed = ending(runs('compressor'));
  const compressed$ = section$(settings.compressor).pipe(
    compress({ ...parts, ...parts.compressor, tools: toolsOf('compressor', { upstreamDone$: processed.done$ }) }),
    compressed.mark,
  );

  const othersDone$ = combineLatest([collected, processed, communicated, compressed].map(({ ended$ }) => ended$));
  const health$ = section$(settings.health).pipe(
    watchHealth({ ...parts.health, manifest, tools: toolsOf('health', { upstreamDone$: othersDone$ }) }),
  );

  const running$ = merge(
    ...(runs('collector') ? [collected$] : []),
    ...(runs('processor') ? [processed$] : []),
    ...(runs('communicator') ? [communicated$] : []),
    ...(runs('compressor') ? [compressed$] : []),
    ...(runs('health') ? [health$] : []),
  );
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
    queueStages
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
    running$.pipe(alongside(merge(notes$, rules$, others$, folds$, beats$, counts$, countsOnChange$))),
    counts$,
  );
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

function configEvents(update: ConfigUpdate, at: number): PipelineEvent[] {
  if (update.kind === 'error') return [{ kind: 'config_error', at, file: update.file, error: update.error.message }];
  const { file, changes, restart, warnings } = update;
  const loaded: PipelineEvent = {
    kind: 'config',
    at,
    file,
    changes,
    warnings: warnings.map(warning => describeProblem(file ?? 'shipped configuration', warning)),
  };
  if (restart.length === 0) return [loaded];
  const message = `takes effect at the next start: ${restart.join(', ')}`;
  return [loaded, { kind: 'note', at, level: 'warning', stage: null, message }];
}

function paceEvents({ pace, stages, tools }: GraphParts, config: Config): PipelineEvent[] {
  const at = tools.clock.now();
  const paces = Object.entries(pace(config)) as [GraphStage, Pace][];
  return paces
    .filter(([stage]) => stages.includes(stage))
    .map(([stage, pace]) => ({ stage, at, kind: 'pace', ...pace }));
}

/** For each stage the changes that it takes over: those that, alone, would give it other settings. */
function settingsEvents({ settings, stages, tools }: GraphParts, before: Config, after: Config): PipelineEvent[] {
  const changed = changedSettings(before, after);
  return (Object.keys(settings) as GraphStage[])
    .filter(stage => stages.includes(stage))
    .flatMap(stage => {
      const old = settings[stage](before);
      const changes = changed
        .filter(({ section, key, effect }) => {
          if (effect !== 'live') return false;
          const value = (after[section] as Readonly<Record<string, unknown>>)[key];
          const alone = { ...before, [section]: { ...before[section], [key]: value } };
          return !isDeepStrictEqual(settings[stage](alone), old);
        })
        .map(({ line }) => line);
      return changes.length ? [{ stage, at: tools.clock.now(), kind: 'settings' as const, changes }] : [];
    });
}
