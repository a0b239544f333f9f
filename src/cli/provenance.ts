import type { CommandDefinition } from './commandDefinition.ts';
import type { ProvenanceOptions } from './showProvenance.ts';

/** `provenance`: from a number in the table back to all that it was made from. */
export const provenance: CommandDefinition<ProvenanceOptions> = {
  usage: 'provenance <frame> [roi]',
  summary: 'go from a number in the table back to image, settings, ROIs, reference and code',
  examples: [
    '--root /data/run7 provenance 2025-07-24T13:45:13.569672 A2_N',
    '--root /data/run7 provenance image_20250724_134513_569672_cam0.png --json',
  ],
  kind: 'tool',
  declare: command =>
    command
      .option('--json', 'print it as JSON')
      .addHelpText(
        'after',
        '\n<frame> is the time of a row of the table, the name or path of an image, or the id of its entry.',
      ),
  run: async (context, [frame = '', roi], options) =>
    (await import('./showProvenance.ts')).showProvenance(context, { frame, roi }, options),
};
