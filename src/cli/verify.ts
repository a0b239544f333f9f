import type { CommandDefinition } from './commandDefinition.ts';
import type { VerifyOptions } from './verifyExperiment.ts';

/**
 * `verify`: holds all files of an experiment against each other. Without `--repair` it only reads, also beside a running
 * pipeline. Exit code 1 when anything is wrong; with `--repair`, when anything still is.
 */
export const verify: CommandDefinition<VerifyOptions> = {
  usage: 'verify',
  summary: 'say what in manifest, results, table and images does not fit together',
  examples: ['--config my.toml verify', '--root /data/run7 verify --repair'],
  declare: command =>
    command
      .option('--repair', 'mend what can be mended safely; no image and no result is ever deleted')
      .option('--deep', 'read every image as a whole too')
      .option('--json', 'print a line of JSON a finding, and one of totals at the end'),
  kind: 'tool',
  run: async (context, _args, options) => (await import('./verifyExperiment.ts')).verifyExperiment(context, options),
};
