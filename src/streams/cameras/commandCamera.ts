/**
 * `camera_type = "command"`: any program that writes one image each time it is called, to its standard output, or to the file that
 * it is given in place of `{output}`.
 *
 * Its words reach it as they are: no shell reads them. PNG, JPEG and TIFF of 8 or 16 bits a channel are read.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ToolRunner } from '../../files/runTool.ts';
import { BadImageError } from '../../image/badImageError.ts';
import { decodeFrame } from '../../image/decodeFrame.ts';
import type { Camera, CaptureSettings } from './camera.ts';
import { type Failed, frameError, toolFailure } from './cameraFaults.ts';
import { inFrameFolder } from './frameFolder.ts';
import { identityIn } from './v4l2/videoDevice.ts';

export interface CommandCameraOptions {
  /** The program, and its arguments; `{output}`, `{exposure}`, `{gain}`, `{brightness}` and `{contrast}` in them are replaced. */
  command: readonly string[];
  timeoutMs: number;
  /** Tells two cameras of one program apart. */
  cameraId: number | string;
}

const outputMark = '{output}';
/** What a program may write at most: a frame of 64 megapixels in colour at 16 bits, uncompressed. */
export const maxImageBytes = 512 * 2 ** 20;

export function commandCamera(
  { command, timeoutMs, cameraId }: CommandCameraOptions,
  tools: Pick<ToolRunner, 'run'>,
): Camera {
  const [program = ''] = command;
  const name = `camera command ${program}`;
  const failed: Failed = { camera: name, program };
  const writesFile = command.some(word => word.includes(outputMark));

  const shoot = async (
    settings: CaptureSettings,
    { signal, folder }: { signal: AbortSignal; folder: string | null },
  ) => {
    const words = command.map(word => filled(word, settings, folder));
    const output = await tools
      .run(words, { signal, timeoutMs, device: name, maxOutputBytes: maxImageBytes })
      .catch((error: unknown) => {
        throw toolFailure(failed, error);
      });
    if (output.code !== 0) throw frameError(failed, output);
    const bytes = folder === null ? output.stdout : await onlyFile(folder);
    if (bytes === null || bytes.length === 0) {
      const where = folder === null ? 'to its standard output' : `to ${outputMark}`;
      throw frameError(failed, output, { code: 'frame_absent', message: `it wrote no image ${where}` });
    }
    try {
      return { pixels: await decodeFrame(bytes, `the image of ${program}`), metadata: {} };
    } catch (error) {
      if (!(error instanceof BadImageError)) throw error;
      throw frameError(failed, output, { code: 'frame_torn', message: error.message });
    }
  };

  return {
    name,
    device: name,
    programs: [program],
    settlingFrames: 0,
    // Where its words name no device, one program with the same words for the same camera is taken for one.
    identity: () => identityIn(command, cameraId),
    capture: (settings, signal) => {
      if (!writesFile) return shoot(settings, { signal, folder: null });
      return inFrameFolder(folder => shoot(settings, { signal, folder }));
    },
  };
}

function filled(word: string, settings: CaptureSettings, folder: string | null): string {
  const withOutput = folder === null ? word : word.replaceAll(outputMark, join(folder, 'frame'));
  return withOutput.replaceAll(/\{(exposure|gain|brightness|contrast)\}/g, (_, key: keyof CaptureSettings) =>
    String(settings[key]),
  );
}

/** The file that the program wrote, whatever ending it gave it; null: none. */
async function onlyFile(folder: string): Promise<Buffer | null> {
  const [name] = (await readdir(folder)).filter(each => each.startsWith('frame')).sort();
  return name === undefined ? null : readFile(join(folder, name));
}
