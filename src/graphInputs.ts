import { isDeepStrictEqual } from 'node:util';
import { concatMap, connect, filter, map, merge, type Observable, pairwise, ReplaySubject, startWith } from 'rxjs';
import { changedSettings } from './config/changedKeys.ts';
import { describeProblem } from './config/configError.ts';
import type { Config } from './config/schema.ts';
import { type Control, noControl } from './model/control.ts';
import type { PipelineEvent } from './model/event.ts';
import type { Experiment, SettingsSource } from './operators/stage/experiment.ts';
import type { Steering } from './operators/stage/stageRunner.ts';
import { stages } from './operators/stages.ts';
import { mergeUntilComplete } from './rx/mergeUntilComplete.ts';
import type { ConfigUpdate } from './streams/configuration/configUpdates.ts';

/** What comes into the graph from outside. */
export interface GraphInputs extends Omit<Steering, 'config$'> {
  /** Cold; connected once. When it completes there will be no new settings, and the pipeline ends with its work. */
  config$: Observable<ConfigUpdate>;
  /** Cold; connected once. The first value comes at once. Never completes, and never errors. */
  control$: Observable<Control>;
  /** Told of each configuration before any stage sees it. */
  prepare: (config: Config) => Promise<void>;
}

/**
 * Connects the inputs, once for as long as the pipeline lasts, and tells what comes in: the configuration and its mistakes, what each
 * stage takes over of a change and how often it shall come round, and what a person has asked for.
 */
export function connectInputs(
  experiment: Experiment,
  inputs: GraphInputs,
  build: (steering: Steering) => Observable<PipelineEvent>,
): Observable<PipelineEvent> {
  const { clock } = experiment.tools;
  const steered = (config$: Observable<Config>): Observable<PipelineEvent> =>
    inputs.control$.pipe(
      connect(
        control$ => {
          const seen$ = control$.pipe(
            startWith(noControl),
            pairwise(),
            map(([before, control]) => ({ kind: 'control' as const, at: clock.now(), ...control, before })),
          );
          return build({ ...inputs, config$, control$ }).pipe(mergeUntilComplete<PipelineEvent>(seen$));
        },
        { connector: () => new ReplaySubject(1) },
      ),
    );
  const withConfig = (updates$: Observable<ConfigUpdate>): Observable<PipelineEvent> => {
    const reported$ = updates$.pipe(concatMap(update => configEvents(update, clock.now())));
    return updates$.pipe(
      filter(update => update.kind === 'loaded'),
      concatMap(async ({ config }) => {
        await inputs.prepare(config);
        return config;
      }),
      connect(
        config$ => {
          const paces$ = config$.pipe(concatMap(config => paceEvents(config, experiment, inputs)));
          const changes$ = config$.pipe(
            pairwise(),
            concatMap(([before, after]) => settingsEvents(before, after, experiment, inputs)),
          );
          return steered(config$).pipe(mergeUntilComplete<PipelineEvent>(merge(reported$, paces$, changes$)));
        },
        { connector: () => new ReplaySubject(1) },
      ),
    );
  };
  return inputs.config$.pipe(connect(withConfig));
}

/** What there is to tell of news of the configuration. `at`: milliseconds since 1970 UTC. */
function configEvents(update: ConfigUpdate, at: number): PipelineEvent[] {
  if (update.kind === 'error') return [{ kind: 'config_error', at, file: update.file, error: update.error.message }];
  const { file, changes, restart, waiting = [], gone = [], warnings } = update;
  const loaded: PipelineEvent = {
    kind: 'config',
    at,
    file,
    changes,
    warnings: warnings.map(warning => describeProblem(file ?? 'shipped configuration', warning)),
    ...(waiting.length > 0 && { restart: waiting }),
  };
  const warning = (message: string): PipelineEvent => ({ kind: 'note', at, level: 'warning', stage: null, message });
  return [
    loaded,
    ...(gone.length > 0
      ? [warning(`no longer in the file, so the value of an absent key counts: ${gone.join(', ')}`)]
      : []),
    ...(restart.length > 0 ? [warning(`takes effect at the next start: ${restart.join(', ')}`)] : []),
  ];
}

/** The pace of each stage that runs here. */
function paceEvents(config: Config, experiment: Experiment, inputs: GraphInputs): PipelineEvent[] {
  const at = experiment.tools.clock.now();
  return stages
    .filter(({ name }) => inputs.stages.includes(name))
    .map(({ name, pace }) => ({ stage: name, at, kind: 'pace', ...pace(config, experiment) }));
}

/** For each stage the changes that it takes over: those that, alone, would give it something else to work with. */
export function settingsEvents(
  before: Config,
  after: Config,
  experiment: SettingsSource & Pick<Experiment, 'tools'>,
  inputs: Pick<GraphInputs, 'stages'>,
): Extract<PipelineEvent, { kind: 'settings' }>[] {
  const changed = changedSettings(before, after);
  return stages
    .filter(({ name }) => inputs.stages.includes(name))
    .flatMap(({ name, settings, follows }) => {
      const takenOf = (config: Config): unknown => [settings(config, experiment), follows?.(config, experiment)];
      const old = takenOf(before);
      const changes = changed
        .filter(({ section, key, effect }) => {
          if (effect !== 'live') return false;
          const value = (after[section] as Readonly<Record<string, unknown>>)[key];
          const alone = { ...before, [section]: { ...before[section], [key]: value } };
          return !isDeepStrictEqual(takenOf(alone), old);
        })
        .map(({ line }) => line);
      const at = experiment.tools.clock.now();
      return changes.length ? [{ stage: name, at, kind: 'settings' as const, changes }] : [];
    });
}
