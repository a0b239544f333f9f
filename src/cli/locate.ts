import type { CommandDefinition } from './commandDefinition.ts';
import type { LocateOptions } from './locateGratings.ts';
import { portNumber } from './preview.ts';

/** `locate`: finds the chip in an image, and writes the ROI manifest with pictures and a report. */
export const locateCommand: CommandDefinition<LocateOptions> = {
  usage: 'locate',
  kind: 'tool',
  offered: '--auto',
  summary: 'find the gratings in an image of the chip, and write the ROI manifest',
  examples: ['--config my.toml locate --auto', 'locate --auto --image reference.png', 'locate'],
  declare: command =>
    command
      .option('--image <file>', 'image in which the chip is looked for (default: [Assets] roi_generation_image)')
      .option('--auto', 'find it without any rough positions: turned by up to 10°, at 0.5 to 1.5 pixels a design unit')
      .option('--pick', 'click on the labels in a browser page of this machine; writes Feature_locations.toml')
      .option('--port <number>', 'with --pick: the port of the page', portNumber, 5556)
      .option('--chip <type>', 'with --auto: this chip of the chip map alone (default: any of them)')
      .addHelpText(
        'after',
        '\nWithout --auto, rough positions of two labels or more are taken from Feature_locations.toml. When the answer would not be sure, nothing is written,' +
          '\nand the reason is said. Exit code 1: the chip was not found. 2: a file is missing or has a mistake.',
      ),
  run: async (context, _args, options) => (await import('./locateGratings.ts')).locateGratings(context, options),
};
