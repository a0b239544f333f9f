import type { CommandDefinition } from './commandDefinition.ts';
import type { ReportOptions } from './makeReport.ts';
import { readDuration } from './readDuration.ts';
import { fromOption, roisOption, toOption } from './spanOptions.ts';

/** `report`: the pictures and tables of an experiment. */
export const report: CommandDefinition<ReportOptions> = {
  usage: 'report',
  summary: 'write the pictures and tables of a run: one HTML page, and each picture as PNG and SVG',
  examples: [
    '--root /data/run7 report',
    "--config my.toml report --out ~/run7 --rois '0A*' '!0A13*' --from 2025-07-24",
    '--root /data/run7 report --every 10m',
  ],
  kind: 'tool',
  declare: command =>
    command
      .option(
        '--out <folder>',
        'where to; what a report before has written there is replaced (default: NAME-report here)',
      )
      .addOption(roisOption)
      .addOption(fromOption)
      .addOption(toOption)
      .option('--every <time>', 'write it anew so often, as 10m, until Ctrl-C', readDuration)
      .option('--json', 'print nothing but a line of JSON for each report'),
  run: async (context, _args, options) => (await import('./makeReport.ts')).makeReport(context, options),
};
