/**
 * `camera_type = "logitech"` and `"argus"`: a camera with a device of Video4Linux (`/dev/video0`), by `v4l2-ctl`, or by `ffmpeg` where only
 * that is there.
 *
 * Before each frame the controls are compared with what is asked, and set where they differ: a camera that was reset goes on as it was. Each
 * is read back; what the camera refuses or bends is said once. Nothing stays open between two frames.
 */
import { access, constants } from 'node:fs/promises';
import type { ToolOutput, ToolRunner } from '../../../files/runTool.ts';
import { rawBytes, rawStride } from '../../../image/rawFrame.ts';
import type { FrameMetadata } from '../../../model/frame.ts';
import type { Camera, CaptureSettings } from '../camera.ts';
import { CameraError, type Failed, frameError, toolFailure } from '../cameraFaults.ts';
import { deviceHolders, namingHolders } from '../deviceHolders.ts';
import { lastFrame, type WrittenFrames } from '../framesInOutput.ts';
import { type ControlSession, controlSetter } from './controlSetter.ts';
import { findDevice } from './deviceFinder.ts';
import { exposureUnitSeconds } from './v4l2Controls.ts';
import { chooseFormat, type FrameFormat, parseFfmpegFormats } from './v4l2Formats.ts';
import { parseFormats, parseFrameFormat, type V4l2FrameFormat } from './v4l2Listings.ts';
import { type DeviceRoots, deviceIdentity, ownRoots, type VideoDevice } from './videoDevice.ts';

export interface V4l2CameraOptions {
  /** `logitech`, … */
  type: string;
  cameraId: number | string;
  width: number;
  height: number;
  /** Four letters, such as `YUYV`; empty: the best that the camera has. */
  pixelFormat: string;
  /** Frames that go by before the one that counts, each time. */
  discardedFrames: number;
  /** A frame may take so long beside its exposures, ms. */
  timeoutMs: number;
}

export interface V4l2CameraDeps {
  tools: Pick<ToolRunner, 'run' | 'find'>;
  note(note: { level: 'info' | 'warning'; message: string }): void;
  roots?: DeviceRoots;
}

/** What is remembered of cameras while a process lives: a camera that failed is opened anew, and must not forget which device it was. */
interface Remembered {
  known: Map<number, VideoDevice>;
  /** What was said last of a camera's controls. */
  said: Map<string, string>;
}
const remembered = new WeakMap<object, Remembered>();

/** One frame on its way. */
interface Session extends ControlSession {
  device: VideoDevice;
  program: (typeof v4l2Programs)[number];
}

/** The better one first. */
const v4l2Programs = ['v4l2-ctl', 'ffmpeg'] as const;
/** Bytes of a JPEG at most, for each pixel. */
const jpegBytesPerPixel = 4;
const listingTimeoutMs = 15_000;

export function v4l2Camera(options: V4l2CameraOptions, { tools, note, roots = ownRoots }: V4l2CameraDeps): Camera {
  const { type, cameraId, width, height, discardedFrames, timeoutMs } = options;
  const name = `camera ${cameraId} (${type})`;
  const memory = remembered.get(tools) ?? { known: new Map(), said: new Map() };
  remembered.set(tools, memory);
  let chosen: { path: string; format: FrameFormat } | null = null;

  /** Once for one set of settings: a camera may take brightfield frames between the others. */
  const say = (message: string, settings: CaptureSettings): void => {
    const key = `${name} ${JSON.stringify(settings)}`;
    if (message !== '' && message !== memory.said.get(key)) note({ level: 'warning', message: `${name}: ${message}` });
    memory.said.set(key, message);
  };
  const setControls = controlSetter(say);

  const chooseFor = async ({ device, program, run, failed }: Session): Promise<FrameFormat> => {
    if (chosen?.path === device.path) return chosen.format;
    const output =
      program === 'v4l2-ctl'
        ? await run(['--list-formats-ext'])
        : await run(['-hide_banner', '-nostdin', '-f', 'v4l2', '-list_formats', 'all', '-i', device.path]);
    const listed = program === 'v4l2-ctl' ? parseFormats(output.stdout.toString()) : parseFfmpegFormats(output.stderr);
    if (listed.length === 0 && output.code !== 0) throw frameError(failed, output);
    try {
      const format = chooseFormat(listed, options);
      chosen = { path: device.path, format };
      return format;
    } catch (error) {
      throw new CameraError('frame_format', 'alarm', `${name}: ${(error as Error).message}`, error);
    }
  };

  const byV4l2Ctl = async (settings: CaptureSettings, session: Session) => {
    const format = await chooseFor(session);
    const { fourcc } = format;
    const setFormat = `--set-fmt-video=width=${width},height=${height},pixelformat=${fourcc}`;
    const state = await session.run([setFormat, '--get-fmt-video', '--list-ctrls-menus']);
    const listing = state.stdout.toString();
    const given = parseFrameFormat(listing);
    const isOther = given?.width !== width || given.height !== height || given.fourcc !== fourcc;
    // A format that could not be set is another one, and not the trouble.
    if (given === null || (isOther && state.stderr.trim() !== '')) throw frameError(session.failed, state);
    if (isOther) {
      const is = `${given.width} × ${given.height} as ${given.fourcc.trim()}`;
      const message = `${name}: asked for frames of ${width} × ${height} as ${fourcc.trim()}, it gives ${is}; set Camera.camera_width, camera_height and camera_pixel_format to what it has`;
      throw new CameraError('frame_format', 'alarm', message);
    }
    const metadata = await setControls(listing, settings, session);
    const stream = (to: string) => [
      setFormat,
      '--stream-mmap',
      `--stream-skip=${discardedFrames}`,
      '--stream-count=1',
      `--stream-to=${to}`,
    ];
    const limits = { ...frameLimits(settings), expectedBytes: given.sizeImage };
    const output = await session.run(stream('-'), limits);
    if (output.stdout.length > 0) return { output, frames: writtenFrames(format, given, 1), metadata };
    // With its frame on standard output it says nothing of what goes wrong.
    const again = output.stderr.trim() === '' ? await session.run(stream('/dev/null'), limits) : output;
    throw frameError(session.failed, withoutProgress(again));
  };

  const byFfmpeg = async (settings: CaptureSettings, session: Session) => {
    const format = await chooseFor(session);
    say(
      'exposure, gain, brightness, contrast and white balance stay as they are: ffmpeg can not set them; install v4l2-ctl (sudo apt install v4l-utils)',
      settings,
    );
    const input = [
      '-f',
      'v4l2',
      '-input_format',
      format.ffmpeg,
      '-video_size',
      `${width}x${height}`,
      '-i',
      session.device.path,
    ];
    const output = await session.run(ffmpegWords(input, discardedFrames + 1), frameLimits(settings));
    if (output.stdout.length === 0) throw frameError(session.failed, output);
    const given = { width, height, bytesPerLine: 0, sizeImage: 0 };
    const frames = writtenFrames(format, given, discardedFrames + 1);
    return { output, frames, metadata: {} as FrameMetadata };
  };

  const findProgram = async (): Promise<Session['program']> => {
    for (const program of v4l2Programs) if (await tools.find(program)) return program;
    const message = `${name}: neither v4l2-ctl nor ffmpeg is on this machine; install the first (sudo apt install v4l-utils)`;
    throw new CameraError('missing', 'alarm', message);
  };

  const frameLimits = ({ exposure }: CaptureSettings) => ({
    timeoutMs: timeoutMs + Math.max(0, exposure) * exposureUnitSeconds * 1000 * (discardedFrames + 1),
    maxOutputBytes: (discardedFrames + 2) * width * height * jpegBytesPerPixel,
  });

  return {
    name,
    device: name,
    programs: v4l2Programs,
    settlingFrames: 3,
    identity: async () => deviceIdentity(await findDevice(name, cameraId, { roots, known: memory.known, note })),
    lacks: () =>
      findDevice(name, cameraId, { roots, known: memory.known, note }).then(
        () => null,
        (error: Error) => error.message,
      ),
    capture: async (settings, signal) => {
      const device = await findDevice(name, cameraId, { roots, known: memory.known, note });
      const program = await findProgram();
      const failed: Failed = { camera: name, program };
      const run: Session['run'] = (words, limits) =>
        tools.run(program === 'v4l2-ctl' ? [program, `--device=${device.path}`, ...words] : [program, ...words], {
          signal,
          timeoutMs: listingTimeoutMs,
          device: name,
          ...limits,
        });
      const session: Session = { device, program, run, failed };
      try {
        const { output, frames, metadata } = await (program === 'v4l2-ctl' ? byV4l2Ctl : byFfmpeg)(settings, session);
        const pixels = output.code === 0 ? await lastFrame(output.stdout, frames) : '';
        if (typeof pixels !== 'string') return { pixels, metadata };
        throw frameError(failed, withoutProgress(output), { code: 'frame_torn', message: pixels });
      } catch (error) {
        chosen = null;
        const fault = await openingFault(toolFailure(failed, error), device, failed);
        throw await namingHolders(fault, [device.path]);
      }
    },
  };
}

/** `v4l2-ctl` says that it can't open a device, and not why. */
async function openingFault(error: unknown, { path }: VideoDevice, failed: Failed): Promise<unknown> {
  if (!(error instanceof CameraError) || error.code !== 'camera_gone') return error;
  const because = (stderr: string): CameraError => frameError(failed, { code: 1, endedBy: null, stderr });
  const denied = await access(path, constants.R_OK | constants.W_OK).then(
    () => false,
    ({ code }: NodeJS.ErrnoException) => code === 'EACCES',
  );
  if (denied) return because(`${path}: Permission denied`);
  return (await deviceHolders([path])).length > 0 ? because(`${path}: Device or resource busy`) : error;
}

/** Words of an `ffmpeg` that writes so many frames to its standard output, as they come from its input. */
export function ffmpegWords(input: readonly string[], frames: number): string[] {
  return [
    '-hide_banner',
    '-nostdin',
    '-loglevel',
    'error',
    ...input,
    '-frames:v',
    String(frames),
    '-c:v',
    'copy',
    '-f',
    'rawvideo',
    'pipe:1',
  ];
}

/** What a format that a camera gives is on standard output. */
export function writtenFrames(
  { raw: format }: FrameFormat,
  { width, height, bytesPerLine, sizeImage }: Omit<V4l2FrameFormat, 'fourcc'>,
  count: number,
): WrittenFrames {
  if (format === undefined) return { width, height, raw: null };
  const tight = rawStride(format, width);
  const shape = { format, width, height, stride: Math.max(bytesPerLine, tight) };
  return { width, height, raw: { shape, bytes: [rawBytes(shape), sizeImage], count } };
}

/** A character for each frame, and their rate, stand on standard error too. */
const withoutProgress = (output: ToolOutput): ToolOutput => ({
  ...output,
  stderr: output.stderr.replace(/<+(?: *[\d.]+ fps)?/g, ''),
});
