import type { CommandDefinition } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';

/** `console`: the live console on the pipeline of this experiment. Also what no command at all means, on a terminal. */
export const consoleCommand: CommandDefinition = {
  usage: 'console',
  summary: 'open the live console; it attaches to the running pipeline, or offers to start it',
  examples: ['--config my.toml', '--root /data/run7 console'],
  declare: command => command,
  run: async context => {
    const { commandLine } = await import('./commandLine.ts');
    if (!context.output.isInteractive) {
      throw new ExitError(
        exitCodes.usage,
        `the console needs a terminal; "${commandLine(context, 'status')}" prints what the pipeline does`,
      );
    }
    const { attachConsole } = await import('./attachConsole.ts');
    return attachConsole(context);
  },
};
