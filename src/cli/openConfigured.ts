import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { BehaviorSubject, distinctUntilChanged, map, type Observable, ReplaySubject, tap } from 'rxjs';
import type { Config } from '../config/schema.ts';
import { DeviceHeldError } from '../files/deviceClaims.ts';
import { StageHeldError } from '../manifest/stageLeases.ts';
import { shellWord } from '../model/shownText.ts';
import { openPipeline, type Pipeline, type PipelineOptions } from '../openPipeline.ts';
import type { AlarmSettings } from '../sinks/alarms/alarms.ts';
import { config$ } from '../streams/configuration/config.ts';
import { diskOf } from '../streams/disk/experimentDisk.ts';
import { watchedText$ } from '../streams/watched/watchedFile.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { noteExperiment } from './experimentRegistry.ts';
import { ExperimentRecord } from './knownExperiment.ts';
import { type LoadedConfig, loadConfig } from './loadConfig.ts';
import { quantities$ } from './readFigures.ts';
import { refuseUnusable, writtenFolders } from './refuseUnusable.ts';
import { refuseInReplay } from './replayRecord.ts';
import { otherRootOf } from './rootOfProcess.ts';
import { parseStages } from './stageList.ts';

/** Opens a pipeline; one that somebody else runs already ends the command with exit code 3. */
export async function openOrExit(options: PipelineOptions): Promise<Pipeline> {
  try {
    return await openPipeline(options);
  } catch (error) {
    const { root } = options.paths;
    const other = error instanceof StageHeldError ? otherRootOf(error.holder, root) : null;
    if (other !== null) {
      throw new ExitError(
        exitCodes.running,
        `${root} is a copy of ${other} that was made while process ${(error as StageHeldError).holder.pid} ran that: stop it there ("phorest --root ${shellWord(other)} stop"), then copy what is new, and start here`,
        { cause: error },
      );
    }
    if (error instanceof StageHeldError || error instanceof DeviceHeldError)
      throw new ExitError(exitCodes.running, error.message, { cause: error });
    throw error;
  }
}

/** Who is told of alarms. */
export function alarmSettings({ Alarms: { command, webhook, quiet_seconds } }: Config): AlarmSettings {
  return { command, webhook, quietMs: quiet_seconds * 1000 };
}

export interface ConfiguredPipeline extends LoadedConfig {
  pipeline: Pipeline;
  logIntervalMs$: Observable<number>;
}

export interface OpenOptions extends Pick<PipelineOptions, 'onWait'> {
  /** As `--stages` has them. */
  stages?: string | undefined;
  takeOver?: boolean | undefined;
}

/** Opens the pipeline that the configuration describes, and that follows it. */
export async function openConfigured(
  context: CommandContext,
  { stages, takeOver = false, onWait }: OpenOptions,
): Promise<ConfiguredPipeline> {
  const wanted = parseStages(stages);
  const loaded = await loadConfig(context);
  const { chosen, config, paths } = loaded;
  await refuseInReplay(context, paths.root, stages);
  // Of a disk that is not there the pipeline tells itself.
  if (!(await diskOf(config, paths)?.check())) await refuseUnusable(writtenFolders(paths));
  const latest$ = new BehaviorSubject(config);
  // What is said before the pipeline listens is kept.
  const warnings$ = new ReplaySubject<string>(10);
  const onError = ({ message }: Error): void => warnings$.next(message);
  const record = new ExperimentRecord(context, chosen.path, paths, message => warnings$.next(message));
  const pipeline = await openOrExit({
    config,
    paths,
    configFile: chosen.path,
    config$: config$({
      path: chosen.path,
      file: chosen.shown,
      required: chosen.required,
      onError,
    }).pipe(
      tap(update => {
        if (update.kind !== 'loaded') return;
        latest$.next(update.config);
        void record.keep(update.config, pipeline.files);
      }),
    ),
    roiManifest$: watchedText$(paths.roiManifest, onError),
    warnings$,
    stages: wanted,
    takeOver,
    // A replay may have begun there, and ended, meanwhile.
    onHeld: () => refuseInReplay(context, paths.root, stages),
    ...(onWait && { onWait }),
    quantities$: quantities$(latest$),
    alarms$: latest$.pipe(map(alarmSettings), distinctUntilChanged<AlarmSettings>(isDeepStrictEqual)),
  });
  void record.remember(config);
  void noteExperiment(
    {
      environment: context.environment,
      paths,
      kind: 'experiment',
      configFile: resolve(context.cwd, chosen.path),
      cwd: context.cwd,
    },
    message => warnings$.next(message),
  );
  const logIntervalMs$ = latest$.pipe(
    map(({ Timing }) => Timing.log_file_interval_seconds * 1000),
    distinctUntilChanged(),
  );
  return { ...loaded, pipeline, logIntervalMs$ };
}
