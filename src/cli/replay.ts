import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { from, of } from 'rxjs';
import { systemClock } from '../model/clock.ts';
import { type AnalysisMethod, analysisMethods } from '../model/method.ts';
import { eventLevel, eventLine, number } from '../sinks/eventLines.ts';
import { readFileText } from '../streams/fileText.ts';
import { SourceError } from '../streams/legacy/sourceError.ts';
import { type LegacyFolderSource, openLegacyFolder } from '../streams/legacyFolder.ts';
import type { CommandContext, CommandDefinition } from './commandDefinition.ts';
import { drivePipeline } from './drivePipeline.ts';
import { cutShortCode, ExitError, exitCodes } from './exitCodes.ts';
import { defaultReplayFolder, type ReplayRequest, recordReplay } from './replayRecord.ts';
import { replayRoot } from './replayRoot.ts';
import { logFormatOption, openOrExit } from './run.ts';
import { RunProgress } from './runProgress.ts';
import { graphStages } from './stageList.ts';

interface ReplayOptions {
  out?: string;
  rois?: string;
  method?: AnalysisMethod;
  estimator?: string;
  speed: number;
  every?: number;
  from?: string;
  to?: string;
  limit?: number;
  strict?: true;
  json?: true;
  logFormat: 'pretty' | 'json';
}

/** A folder of old images as a stream through the whole graph. */
export const replay: CommandDefinition<ReplayOptions> = {
  usage: 'replay <folder>',
  summary: 'stream a folder of old images through the pipeline; the images are only read',
  declare: command =>
    command
      .option('--out <folder>', 'where results go, a complete experiment of its own (default: replays/<name>-<method>)')
      .option('--rois <file>', "ROI manifest (default: the configuration's, or one beside the images)")
      .addOption(new Option('--method <method>', 'analysis method').choices(analysisMethods))
      .addOption(new Option('--estimator <estimator>', 'how rows are joined to one position').choices(['rows']))
      .option(
        '--speed <factor>',
        'max: as fast as it goes; 1: at the recorded pace; 10: ten times faster',
        speed,
        Number.POSITIVE_INFINITY,
      )
      .option('--every <n>', 'every nth image', wholeNumber)
      .option('--from <time>', 'first time, as 2025-07-24 or 2025-07-24T13:45')
      .option('--to <time>', 'last time')
      .option('--limit <n>', 'at most so many images', wholeNumber)
      .option('--strict', 'exit code 1 when an image failed')
      .option('--json', 'print nothing but one line of totals at the end')
      .addOption(logFormatOption),
  run: (context, [folder = ''], options) => runReplay(context, resolve(context.cwd, folder), options),
};

function speed(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY;
  const factor = Number(text);
  if (factor > 0) return factor;
  throw new InvalidArgumentError('It is "max" or a number greater than 0.');
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('It is a whole number greater than 0.');
}

async function runReplay(context: CommandContext, folder: string, options: ReplayOptions): Promise<number> {
  const { output } = context;
  const { every, from: first, to, limit, json, logFormat } = options;
  const choice = { folder, every, from: first, to, limit };
  const opened = await openFolder(choice, message => {
    if (!json) output.line(message);
  });
  const request = requestOf(folder, context, options);
  const root = options.out ? resolve(context.cwd, options.out) : await defaultReplayFolder(context.cwd, request);
  const { config, warnings, paths, chosen } = await replayRoot(context, { ...options, folder, root });
  await recordReplay(root, request, false);
  const begun = performance.now();
  const pipeline = await openOrExit({
    config,
    paths,
    config$: of({ kind: 'loaded', file: chosen.shown, config, warnings, changes: [], restart: [] }),
    roiManifest$: from(readFileText(paths.roiManifest).then(read => (read.kind === 'text' ? read.text : null))),
    stages: graphStages,
    replay: { ...choice, speed: options.speed, opened },
  });
  const progress = new RunProgress();
  const colour = output.isTerminal && !process.env.NO_COLOR;
  let wrongRois: string | null = null;
  const stoppedBy = await drivePipeline(pipeline, {
    paths,
    output,
    onEvent: event => {
      progress.take(event);
      if (event.kind === 'alarm' && event.key === 'RoiOutsideFrameError') {
        wrongRois = event.message;
        pipeline.stop();
      }
      if (json) return;
      if (eventLevel(event) !== 'debug') output.line(eventLine(event, { format: logFormat, colour }));
      if (logFormat === 'pretty') output.progress(progress.line(performance.now(), output.width));
    },
  });
  if (stoppedBy === null && wrongRois === null) await recordReplay(root, request, true);
  if (wrongRois !== null) throw new ExitError(exitCodes.usage, wrongRois);

  const seconds = (performance.now() - begun) / 1000;
  const { analysed, failed, rois, rows } = progress.totals;
  const frames = analysed + failed;
  if (json) {
    output.line(
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
      `${number(frames)} images in ${number(seconds)} s: ${number(frames / seconds)} images/s, ${number(rows / seconds)} rows/s, ${number(failed)} failed`,
    );
    output.line(`results  ${paths.resultsFile}`);
    output.line(`table    ${paths.csvFile}`);
    output.line(`plot     ${paths.plotFile}`);
  }
  if (stoppedBy) {
    if (!json) output.line(`stopped by ${stoppedBy}; the same command goes on from here`);
    return cutShortCode(stoppedBy);
  }
  return options.strict && failed > 0 ? exitCodes.failed : exitCodes.done;
}

function requestOf(folder: string, { cwd }: CommandContext, options: ReplayOptions): ReplayRequest {
  const { method, rois, every, from: first, to, limit } = options;
  return {
    folder,
    ...(method && { method }),
    ...(rois && { rois: resolve(cwd, rois) }),
    ...(every && { every }),
    ...(first && { from: first }),
    ...(to && { to }),
    ...(limit && { limit }),
  };
}

/** Opens the folder before anything is made for it: what is wrong with it, or with the choice, ends the command. */
async function openFolder(
  choice: Parameters<typeof openLegacyFolder>[0],
  note: (message: string) => void,
): Promise<LegacyFolderSource> {
  try {
    return await openLegacyFolder(choice, {
      clock: systemClock,
      note: ({ level, message }) => note(`${level}: ${message}`),
    });
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const code = error.code === 'usage' || error.code === 'empty_range' ? exitCodes.usage : exitCodes.failed;
    throw new ExitError(code, error.message, { cause: error });
  }
}
