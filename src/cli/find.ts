import type { CommandDefinition } from './commandDefinition.ts';
import { wholeNumber } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import type { FindOptions } from './findCameras.ts';
import type { FindSensorsOptions } from './findSensors.ts';

/** `find cameras`, `find sensors`: what is attached, with the lines for the configuration. */
export const find: CommandDefinition<FindOptions & FindSensorsOptions> = {
  usage: 'find <what>',
  kind: 'tool',
  summary: 'list what is attached, with the lines for the configuration',
  words: ['cameras', 'sensors'],
  examples: ['find cameras', 'find cameras --pick 1', 'find sensors', 'find sensors --name "28-00000ff8fa16=Inlet"'],
  declare: command =>
    command
      .option('--pick <number>', 'write the camera of this number to the configuration', wholeNumber)
      .option('--name <id=name...>', 'write the name of a temperature sensor to the configuration')
      .addHelpText(
        'after',
        '\nWhat can be found: cameras, by libcamera, Video4Linux and GStreamer. On a terminal it asks which one shall be used,' +
          '\nand writes that to the configuration. Sensors: temperature sensors on the 1-wire bus; a terminal shows them again and' +
          '\nagain, so that the one that a finger warms is seen, and asks for their names. Exit code 1: none is there.',
      ),
  run: async (context, [what = ''], options) => {
    if (what === 'sensors') return (await import('./findSensors.ts')).showSensors(context, options);
    if (what !== 'cameras')
      throw new ExitError(exitCodes.usage, `"find ${what}" is not there; "find cameras" and "find sensors" are`);
    return (await import('./findCameras.ts')).showCameras(context, options);
  },
};
