import type { CommandDefinition } from './commandDefinition.ts';
import type { MarkOptions } from './markStep.ts';

/** `mark`: says that from now on another liquid is on the chip; lists such marks, or takes one back. */
export const mark: CommandDefinition<MarkOptions> = {
  usage: 'mark [liquid]',
  summary: 'mark a step of the experiment: which liquid is on the chip from now on',
  examples: [
    'mark "ethanol 10 %" --index 1.3402',
    '--root /data/run7 mark "anti-CRP" --concentration "10 nM" --at 14:02',
    'mark --remove "ethanol 10 %"',
  ],
  kind: 'tool',
  declare: command =>
    command
      .option('--index <number>', 'its refractive index')
      .option('--concentration <amount>', 'of the analyte, such as "10 nM"; 0 for buffer')
      .option(
        '--at <time>',
        'since when, as 14:02 (the last such time) or 2026-11-28T14:02, as the clock at the camera shows it (default: now)',
      )
      .option('--list', 'print the marks with their numbers')
      .option('--remove <mark>', 'take a mark back: its number, or its liquid'),
  run: async (context, [liquid], options) => (await import('./markStep.ts')).runMark(context, liquid, options),
};
