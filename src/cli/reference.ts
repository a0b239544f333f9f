import type { CommandDefinition } from './commandDefinition.ts';
import type { ReferenceOptions } from './showReference.ts';

/** `reference`: what the shifts are measured from; `--new` has one made from the next frames. */
export const reference: CommandDefinition<ReferenceOptions> = {
  usage: 'reference',
  summary: 'show what the shifts are measured from, or have it made anew',
  examples: ['--root /data/run7 reference', '--config my.toml reference --new'],
  kind: 'tool',
  declare: command =>
    command
      .option('--new', 'make a new reference, from the next good frames that are collected')
      .option('--json', 'print what is known of the references as JSON'),
  run: async (context, _args, options) => (await import('./showReference.ts')).showReference(context, options),
};
