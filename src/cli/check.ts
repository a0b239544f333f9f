import type { CheckOptions } from './checkMachine.ts';
import type { CommandDefinition } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';

/** `check`: says what is wrong before an experiment does, and where everything is. */
export const check: CommandDefinition<CheckOptions> = {
  usage: 'check [what]',
  kind: 'tool',
  summary: 'say what is wrong with the configuration, the disks and the share',
  words: ['config', 'storage'],
  examples: ['--config my.toml check config', 'check storage --json'],
  declare: command =>
    command
      .option('--json', 'for storage: print a line of JSON a finding, and one of totals at the end')
      .addHelpText(
        'after',
        '\nWhat can be checked: config (default; makes nothing), storage (disks and share; writes a file of 64 MiB for a moment).' +
          ' Exit code 2: a mistake in the configuration, 1: something that can not be done here.',
      ),
  run: async (context, [what = 'config'], options) => {
    if (what === 'config') return (await import('./checkConfig.ts')).checkConfig(context);
    if (what !== 'storage')
      throw new ExitError(exitCodes.usage, `"check ${what}" is not there; "check config" and "check storage" are`);
    return (await import('./checkMachine.ts')).checkMachine(context, options);
  },
};
