import { Option } from 'commander';
import { exportFormats } from '../sinks/export/exportFormat.ts';
import { roiValues } from '../sinks/export/roiValues.ts';
import type { CommandDefinition } from './commandDefinition.ts';
import type { ExportOptions } from './runExport.ts';
import { fromOption, roisOption, toOption } from './spanOptions.ts';

/** `export`: the results as one file that other programs open. */
export const exportCommand: CommandDefinition<ExportOptions> = {
  usage: 'export [file]',
  summary: 'write the results as one file for pandas, polars, R, MATLAB or a spreadsheet',
  examples: [
    '--root /data/run7 export run7.parquet',
    "--config my.toml export --shape wide --rois '0A*' '!0A13*' --from 2025-07-24 shifts.csv",
    '--root /data/run7 export - --format csv --values shift | gzip > run7.csv.gz',
  ],
  kind: 'tool',
  declare: command =>
    command
      .addOption(
        new Option('--format <format>', 'of the file (default: by the end of its name; without a file, csv)').choices([
          ...exportFormats,
          'netcdf',
        ]),
      )
      .addOption(
        new Option(
          '--shape <shape>',
          'long: a row for each image and ROI; wide: a row for each image, a column for each ROI',
        )
          .choices(['long', 'wide'])
          .default('long'),
      )
      .addOption(
        new Option(
          '--values <value...>',
          'what of each ROI (default: those that were measured, up to flags; with --shape wide, the shift)',
        ).choices(roiValues),
      )
      .addOption(roisOption)
      .addOption(fromOption)
      .addOption(toOption)
      .option('--with-flagged', 'with --shape wide: also values that may be those of something else, by their flags')
      .option('--force', 'replace a file that is there')
      .option('--json', 'print nothing but one line of what was written'),
  run: async (context, [file], options) => (await import('./runExport.ts')).runExport(context, file, options),
};
