import { join } from 'node:path';
import { fromEvent, lastValueFrom, takeUntil } from 'rxjs';
import { makeFolder } from '../files/durableNames.ts';
import { nodeFiles } from '../files/files.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import { frameTrend } from '../image/frameTrend.ts';
import { measureFrame } from '../image/measureFrame.ts';
import { systemClock } from '../model/clock.ts';
import { liveFrames$ } from '../streams/cameras/liveFrames.ts';
import { asJpeg, type CaptureOptions, refuseWithoutDisk } from './captureOne.ts';
import type { CommandContext } from './commandDefinition.ts';
import { exitCodes } from './exitCodes.ts';
import { openFocusScreen } from './focusScreen.ts';
import { focusWords } from './frameWords.ts';
import { ownCamera, untilSignal } from './ownCamera.ts';

/** The name that the Python system gave it, for what shows it again and again. */
const frameFile = 'continuous_capture_frame.jpg';
const retryMs = 2_000;

/** Frames until a signal, each written over the one before, with what one focuses by: on a terminal with the picture itself. */
export async function captureContinuously(context: CommandContext, options: CaptureOptions): Promise<number> {
  const { output } = context;
  const camera = await ownCamera(context, 'capture --continuous');
  await refuseWithoutDisk(camera);
  const path = join(camera.paths.continuousCapture, frameFile);
  await makeFolder(nodeFiles, camera.paths.continuousCapture);
  output.line(`${path}: each frame over the one before; stop with Ctrl-C`);
  const follow = frameTrend();
  return untilSignal(async (stop, abort) => {
    const screen =
      output.isInteractive && options.picture ? await openFocusScreen(context, `q ends; ${path}`, abort) : null;
    const say = screen ? screen.say : (message: string): void => output.error(message);
    try {
      await lastValueFrom(
        liveFrames$({
          open: signal => camera.open(signal, { note: say }),
          work: async (frame, signal) => {
            const measured = await measureFrame(await camera.pixels(frame), signal);
            await writeAtomic(nodeFiles, path, await asJpeg(measured), { durable: false });
            const trend = follow(measured);
            if (screen) screen.show(measured, trend);
            else output.line(`${frame.taken.local.slice(11, 19)}  ${focusWords(measured, trend).join('; ')}`);
          },
          intervalMs: 1000 * (options.interval ?? 0.5),
          retryMs,
          onTrouble: ({ message }) => say(message),
          clock: systemClock,
        }).pipe(takeUntil(fromEvent(stop, 'abort'))),
        { defaultValue: undefined },
      );
    } finally {
      screen?.close();
    }
    return exitCodes.done;
  });
}
