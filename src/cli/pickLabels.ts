import { dirname } from 'node:path';
import { CalibrationError } from '../calibration/calibrationError.ts';
import { calibrationLines } from '../calibration/calibrationReport.ts';
import { featureLocationsToml } from '../calibration/featureLocations.ts';
import type { ChipChoice } from '../calibration/findChip.ts';
import { type Calibration, locateChip } from '../calibration/locateChip.ts';
import { shrink } from '../calibration/shrink.ts';
import { makeFolder } from '../files/durableNames.ts';
import { nodeFiles } from '../files/files.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import { encodePng } from '../image/encodeImage.ts';
import { openPickServer, type PickedLabels } from '../sinks/pick/pickServer.ts';
import type { Reference } from './calibrationFiles.ts';
import type { ConsoleOutput } from './consoleOutput.ts';
import { exitCodes } from './exitCodes.ts';
import { untilSignal } from './ownCamera.ts';

/** Pixels on a side of the picture in the page. */
const pictureSize = 4000;

/**
 * Shows the image in a browser page on loopback, where labels are clicked. What was clicked is written, and the chip is looked for; when that is not
 * sure, the page says why, and other clicks are waited for.
 *
 * @param file where the positions go
 * @returns the calibration; the exit code when a signal ended it before
 */
export async function pickLabels(
  reference: Reference,
  choices: readonly ChipChoice[],
  file: string,
  port: number,
  output: ConsoleOutput,
): Promise<Calibration | number> {
  const { promise, resolve } = Promise.withResolvers<Calibration>();
  let found: Calibration | null = null;

  async function take(picked: PickedLabels): Promise<{ done: boolean; text: string }> {
    const choice = choices.find(({ chip }) => chip.type === picked.chipType);
    if (choice === undefined) return { done: false, text: `there is no chip "${picked.chipType}"` };
    await makeFolder(nodeFiles, dirname(file));
    await writeAtomic(nodeFiles, file, featureLocationsToml(picked));
    try {
      const calibration = await locateChip(reference.pixels, choice.chip, picked.clicks, choice.templates);
      resolve(calibration);
      return { done: true, text: calibrationLines(calibration, reference).join('\n') };
    } catch (error) {
      if (!(error instanceof CalibrationError)) throw error;
      output.error(error.message);
      return { done: false, text: error.message };
    }
  }

  const server = await openPickServer({
    port,
    facts: {
      chips: choices.map(({ chip, templates }) => ({
        type: chip.type,
        labels: templates.map(({ label }) => label.label),
      })),
      width: reference.size.width,
      height: reference.size.height,
    },
    picture: await encodePng(shrink(reference.pixels, pictureSize).picture),
    take,
  });
  output.line(`http://localhost:${server.port}  shows the image: click on two labels or more; stop with Ctrl-C`);
  output.line(
    `from another machine: ssh -L ${server.port}:localhost:${server.port} this-one, and the same address there`,
  );
  try {
    const code = await untilSignal(async signal => {
      const stopped = new Promise<null>(end => signal.addEventListener('abort', () => end(null), { once: true }));
      found = await Promise.race([promise, stopped]);
      signal.throwIfAborted();
      return exitCodes.done;
    });
    if (found === null) return code;
    output.line(`written   ${file}`);
    return found;
  } finally {
    await server.close();
  }
}
