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
  ignoreElements,
  type MonoTypeOperatorFunction,
  map,
  merge,
  NEVER,
  type Observable,
  of,
  pairwise,
  ReplaySubject,
  Subject,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import { changedSettings } from './config/changedKeys.ts';
import { describeProblem } from './config/configError.ts';
import type { Config } from './config/schema.ts';
import { queueStages } from './manifest/stageWork.ts';
import type { NoteEvent, PipelineEvent } from './model/event.ts';
import type { StageName } from './model/stage.ts';
import { alongside } from './operators/alongside.ts';
import { type CollectDeps, type CollectSettings, collect } from './operators/collect.ts';
import { type CommunicateDeps, type CommunicateSettings, communicate } from './operators/communicate.ts';
import { conflate } from './operators/conflate.ts';
import { lasting } from './operators/lasting.ts';
import { type ProcessDeps, type ProcessSettings, process } from './operators/process.ts';
import type { StageTools } from './operators/stage.ts';
import type { ConfigUpdate } from './streams/configUpdates.ts';

/** How the settings of each stage follow from the configuration. A stage sees these and nothing else of it. */
export interface StageSettings {
  collector: (config: Config) => CollectSettings;
  processor: (config: Config) => Omit<ProcessSettings, 'roiManifestText'>;
  communicator: (config: Config) => CommunicateSettings;
}

/** The stages that the graph joins. */
export type GraphStage = keyof StageSettings;

export interface GraphParts
  extends Omit<CollectDeps, 'tools'>,
    Omit<ProcessDeps, 'tools'>,
    Omit<CommunicateDeps, 'tools'> {
  /** Cold; connected once, here. When it completes there will be no new settings, and the pipeline ends with its work. */
  config$: Observable<ConfigUpdate>;
  settings: StageSettings;
  /** Text of the ROI manifest and of each change of it; null while it is not there. */
  roiManifest$: Observable<string | null>;
  /** Emits when another process may have changed the manifest. */
  manifestTouched$: Observable<unknown>;
  /** Stages that this process runs; others may run in other processes, on the same manifest. */
  stages: readonly StageName[];
  tools: Omit<StageTools, 'upstreamDone$'>;
}

/** So long a missing ROI manifest may take to come, ms. */
const roiManifestGraceMs = 1000;
/** A manifest that grows slowly is published at least so often, ms. */
const quietFoldMs = 600_000;
/** The counts of waiting entries are told at most so often, ms. */
const countsEveryMs = 500;

/**
 * The pipeline as one observable of what happens in it. DESIGN has the picture; this is the picture as code:
 *
 *     config$ ──► collect ──► manifest ──► process ──► results ──► communicate
 *
 * Subscribe once. It completes when its work is done, or after `tools.stop$` when what was in flight is; each stage has
 * closed what it opened by then. It errors only with an error of `config$`. Unsubscribing cuts everything short: see
 * `tools.track`.
 */
export function graph(parts: GraphParts): Observable<PipelineEvent> {
  const { config$, tools } = parts;
  return config$.pipe(
    connect(updates$ => {
      const settings$ = updates$.pipe(
        filter(update => update.kind === 'loaded'),
        map(({ config }) => config),
      );
      const news$ = updates$.pipe(concatMap(update => configEvents(update, tools.clock.now())));
      const changes$ = settings$.pipe(
        pairwise(),
        concatMap(([before, after]) => settingsEvents(parts, before, after)),
      );
      return stages(parts, settings$).pipe(alongside(merge(news$, changes$)));
    }),
  );
}

function stages(parts: GraphParts, config$: Observable<Config>): Observable<PipelineEvent> {
  const { settings, roiManifest$, manifest, manifestTouched$, tools } = parts;
  const runs = (stage: GraphStage): boolean => parts.stages.includes(stage);
  const section$ = <S>(pick: (config: Config) => S): Observable<S> =>
    config$.pipe(map(pick), distinctUntilChanged<S>(isDeepStrictEqual), takeUntil(tools.stop$));

  const collected = ending(runs('collector'));
  const collected$ = section$(settings.collector).pipe(
    collect({ ...parts, tools: { ...tools, upstreamDone$: NEVER } }),
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
    process({ ...parts, tools: { ...tools, upstreamDone$: collected.done$ } }),
    processed.mark,
  );

  const communicated$ = section$(settings.communicator).pipe(
    communicate({
      ...parts,
      // What the processor still finishes after a stop is reported too.
      tools: { ...tools, stop$: combineLatest([tools.stop$, processed.ended$]), upstreamDone$: processed.done$ },
    }),
  );

  const running$ = merge(
    ...(runs('collector') ? [collected$] : []),
    ...(runs('processor') ? [processed$] : []),
    ...(runs('communicator') ? [communicated$] : []),
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
    queueStages.filter(runs).map<PipelineEvent>(stage => ({
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
  return concat(running$.pipe(alongside(merge(notes$, others$, folds$, counts$, countsOnChange$))), counts$);
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
