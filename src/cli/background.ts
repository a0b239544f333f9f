import type { CommandDefinition } from './commandDefinition.ts';
import type { StartOptions } from './launch.ts';
import { stagesOption, takeOverOption } from './run.ts';

/** `background`: the graph as `start` and a systemd unit run it: nothing on the terminal, all in the log files. */
export const background: CommandDefinition<StartOptions> = {
  usage: 'background',
  summary: 'run the pipeline as "start" and the systemd unit do',
  examples: ['background'],
  kind: 'internal',
  declare: command => command.addOption(stagesOption).addOption(takeOverOption),
  run: async (context, _args, options) => {
    const { runInBackground } = await import('./runInBackground.ts');
    return runInBackground(context, options);
  },
};
