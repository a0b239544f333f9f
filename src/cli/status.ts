import type { CommandDefinition } from './commandDefinition.ts';
import type { StatusOptions } from './showStatus.ts';

/** `status`: what the pipeline of this experiment does, or last did. Exit code 3 when none runs. */
export const status: CommandDefinition<StatusOptions> = {
  usage: 'status',
  summary: 'show what the pipeline does',
  examples: ['--config my.toml status', '--root /data/run7 status --json'],
  kind: 'tool',
  declare: command => command.option('--json', 'print the status file as it is'),
  run: async (context, _args, options) => (await import('./showStatus.ts')).showStatus(context, options),
};
