import { basename } from 'node:path';
import { openRawRelay } from '../sinks/preview/rawRelay.ts';
import { frameError } from '../streams/cameras/cameraFaults.ts';
import { videoPrograms, videoWords } from '../streams/cameras/libcamera/videoStream.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { ownCamera, untilSignal } from './ownCamera.ts';
import { hostOf, isLoopback, type PreviewOptions } from './runPreview.ts';

/** A program that streams must not fill memory with what it says; it says next to nothing, bytes. */
const maxOutputBytes = 1 << 20;

/** The camera's own video to players such as VLC, until a signal. */
export async function runRawPreview(context: CommandContext, { port, listen }: PreviewOptions): Promise<number> {
  const { output } = context;
  const camera = await ownCamera(context, 'preview --raw');
  const { camera_type: type } = camera.config.Camera;
  if (type !== 'libcamera' && type !== 'hawkeye')
    throw new ExitError(
      exitCodes.usage,
      `--raw streams a camera of the Raspberry Pi, and Camera.camera_type is "${type}": without --raw VLC shows /stream.mjpg of any camera`,
    );
  const { tools, config } = camera;
  const program = await tools.find(...videoPrograms);
  if (program === null)
    throw new ExitError(
      exitCodes.failed,
      `none of ${videoPrograms.join(', ')} is on this machine: sudo apt install rpicam-apps (Raspberry Pi OS)`,
    );
  const index = await camera.libcameraIndex(AbortSignal.timeout(30_000));
  return untilSignal(async stop => {
    const relay = await openRawRelay({
      address: listen,
      port,
      stream: async (innerPort, signal) => {
        const words = [program, ...videoWords(config.Camera, index, innerPort)];
        // The one before may still be ending.
        const ended = await tools.turn('libcamera', signal, () =>
          tools.run(words, { signal, timeoutMs: Number.POSITIVE_INFINITY, device: 'libcamera', maxOutputBytes }),
        );
        if (ended.code !== 0)
          throw frameError({ camera: `camera ${index} (libcamera)`, program: basename(program) }, ended);
      },
      onTrouble: ({ message }) => output.error(message),
    });
    if (!isLoopback(listen)) output.error(`warning: everybody who reaches ${listen} may watch`);
    output.line(
      `vlc tcp/h264://${hostOf(listen)}:${relay.port}  (over SSH with -L ${relay.port}:localhost:${relay.port}); stop with Ctrl-C`,
    );
    try {
      await new Promise<void>(resolve => stop.addEventListener('abort', () => resolve(), { once: true }));
    } finally {
      await relay.close();
    }
    return exitCodes.done;
  });
}
