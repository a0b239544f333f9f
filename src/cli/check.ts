import type { CommandDefinition } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';

/** `check config`: says what is wrong before an experiment does, and where everything is. */
export const check: CommandDefinition = {
  usage: 'check [what]',
  kind: 'tool',
  summary: 'say what is wrong with the configuration, and of every path whether it can be used',
  words: ['config'],
  examples: ['--config my.toml check config'],
  declare: command =>
    command.addHelpText(
      'after',
      '\nWhat can be checked: config (default). Nothing is made. Exit code 2: a mistake, 1: something that can not be done here.',
    ),
  run: async (context, [what = 'config']) => {
    if (what !== 'config') throw new ExitError(exitCodes.usage, `"check ${what}" is not there; "check config" is`);
    return (await import('./checkConfig.ts')).checkConfig(context);
  },
};
