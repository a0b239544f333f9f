import { Option } from 'commander';
import { analysisMethods, estimators } from '../model/method.ts';
import type { CommandDefinition } from './commandDefinition.ts';
import type { InspectOptions } from './inspectRoi.ts';

/** `inspect`: all that the analysis saw of one ROI in one frame. */
export const inspect: CommandDefinition<InspectOptions> = {
  usage: 'inspect <frame> <roi>',
  summary: 'show what the analysis saw of one ROI in one frame: pixels, rows, fit, reference',
  examples: [
    '--root /data/run7 inspect image_20250724_134513_569672_cam0.png A2_N',
    '--root /data/run7 inspect 2025-07-24T13:45:13 A2_N --out a2.png',
    'inspect old/frame.tif A2_N --rois ROI_manifest.json --method fano',
  ],
  kind: 'tool',
  declare: command =>
    command
      .option('--out <file>', 'write a picture (.png) instead of showing it')
      .option('--rois <file>', 'for an image that no experiment has: its ROI manifest')
      .addOption(new Option('--method <method>', 'for such an image: analysis method').choices(analysisMethods))
      .addOption(new Option('--estimator <estimator>', 'for such an image: how rows are joined').choices(estimators))
      .addHelpText(
        'after',
        '\n<frame> is the name or path of an image, the id of its entry, or the time at which it was taken, as the table has it.\n' +
          'The image is analysed anew with the settings, the ROIs and the reference of its result line, and what differs is said.',
      ),
  run: async (context, [frame = '', roi = ''], options) =>
    (await import('./inspectRoi.ts')).inspectRoi(context, { frame, roi }, options),
};
