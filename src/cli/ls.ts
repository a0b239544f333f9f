import type { CommandDefinition } from './commandDefinition.ts';

/** `ls`: the experiments of this machine. */
export const ls: CommandDefinition<{ json?: true }> = {
  usage: 'ls',
  summary: 'list the experiments of this machine: what runs, what has run, and where',
  examples: ['ls', 'ls --json'],
  kind: 'tool',
  declare: command => command.option('--json', 'print them as JSON'),
  run: async (context, _args, options) => (await import('./showExperiments.ts')).showExperiments(context, options),
};
