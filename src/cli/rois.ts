import type { CommandDefinition } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import type { RoisOptions } from './roiManifests.ts';

/** `rois check`: a ROI manifest drawn over an image. `rois select`: a manifest with some of the regions. */
export const rois: CommandDefinition<RoisOptions> = {
  usage: 'rois <what> [patterns...]',
  kind: 'tool',
  offered: 'check',
  summary: 'draw the regions of interest over an image, or write a manifest with some of them',
  words: ['check', 'select'],
  examples: ['rois check --image reference.png', "rois select '0[0-5]?A*'", "rois select '*_N' '!1*' --out north.json"],
  declare: command =>
    command
      .option('--rois <file>', 'the ROI manifest (default: that of the configuration)')
      .option('--image <file>', 'check: the image it is drawn over (default: [Assets] roi_generation_image)')
      .option('--out <file>', 'the picture, or the new manifest (default: in generated_files_dir)')
      .addHelpText(
        'after',
        '\ncheck says how many regions lie on light, partly outside of the image, or on nothing. Exit code 1: not all on light.' +
          '\nselect keeps the regions whose label fits a pattern (* ? [a-d]) and none that begins with "!".',
      ),
  run: async (context, [what = '', ...patterns], options) => {
    if (what === 'check') return (await import('./roiManifests.ts')).checkRois(context, options);
    if (what === 'select') return (await import('./roiManifests.ts')).selectFromRois(context, patterns, options);
    throw new ExitError(exitCodes.usage, `"rois ${what}" is not there; "rois check" and "rois select" are`);
  },
};
