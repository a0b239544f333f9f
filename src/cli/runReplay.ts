import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { of } from 'rxjs';
import { systemClock } from '../model/clock.ts';
import type { NoteEvent } from '../model/event.ts';
import type { AnalysisMethod, Estimator } from '../model/method.ts';
import { counted, duration, number } from '../model/quantity.ts';
import type { Pipeline } from '../openPipeline.ts';
import type { AlarmSettings } from '../sinks/alarms/alarms.ts';
import { type ImageFolderSource, openImageFolder } from '../streams/folder/imageFolderSource.ts';
import type { ReplayRequest } from '../streams/folder/replaySchema.ts';
import { SourceError, type SourceErrorCode } from '../streams/folder/sourceError.ts';
import type { CommandContext } from './commandDefinition.ts';
import { drivePipeline } from './drivePipeline.ts';
import { ExitError, exitCodes, signalExitCode } from './exitCodes.ts';
import { noteExperiment } from './experimentRegistry.ts';
import { loadConfig } from './loadConfig.ts';
import { alarmSettings, openOrExit } from './openConfigured.ts';
import { quantitySettings } from './readFigures.ts';
import { defaultReplayFolder, readReplay, recordReplay } from './replayRecord.ts';
import { isUncertain, roiManifestWords } from './replayRoiManifest.ts';
import { replayRoot } from './replayRoot.ts';
import { resultLines } from './resultLines.ts';
import { RunProgress } from './runProgress.ts';
import { replayStages } from './stageList.ts';
import { failedStart, reportStart, StartWatch } from './startReport.ts';
import { beginPlayback } from './steerReplay.ts';

export interface ReplayOptions {
  out?: string;
  rois?: string;
  method?: AnalysisMethod;
  estimator?: Estimator;
  speed: number;
  paused?: true;
  console?: true;
  background?: true;
  every?: number;
  from?: string;
  to?: string;
  limit?: number;
  series?: string;
  strict?: true;
  alarms?: true;
  json?: true;
  logFormat: 'pretty' | 'json';
}

/** A replay that nobody asked to pages nobody. */
const silent: AlarmSettings = { command: [], webhook: '', quietMs: 0 };

/** A replay that can begin: its folder is open, and its root is there. */
interface PreparedReplay {
  opened: ImageFolderSource;
  request: ReplayRequest;
  root: string;
  loaded: Awaited<ReturnType<typeof replayRoot>>;
}

/** Which images of which folder. */
const choiceOf = (folder: string, { every, from: first, to, limit, series }: ReplayOptions) => ({
  folder,
  every,
  from: first,
  to,
  limit,
  series,
});

/** Opens the folder and makes the root; what is wrong with the words of the command ends it before anything is made. */
export async function prepareReplay(
  context: CommandContext,
  folder: string,
  options: ReplayOptions,
): Promise<PreparedReplay> {
  const { output } = context;
  const say = (line: string): void => {
    if (!options.json) output.line(line);
  };
  const opened = await openFolder(choiceOf(folder, options), say);
  const images = opened.description;
  const request = requestOf(images.folder, context, options);
  const root = options.out ? resolve(context.cwd, options.out) : await newFolder(context, request, say);
  const before = options.out ? await readReplay(root) : null;
  if (before?.finished && isDeepStrictEqual(before.request, request)) {
    say(`${root} holds this replay already, and it is finished: only images that are new since are analysed`);
  }
  const loaded = await replayRoot(context, { ...options, images, root, request });
  return { opened, request, root, loaded };
}

/**
 * Streams the images of a folder through the whole graph; what was interrupted goes on. Who has started it in the background is told how
 * that went.
 */
export async function runReplay(context: CommandContext, folder: string, options: ReplayOptions): Promise<number> {
  try {
    return await replayHere(context, folder, options);
  } catch (error) {
    reportStart(failedStart(error));
    throw error;
  }
}

async function replayHere(context: CommandContext, folder: string, options: ReplayOptions): Promise<number> {
  const { output } = context;
  const { json, logFormat } = options;
  const { opened, request, root, loaded } = await prepareReplay(context, folder, options);
  const { config, warnings, paths, chosen, roiManifest } = loaded;
  let made: string[] = [];
  const begun = performance.now();
  const pipeline = await openOrExit({
    config,
    paths,
    configFile: chosen.path,
    config$: of({ kind: 'loaded', file: chosen.shown, config, warnings, changes: [], restart: [] }),
    roiManifest$: of(roiManifest.text),
    stages: replayStages,
    quantities$: of(quantitySettings(config)),
    alarms$: of(options.alarms ? alarmSettings((await loadConfig(context)).config) : silent),
    replay: {
      ...choiceOf(request.folder, options),
      speed: options.speed,
      opened,
      roiManifestFile: roiManifest.origin.file,
    },
    // Nothing is written before it is known that no other process works there.
    onHeld: async () => {
      made = await loaded.make();
    },
  });
  tell(pipeline, isUncertain(roiManifest) ? 'warning' : 'info', roiManifestWords(roiManifest));
  for (const line of made) tell(pipeline, 'warning', line);
  await beginPlayback(paths, options.paused ?? false);
  const watch = new StartWatch(replayStages);
  void noteExperiment(
    {
      environment: context.environment,
      paths,
      kind: 'replay',
      configFile: resolve(context.cwd, chosen.path),
      cwd: context.cwd,
    },
    message => output.error(message),
  );
  const progress = new RunProgress();
  let wrongRois: string | null = null;
  const stoppedBy = await drivePipeline(pipeline, {
    paths,
    logIntervalMs$: of(config.Timing.log_file_interval_seconds * 1000),
    say: line => output.line(line),
    beforeEnd: () => output.progress(''),
    onEvent: event => {
      progress.take(event);
      const up = watch.take(event);
      if (up) reportStart({ kind: 'up', runId: pipeline.runId, root, ...up });
      if (event.kind === 'alarm' && event.key === 'RoiOutsideFrameError') {
        wrongRois = event.message;
        pipeline.stop();
      }
      if (json) return;
      output.event(event, logFormat);
      if (logFormat === 'pretty') output.progress(progress.line(systemClock.now()));
    },
  });
  output.progress('');
  if (stoppedBy === null && wrongRois === null) {
    await recordReplay(root, { request, finished: true, roi_manifest: roiManifest.origin });
  }
  if (wrongRois !== null) throw new ExitError(exitCodes.usage, wrongRois);

  const seconds = (performance.now() - begun) / 1000;
  const { analysed, failed, skipped, rois, rows } = progress.totals;
  const frames = analysed + failed;
  if (json) {
    output.json(
      JSON.stringify({
        frames,
        failed,
        rois,
        rows_fitted: rows,
        seconds: Number(seconds.toFixed(3)),
        frames_per_second: Number((frames / seconds).toFixed(3)),
        rows_per_second: Number((rows / seconds).toFixed(1)),
        out: root,
      }),
    );
  } else {
    output.line(
      `${counted(frames, 'image')} in ${duration(seconds * 1000)}: ${number(frames / seconds)} images/s, ${number(rows / seconds)} rows/s, ${number(failed)} failed`,
    );
    for (const line of resultLines(paths)) output.line(line);
    if (skipped > 0 && stoppedBy === null)
      output.line(
        `${counted(skipped, 'frame was', 'frames were')} skipped; the same command with --out ${root} reads them`,
      );
    if (analysed === 0 && failed > 0) output.line('no image could be analysed; the results say why');
  }
  if (stoppedBy) {
    if (!json) output.line(`stopped by ${stoppedBy}; the same command goes on from here`);
    return signalExitCode(stoppedBy);
  }
  return options.strict && failed > 0 ? exitCodes.failed : exitCodes.done;
}

/** Into the log, and to whoever watches. */
function tell(pipeline: Pipeline, level: NoteEvent['level'], message: string): void {
  pipeline.report({ kind: 'note', at: systemClock.now(), level, stage: null, message });
}

/** A folder below the working directory. A replay that is there already and finished is done anew beside it, which is said. */
async function newFolder(
  context: CommandContext,
  request: ReplayRequest,
  say: (line: string) => void,
): Promise<string> {
  const { cwd } = context;
  const method = request.method ?? (await loadConfig(context)).config.Data_Analysis.method;
  const finished: string[] = [];
  const root = await defaultReplayFolder(cwd, request, method, done => finished.push(done));
  if (finished.length > 0) {
    say(
      `${finished.join(', ')} ${finished.length > 1 ? 'hold' : 'holds'} this replay already, finished: it is done anew in ${root}`,
    );
  }
  return root;
}

function requestOf(folder: string, { cwd }: CommandContext, options: ReplayOptions): ReplayRequest {
  const { method, estimator, rois, every, from: first, to, limit, series } = options;
  return {
    folder,
    ...(method && { method }),
    ...(estimator && { estimator }),
    ...(rois && { rois: resolve(cwd, rois) }),
    ...(every && { every }),
    ...(first && { from: first }),
    ...(to && { to }),
    ...(limit && { limit }),
    ...(series && { series }),
  };
}

/** What is wrong with the words of the command, and not with what they name. */
const wrongUsage: readonly SourceErrorCode[] = [
  'usage',
  'empty_range',
  'several_series',
  'several_positions',
  'not_found',
  'not_a_folder',
];

/** Opens the folder before anything is made for it: what is wrong with it, or with the choice, ends the command. */
async function openFolder(
  choice: Parameters<typeof openImageFolder>[0],
  note: (message: string) => void,
): Promise<ImageFolderSource> {
  try {
    return await openImageFolder(choice, {
      clock: systemClock,
      note: ({ level, message }) => note(`${level}: ${message}`),
    });
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const code = wrongUsage.includes(error.code) ? exitCodes.usage : exitCodes.failed;
    throw new ExitError(code, error.message, { cause: error });
  }
}
