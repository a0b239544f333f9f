import { isDeepStrictEqual } from 'node:util';
import { changedSettings } from './config/changedKeys.ts';
import { describeProblem } from './config/configError.ts';
import type { Config } from './config/schema.ts';
import type { GraphParts, GraphStage, Pace } from './graph.ts';
import type { PipelineEvent } from './model/event.ts';
import type { ConfigUpdate } from './streams/configUpdates.ts';

/** What there is to tell of news of the configuration. `at`: milliseconds since 1970 UTC. */
export function configEvents(update: ConfigUpdate, at: number): PipelineEvent[] {
  if (update.kind === 'error') return [{ kind: 'config_error', at, file: update.file, error: update.error.message }];
  const { file, changes, restart, gone = [], warnings } = update;
  const loaded: PipelineEvent = {
    kind: 'config',
    at,
    file,
    changes,
    warnings: warnings.map(warning => describeProblem(file ?? 'shipped configuration', warning)),
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
export function paceEvents({ pace, stages, tools }: GraphParts, config: Config): PipelineEvent[] {
  const at = tools.clock.now();
  const paces = Object.entries(pace(config)) as [GraphStage, Pace][];
  return paces
    .filter(([stage]) => stages.includes(stage))
    .map(([stage, pace]) => ({ stage, at, kind: 'pace', ...pace }));
}

/** For each stage the changes that it takes over: those that, alone, would give it other settings. */
export function settingsEvents(
  { settings, stages, tools }: GraphParts,
  before: Config,
  after: Config,
): PipelineEvent[] {
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
