import type { CommandDefinition } from './commandDefinition.ts';

/** `console`: the live console on the pipeline of this experiment. Also what no command at all means, on a terminal. */
export const consoleCommand: CommandDefinition = {
  usage: 'console',
  summary: 'open the live console; it attaches to the running pipeline, or offers to start it',
  examples: ['--config my.toml', '--root /data/run7 console'],
  declare: command => command,
  run: async context => {
    // What a script or a pipe can take of it.
    if (!context.output.isInteractive) {
      const { showStatus } = await import('./showStatus.ts');
      return showStatus(context, {});
    }
    const { attachConsole } = await import('./attachConsole.ts');
    return attachConsole(context);
  },
};
