import type { CommandDefinition } from './commandDefinition.ts';
import { readDuration } from './readDuration.ts';
import type { ZeroOptions } from './setZero.ts';
import { wholeOfIt } from './spanOptions.ts';

/** `zero`: shifts are also told from what they are now. */
export const zero: CommandDefinition<ZeroOptions> = {
  usage: 'zero',
  summary: 'set a second zero beside the reference: shifts then also count from what they are now',
  examples: [
    'zero',
    '--root /data/run7 zero --last 10m',
    'zero --from 2026-11-28T14:10 --to 2026-11-28T14:20',
    'zero --off',
  ],
  kind: 'tool',
  declare: command =>
    command
      .option(
        '--last <time>',
        'the mean of the last 30s, 10m or 2h is zero (default: of the last images)',
        readDuration,
      )
      .option('--from <time>', "the mean from then on is zero, as 2025-07-24 or 2025-07-24T13:45, in the images' time")
      .option('--to <time>', `until then: ${wholeOfIt}`)
      .option('--off', 'no second zero any more'),
  run: async (context, _args, options) => (await import('./setZero.ts')).setZero(context, options),
};
