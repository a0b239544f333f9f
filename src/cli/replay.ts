import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { analysisMethods, estimators } from '../model/method.ts';
import { fastestReplay, parseSpeed, slowestReplay } from '../model/playback.ts';
import { type CommandDefinition, wholeNumber } from './commandDefinition.ts';
import { expandHome } from './completePath.ts';
import { logFormatOption } from './run.ts';
import type { ReplayOptions } from './runReplay.ts';
import { toOption } from './spanOptions.ts';

/** A folder of old images as a stream through the whole graph. */
export const replay: CommandDefinition<ReplayOptions> = {
  usage: 'replay <folder>',
  summary: 'stream a folder of old images through the pipeline; the images are only read',
  examples: [
    'replay ~/old/Pos0 --method fano',
    'replay ~/old/Pos0 --speed 10 --console',
    '--config my.toml replay ~/old/Pos0 --out /data/fano --every 10',
  ],
  kind: 'tool',
  declare: command =>
    command
      .option(
        '--out <folder>',
        'where results go, a complete experiment of its own (default: replays/<name>-<method>, with -<estimator> where one is given)',
      )
      .option('--rois <file>', "ROI manifest (default: one beside the images, else the configuration's)")
      .addOption(new Option('--method <method>', 'analysis method').choices(analysisMethods))
      .addOption(new Option('--estimator <estimator>', 'how rows are joined to one position').choices(estimators))
      .addOption(
        new Option('--speed <factor>', 'max: as fast as it goes; 1: at the recorded pace; 10: ten times faster')
          .argParser(speed)
          .default(Number.POSITIVE_INFINITY, 'max'),
      )
      .option('--paused', 'hold the first frame: "playback step" or "playback resume" lets it come')
      .option('--every <n>', 'every nth image', wholeNumber)
      .option(
        '--from <time>',
        "first time, as 2025-07-24, 2025-07-24T13:45 or 13:45 (the first such), in the images' time",
      )
      .addOption(toOption)
      .option('--limit <n>', 'at most so many images', wholeNumber)
      .option('--series <name>', 'one of several series in the folder (channels, cameras, …), or all')
      .option('--console', 'replay in the background and show it in the console; "q" leaves it going on')
      .option('--background', 'replay in the background; it outlives the terminal')
      .option('--strict', 'exit code 1 when an image failed')
      .option('--alarms', 'tell of alarms as the [Alarms] of the configuration say')
      .option('--json', 'print nothing but one line of totals at the end')
      .addOption(logFormatOption),
  run: async (context, [folder = ''], options) => {
    const { rois } = options;
    const given = rois === undefined ? options : { ...options, rois: expandHome(rois) };
    const path = resolve(context.cwd, expandHome(folder));
    if (options.console || options.background)
      return (await import('./launchReplay.ts')).launchReplay(context, path, given);
    return (await import('./runReplay.ts')).runReplay(context, path, given);
  },
};

function speed(text: string): number {
  const factor = parseSpeed(text);
  if (factor !== null) return factor === 'max' ? Number.POSITIVE_INFINITY : factor;
  throw new InvalidArgumentError(`Give "max" or a number from ${slowestReplay} to ${fastestReplay}.`);
}
