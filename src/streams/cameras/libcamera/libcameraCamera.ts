/**
 * `camera_type = "libcamera"`, `"hawkeye"`: the camera on the Raspberry Pi's own connector, by `rpicam-still` (`libcamera-still` before
 * 2024; `rpicam-jpeg` where only that is there).
 *
 * The frame comes as YUV420, of which the luma is kept: what the sensor gave after the image processor, without JPEG. It comes through
 * a pipe, since a 64 megapixel frame has 95 MB. What the tool knows of it comes as a small file.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ToolOptions, ToolOutput, ToolRunner } from '../../../files/runTool.ts';
import { decodeFrame } from '../../../image/decodeFrame.ts';
import { decodeRaw } from '../../../image/rawFrame.ts';
import { asError } from '../../../model/asError.ts';
import type { Pixels } from '../../../model/frame.ts';
import type { Camera, CaptureSettings, Shot } from '../camera.ts';
import { CameraError, type Failed, frameError, toolFailure } from '../cameraFaults.ts';
import { maxImageBytes } from '../commandCamera.ts';
import { namingHolders } from '../deviceHolders.ts';
import { inFrameFolder } from '../frameFolder.ts';
import { chosenCamera, type ListedCamera, listedCameras } from './libcameraListing.ts';
import { stillMetadata } from './stillMetadata.ts';
import { type Encoding, type Flip, type FrameOptions, optionWords, stillOptions } from './stillOptions.ts';

export interface LibcameraOptions {
  cameraId: number | string;
  /** 0: that of the sensor. */
  width: number;
  height: number;
  encoding: Encoding;
  jpegQuality: number;
  flip: Flip;
  /** Beyond the exposure, ms. */
  timeoutMs: number;
}

/** The tool's programs, the best first. */
export const stillPrograms = ['rpicam-still', 'libcamera-still', 'rpicam-jpeg', 'libcamera-jpeg'] as const;
/** Listing asks each camera for its modes, ms. */
const listingMs = 15_000;

/** The tool, and the camera as it was found: asked for anew after each failure, since numbers change. */
interface Found {
  program: string;
  camera: number;
  width: number;
  height: number;
}

/** The devices of all cameras on the connectors, and of their image processors. */
const cameraDevices = async (): Promise<string[]> =>
  (await readdir('/dev').catch(() => [])).filter(name => /^(?:media|video)\d+$/.test(name)).map(name => `/dev/${name}`);

export function libcameraCamera(
  options: LibcameraOptions,
  tools: Pick<ToolRunner, 'run' | 'find'>,
  devices = cameraDevices,
): Camera {
  const { cameraId, encoding, timeoutMs } = options;
  const name = `camera ${cameraId} (libcamera)`;
  const device = 'libcamera';
  let found: Found | null = null;
  /** Versions before 2023 do not have it. */
  let hasMetadata = true;

  const run = async (words: readonly string[], failed: Failed, how: Omit<ToolOptions, 'device'>): Promise<ToolOutput> =>
    tools.run(words, { ...how, device }).catch((error: unknown) => {
      throw toolFailure(failed, error);
    });

  const find = async (signal: AbortSignal): Promise<Found> => {
    const program = await tools.find(...stillPrograms);
    if (program === null)
      throw new CameraError(
        'tool_missing',
        'alarm',
        `${name}: none of ${stillPrograms.join(', ')} is on this machine: sudo apt install rpicam-apps (Raspberry Pi OS); elsewhere use another camera_type`,
      );
    const { width, height } = options;
    if (typeof cameraId === 'number' && width > 0 && height > 0) return { program, camera: cameraId, width, height };
    const failed = { camera: name, program: basename(program) };
    const output = await run([program, '--list-cameras'], failed, { signal, timeoutMs: listingMs });
    const listed = listedCameras(String(output.stdout));
    if (listed.length === 0) throw frameError(failed, { ...output, stderr: `${output.stderr}\n${output.stdout}` });
    const camera = chosenCamera(listed, cameraId);
    if (!camera) throw notAmong(name, cameraId, listed);
    return { program, camera: camera.index, ...sizeOf(camera, options, name) };
  };

  const shoot = async (settings: CaptureSettings, signal: AbortSignal, folder: string): Promise<Shot> => {
    found ??= await find(signal);
    const { program } = found;
    const isStill = program.endsWith('-still');
    const metadataFile = hasMetadata ? join(folder, 'metadata.json') : null;
    const frame: FrameOptions = { ...options, ...found, encoding: isStill ? encoding : 'jpg', isStill, metadataFile };
    const failed = { camera: name, program: basename(program) };
    const output = await run([program, ...optionWords(stillOptions(settings, frame))], failed, {
      signal,
      timeoutMs: settings.exposure * 1000 + timeoutMs,
      maxOutputBytes: maxImageBytes,
      ...(frame.encoding === 'yuv420' && { expectedBytes: frame.width * frame.height * 1.5 }),
      // The tools of 2021 take "-" for the name of a file.
      folder,
    });
    const bytes =
      output.stdout.length > 0 ? output.stdout : await readFile(join(folder, '-')).catch(() => output.stdout);
    const pixels = await decoded(bytes, frame).catch((error: unknown) => {
      throw frameError(failed, output, { code: 'frame_torn', message: asError(error).message });
    });
    const said = metadataFile === null ? '' : await readFile(metadataFile, 'utf8').catch(() => '');
    const shot = { pixels, metadata: stillMetadata(said, settings.exposure) };
    if (output.code === 0) return shot;
    // A tool that falls over its own end has given its frame before.
    return {
      ...shot,
      oddity: `its frames are whole, although ${failed.program} ends with ${output.endedBy ?? output.code}`,
    };
  };

  return {
    name,
    device,
    programs: stillPrograms,
    settlingFrames: 3,
    identity: async signal => {
      found ??= await find(signal);
      return `libcamera ${found.camera}`;
    },
    capture: async (settings, signal) => {
      const shot = (folder: string): Promise<Shot> =>
        shoot(settings, signal, folder).catch(error => {
          if (!hasMetadata || !(error instanceof CameraError) || !/option '--metadata/.test(error.message)) throw error;
          hasMetadata = false;
          return shoot(settings, signal, folder);
        });
      try {
        return await inFrameFolder(shot);
      } catch (error) {
        found = null;
        throw await namingHolders(error, await devices(), '/dev/media* /dev/video*');
      }
    },
  };
}

function notAmong(name: string, wanted: number | string, listed: readonly ListedCamera[]): CameraError {
  const there = listed.map(({ index, model, id }) => `${index}: ${model} (${id})`).join(', ');
  return new CameraError(
    'camera_absent',
    'alarm',
    `${name}: Camera.camera_id is ${JSON.stringify(wanted)}, and there is ${there}: write one of these numbers, or a name of libcamera from the parentheses`,
  );
}

/** What is taken: even numbers, as YUV420 needs them. */
function sizeOf(
  camera: ListedCamera,
  { width, height }: LibcameraOptions,
  name: string,
): { width: number; height: number } {
  const even = (value: number): number => value - (value % 2);
  if (width > 0 && height > 0) return { width, height };
  if (camera.width !== null && camera.height !== null)
    return { width: even(camera.width), height: even(camera.height) };
  throw new CameraError(
    'size_unknown',
    'alarm',
    `${name}: the tool does not say how many pixels ${camera.model} has: write Camera.camera_width and Camera.camera_height`,
  );
}

/** Rows of some versions are padded to a multiple of so many bytes. */
const longestPadding = 256;

async function decoded(bytes: Buffer, { encoding, width, height }: FrameOptions): Promise<Pixels> {
  if (encoding !== 'yuv420') return decodeFrame(bytes, 'the image');
  // Half as many bytes of colour come behind the luma: the frame's length tells how long its rows are.
  const stride = bytes.length / (1.5 * height);
  const isWhole = Number.isInteger(stride) && stride >= width && stride < width + longestPadding;
  if (!isWhole)
    throw new Error(
      bytes.length === 0
        ? 'it wrote no image to its standard output'
        : `${bytes.length} bytes came, and a frame of ${width} × ${height} has ${width * height * 1.5}`,
    );
  return decodeRaw(bytes, { format: 'I420', width, height, stride });
}
