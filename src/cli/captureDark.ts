import { join } from 'node:path';
import { makeFolder } from '../files/durableNames.ts';
import { nodeFiles } from '../files/files.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import { type DarkFrame, measureDark } from '../image/darkFrame.ts';
import { reduceFrame } from '../image/reducedFrame.ts';
import { localIso } from '../model/localTime.ts';
import { number } from '../model/quantity.ts';
import { darkFile, referencesFolder } from '../operators/processor/referenceFiles.ts';
import type { CaptureOptions } from './captureOne.ts';
import type { CommandContext } from './commandDefinition.ts';
import { exitCodes } from './exitCodes.ts';
import { exposureRange } from './exposureRange.ts';
import { percent } from './frameWords.ts';
import { offerChange } from './offerChange.ts';
import { type OwnCamera, ownCamera, untilSignal } from './ownCamera.ts';

/** Frames at the two exposures may differ by so many spreads of a pixel, and by a count in any case. */
const mostByExposure = 1;
/** To two decimals at most. */
const counts = (value: number): string => number(Number(value.toFixed(2)));

/**
 * Measures the camera's counts without light, from a frame that is taken with the lens covered, at the exposure and gain of the
 * configuration; says what it found, and writes it when asked to. A frame that light has reached is refused: by how it looks, and
 * because at half the exposure there would be half of the light.
 */
export async function captureDark(context: CommandContext, options: CaptureOptions): Promise<number> {
  const { output } = context;
  const camera = await ownCamera(context, 'capture --dark');
  const { camera_type: type, camera_exposure: exposure, camera_gain: gain, dark_level: now } = camera.config.Camera;
  return untilSignal(async signal => {
    const dark = await look(camera, exposure, signal, output);
    const refusal = whyNotDark(dark);
    if (refusal !== null) return refuse(refusal);
    const less = await lookShorter();
    if (less !== null && dark.level - less.level > Math.max(1, mostByExposure * dark.spread))
      return refuse(
        `at half the exposure the frame is darker, ${counts(less.level)} counts for ${counts(dark.level)}: so there is light in it, ` +
          'or the sensor is so warm that it glows by itself',
      );
    for (const note of notes(dark)) output.line(note);
    const level = Number(dark.level.toFixed(1));
    await remember(level);
    if (now === level) output.line('the configuration has it already');
    else await offerChange({ path: ['Camera', 'dark_level'], value: level }, camera, options, context, signal);
    return exitCodes.done;

    /** A reference says of its dark level whether it was measured. */
    async function remember(measured: number): Promise<void> {
      const folder = join(camera.paths.results, referencesFolder);
      const dark = { level: measured, taken: localIso(Date.now()), exposure, gain };
      await makeFolder(nodeFiles, folder);
      await writeAtomic(nodeFiles, join(folder, darkFile), `${JSON.stringify(dark)}\n`);
    }

    /** Null: the camera has no shorter exposure. */
    async function lookShorter(): Promise<DarkFrame | null> {
      const shorter = exposureRange(camera.config).round(exposure / 2);
      if (type === 'watch_folder' || !(shorter > 0 && shorter < exposure)) return null;
      return look(camera, shorter, signal, output).catch((error: Error) => {
        signal.throwIfAborted();
        output.error(`no frame at exposure ${number(shorter)}, so even light is not told from none: ${error.message}`);
        return null;
      });
    }
  });

  function refuse(reason: string): number {
    output.error(`this is no dark frame: ${reason}`);
    output.error(
      'cover the lens with its cap, switch off lamps and laser, and call it again; whoever knows better writes [Camera] dark_level by hand',
    );
    return exitCodes.failed;
  }
}

async function look(
  camera: OwnCamera,
  exposure: number,
  signal: AbortSignal,
  output: CommandContext['output'],
): Promise<DarkFrame> {
  const source = await camera.open(signal, { settings: { camera_exposure: exposure } });
  try {
    const frame = await source.next(signal);
    if (!frame) throw new Error('the camera gave no frame');
    const pixels = await camera.pixels(frame);
    const dark = measureDark(pixels, await reduceFrame(pixels, signal));
    const { width, height, depth } = pixels;
    output.line(
      `exposure ${number(exposure)}: ${width} × ${height}, ${depth} bit, level ${counts(dark.level)} counts ` +
        `(median ${counts(dark.median)}), spread ${counts(dark.spread)}`,
    );
    return dark;
  } finally {
    await source.close();
  }
}

function whyNotDark({ light, level, darkest, brightest, hot }: DarkFrame): string | null {
  switch (light) {
    case 'bright':
      return `a level of ${counts(level)} counts is more than half of the full scale`;
    case 'uneven':
      return `its darkest part has ${counts(darkest)} counts, its brightest ${counts(brightest)}, and a camera without light has the same everywhere`;
    case 'spots':
      return `${percent(hot)} of the pixels are far brighter than the others`;
    case null:
      return null;
  }
}

function notes({ hot, zero }: DarkFrame): string[] {
  return [
    ...(hot > 0 ? [`${percent(hot)} of the pixels are hot; they are left out`] : []),
    ...(zero > 0.1
      ? [`${percent(zero)} of the pixels are 0: the camera cuts off what is below, and weak light with it`]
      : []),
  ];
}
