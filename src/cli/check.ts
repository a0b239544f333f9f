import type { CommandDefinition } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import type { Checked, CheckOptions } from './runChecks.ts';

const words: readonly string[] = ['config', 'storage', 'all'] satisfies Checked[];

/** `check`: says what is wrong before an experiment does, and where everything is. */
export const check: CommandDefinition<CheckOptions> = {
  usage: 'check [what]',
  kind: 'tool',
  summary: 'say what is wrong with configuration, disks, share, camera, sensors and machine',
  words,
  examples: ['--config my.toml check config', 'check storage', 'check all --json'],
  declare: command =>
    command
      .option('--json', 'print a line of JSON a finding, and one of totals at the end')
      .addHelpText(
        'after',
        '\nWhat can be checked: config (default; makes nothing), storage (disks and share; writes a file of 64 MiB for a moment),' +
          '\nall (these, a frame of the camera, the ROI manifest, a reading of each sensor, groups, clock and power supply).' +
          '\nExit code 2: a mistake in the configuration, 1: something that can not be done here.',
      ),
  run: async (context, [what = 'config'], options) => {
    if (!words.includes(what))
      throw new ExitError(
        exitCodes.usage,
        `"check ${what}" is not there; "check config", "check storage" and "check all" are`,
      );
    return (await import('./runChecks.ts')).runChecks(context, what as Checked, options);
  },
};
