import type { CommandDefinition } from './commandDefinition.ts';
import type { StartOptions } from './launch.ts';
import { stagesOption, takeOverOption } from './run.ts';

/** `start`: the pipeline as a process of its own. */
export const start: CommandDefinition<StartOptions> = {
  usage: 'start',
  summary: 'start the pipeline in the background; it outlives the terminal',
  examples: ['--config my.toml start', '--root /data/run7 start --stages processor'],
  declare: command => command.addOption(stagesOption).addOption(takeOverOption),
  run: async (context, _args, options) => {
    const { startPipeline } = await import('./startPipeline.ts');
    return startPipeline(context, options);
  },
};
