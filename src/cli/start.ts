import type { CommandDefinition } from './commandDefinition.ts';
import { stagesOption } from './run.ts';

export interface StartOptions {
  stages?: string;
}

/** `start`: the pipeline as a process of its own. */
export const start: CommandDefinition<StartOptions> = {
  usage: 'start',
  summary: 'start the pipeline in the background; it outlives the terminal',
  declare: command => command.addOption(stagesOption),
  run: async (context, _args, options) => {
    const { startPipeline } = await import('./startPipeline.ts');
    return startPipeline(context, options.stages);
  },
};
