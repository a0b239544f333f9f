import { Option } from 'commander';
import type { ProcessingStatus } from '../model/entry.ts';
import { type CommandDefinition, wholeNumber } from './commandDefinition.ts';
import type { RequeueOptions } from './requeueSelection.ts';
import { toOption } from './spanOptions.ts';

const statuses = ['processed', 'failed', 'skip', 'pending', 'processing'] as const satisfies ProcessingStatus[];

/**
 * `requeue`: sets images back, to be analysed again, or aside. On a terminal it only says what it would do, until it is given
 * `--yes`. Works beside a running pipeline, which takes the images up at once; what is in flight is left alone. Images of which
 * nothing is left but the entry are left alone too: there is nothing to analyse, and their result stays.
 */
export const requeue: CommandDefinition<RequeueOptions> = {
  usage: 'requeue',
  summary: 'set images back to be analysed again, or aside',
  examples: [
    '--config my.toml requeue --status failed',
    '--root /data/run7 requeue --from 2025-07-24 --to 2025-07-25 --dry-run',
  ],
  declare: command =>
    command
      .addOption(
        new Option('--status <status>', 'only images of this status (default: processed and failed)').choices(statuses),
      )
      .option('--from <time>', "first time, as 2025-07-24 or 2025-07-24T13:45, in the images' time or with a zone")
      .addOption(toOption)
      .option('--every <n>', 'every nth of them', wholeNumber)
      .option('--skip', 'set them to skip: they are not analysed, and what they gave does not count any more')
      .option(
        '--yes',
        'do it (a terminal is shown first what would be done; in a script, or with the output to a pipe, it is done at once)',
      )
      .option('--dry-run', 'only say what would be done')
      .option('--json', 'print nothing but one line of totals at the end'),
  run: async (context, _args, options) => (await import('./requeueImages.ts')).requeueImages(context, options),
};
