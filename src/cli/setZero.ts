import { nodeFiles } from '../files/files.ts';
import { clockIso } from '../model/localTime.ts';
import { chooseFrames } from '../sinks/series/chosenFrames.ts';
import { SeriesReader, seriesFolder } from '../sinks/series/seriesReader.ts';
import { changeConfig } from './changeConfig.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { frameSpan } from './frameSpan.ts';
import { loadKnown } from './loadSteered.ts';

export interface ZeroOptions {
  /** ms */
  last?: number;
  from?: string;
  to?: string;
  off?: true;
}

/**
 * Writes the time that is to be zero into the configuration: a pipeline that runs takes it up at once, and it stays.
 * @throws ExitError `usage` where no image is in that time
 */
export async function setZero(context: CommandContext, options: ZeroOptions): Promise<number> {
  const { output } = context;
  const { chosen, config, paths } = await loadKnown(context);
  const [from, to] = options.off
    ? ['', '']
    : (await chosenSpan(paths.results, options, config.Quantities.window_frames)).map(clockIso);
  const lines = await changeConfig(chosen, [
    { path: ['Quantities', 'zero_from'], value: from! },
    { path: ['Quantities', 'zero_to'], value: to! },
  ]);
  output.line(
    options.off
      ? 'there is no second zero any more: shifts count from the reference alone'
      : `second zero beside the reference: the mean of each shift from ${from!.replace('T', ' ')} to ${to!.replace('T', ' ')}`,
  );
  for (const line of lines) output.line(`${chosen.shown}: ${line}`);
  return exitCodes.done;
}

/** First and last moment of the images that are to be zero, and are there. */
async function chosenSpan(
  results: string,
  { last, from, to }: ZeroOptions,
  windowFrames: number,
): Promise<[number, number]> {
  if (last !== undefined && (from !== undefined || to !== undefined)) {
    throw new ExitError(
      exitCodes.usage,
      '--last says which time it is; --from and --to say it otherwise: give one of them',
    );
  }
  const series = await SeriesReader.look(nodeFiles, seriesFolder(results));
  const span = frameSpan({ ...(from !== undefined && { from }), ...(to !== undefined && { to }) });
  const frames = await chooseFrames(series, span);
  if (frames.count === 0) {
    throw new ExitError(exitCodes.usage, `no image in ${results} lies in that time: nothing can be zero`);
  }
  // Until a time that was named, also where its images are still to come.
  if (from !== undefined || to !== undefined) {
    return [Math.max(span.from, frames.first), Number.isFinite(span.end) ? span.end : frames.last + 1];
  }
  if (last !== undefined) return [frames.last - last, frames.last + 1];
  let first = frames.last;
  for await (const { row } of frames.read(1, windowFrames)) first = Math.min(first, row.local);
  return [first, frames.last + 1];
}
