import { Option } from 'commander';
import type { CommandDefinition } from './commandDefinition.ts';
import type { RunOptions } from './runInForeground.ts';
import { graphStages } from './stageList.ts';

/** `--log-format`, of every command that prints events. */
export const logFormatOption = new Option('--log-format <form>', 'form of the lines')
  .choices(['pretty', 'json'])
  .default('pretty');

export const stagesOption = new Option(
  '--stages <list>',
  `only these stages, separated by commas: ${graphStages.join(', ')}`,
);

export const takeOverOption = new Option(
  '--take-over',
  'do not wait for a process of another machine, or of this one under another name, that was not stopped',
);

/** `run`: the graph in the foreground, until a signal. */
export const run: CommandDefinition<RunOptions> = {
  usage: 'run',
  summary: 'run the pipeline in the foreground: with the console on a terminal, else a line an event, until Ctrl-C',
  examples: ['--config my.toml run', 'run --stages collector,processor --log-format json'],
  declare: command =>
    command
      .addOption(stagesOption)
      .addOption(takeOverOption)
      .addOption(logFormatOption)
      .option('--no-console', 'lines instead of the console, on a terminal too'),
  run: async (context, _args, options) => {
    const { runInForeground } = await import('./runInForeground.ts');
    return runInForeground(context, options);
  },
};
