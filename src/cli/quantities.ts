import type { CommandDefinition } from './commandDefinition.ts';
import type { QuantitiesOptions } from './showQuantities.ts';
import { fromOption, toOption, wholeOfIt } from './spanOptions.ts';

/** `quantities`: noise, drift, changes and quality of each ROI, pair and group, and the steps between two times. */
export const quantities: CommandDefinition<QuantitiesOptions> = {
  usage: 'quantities',
  summary: 'noise, drift, changes and quality of ROIs, pairs and groups; steps between two times',
  examples: [
    '--root /data/run7 quantities',
    "--config my.toml quantities --rois '0A*' --changes",
    'quantities --step 2026-11-28T14:00 2026-11-28T14:10 2026-11-28T14:20 2026-11-28T14:30 --json',
  ],
  kind: 'tool',
  declare: command =>
    command
      .option('--rois <pattern...>', "show these ROIs and pairs, by their labels, as '0A*'; '!0A13*' leaves out")
      .option('--changes', 'list the changes of level')
      .addOption(fromOption)
      .addOption(toOption)
      .option(
        '--zero <from-to...>',
        `two times: the mean of each shift between these is a second zero, tried without setting it; of the end, ${wholeOfIt}`,
      )
      .option(
        '--step <times...>',
        `four times: the step from the mean between the first two to that between the last two; of both ends, ${wholeOfIt}`,
      )
      .option('--json', 'print everything as one line of JSON'),
  run: async (context, _args, options) => (await import('./showQuantities.ts')).showQuantities(context, options),
};
