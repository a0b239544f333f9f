import { Option } from 'commander';
import { StageHeldError } from '../manifest/stageLeases.ts';
import { openPipeline, type Pipeline, type PipelineOptions } from '../openPipeline.ts';
import { eventLevel, eventLine } from '../sinks/eventLines.ts';
import { config$ } from '../streams/config.ts';
import { watchedText$ } from '../streams/watchedText.ts';
import type { CommandDefinition } from './commandDefinition.ts';
import { drivePipeline } from './drivePipeline.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { loadConfig } from './loadConfig.ts';
import { RunProgress } from './runProgress.ts';
import { parseStages } from './stageList.ts';

export interface RunOptions {
  stages?: string;
  logFormat: 'pretty' | 'json';
}

/** `--log-format`, of every command that prints events. */
export const logFormatOption = new Option('--log-format <form>', 'form of the lines')
  .choices(['pretty', 'json'])
  .default('pretty');

/** Opens a pipeline; one that somebody else runs already ends the command with exit code 3. */
export async function openOrExit(options: PipelineOptions): Promise<Pipeline> {
  try {
    return await openPipeline(options);
  } catch (error) {
    if (error instanceof StageHeldError) throw new ExitError(exitCodes.running, error.message, { cause: error });
    throw error;
  }
}

/** `run`: the graph in the foreground, until a signal. */
export const run: CommandDefinition<RunOptions> = {
  usage: 'run',
  summary: 'run the pipeline in the foreground, a line an event, until Ctrl-C',
  declare: command =>
    command
      .option('--stages <list>', 'only these stages, parted by commas: collector, processor, communicator')
      .addOption(logFormatOption),
  run: async (context, _args, { stages, logFormat }) => {
    const { output } = context;
    const wanted = parseStages(stages);
    const { chosen, config, paths } = await loadConfig(context);
    const pipeline = await openOrExit({
      config,
      paths,
      config$: config$({ path: chosen.path, file: chosen.shown, required: chosen.required }),
      roiManifest$: watchedText$(paths.roiManifest, ({ message }) =>
        output.error(`${paths.roiManifest} can't be watched for changes: ${message}`),
      ),
      stages: wanted,
    });
    if (logFormat === 'pretty') output.line(`experiment ${paths.root} · run ${pipeline.runId} · stop with Ctrl-C`);
    const progress = new RunProgress();
    const colour = output.isTerminal && !process.env.NO_COLOR;
    const stoppedBy = await drivePipeline(pipeline, {
      paths,
      output,
      onEvent: event => {
        progress.take(event);
        if (eventLevel(event) !== 'debug') output.line(eventLine(event, { format: logFormat, colour }));
        if (logFormat === 'pretty') output.progress(progress.line(Date.now(), output.width));
      },
    });
    if (logFormat === 'pretty') output.line(`${stoppedBy ?? 'done'}: ${progress.summary()}`);
    return exitCodes.done;
  },
};
