import type { CommandDefinition } from './commandDefinition.ts';
import type { SensingOptions } from './showSensing.ts';

/** `sensing`: sensitivity, limit of detection and binding, from the steps of the experiment. */
export const sensing: CommandDefinition<SensingOptions> = {
  usage: 'sensing',
  summary: 'sensitivity, limit of detection and binding, from the steps of the experiment',
  examples: ['--root /data/run7 sensing', "--config my.toml sensing --rois '0A*' --json"],
  kind: 'tool',
  declare: command =>
    command
      .option('--rois <pattern...>', "show these ROIs too, by their labels, as '0A*'; '!0A13*' leaves out")
      .option('--json', 'print everything as one line of JSON'),
  run: async (context, _args, options) => (await import('./showSensing.ts')).showSensing(context, options),
};
