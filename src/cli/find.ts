import type { CommandDefinition } from './commandDefinition.ts';
import { wholeNumber } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import type { FindOptions } from './findCameras.ts';

/** `find cameras`: what is attached, with the lines for the configuration. */
export const find: CommandDefinition<FindOptions> = {
  usage: 'find <what>',
  kind: 'tool',
  summary: 'list what is attached, with the lines for the configuration',
  words: ['cameras'],
  examples: ['find cameras', 'find cameras --pick 1'],
  declare: command =>
    command
      .option('--pick <number>', 'write the camera of this number to the configuration', wholeNumber)
      .addHelpText(
        'after',
        '\nWhat can be found: cameras, by libcamera, Video4Linux and GStreamer. On a terminal it asks which one shall be used,' +
          '\nand writes that to the configuration. Exit code 1: none is there.',
      ),
  run: async (context, [what = ''], options) => {
    if (what !== 'cameras') throw new ExitError(exitCodes.usage, `"find ${what}" is not there; "find cameras" is`);
    return (await import('./findCameras.ts')).showCameras(context, options);
  },
};
