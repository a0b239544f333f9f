/**
 * `camera_type = "logitech"` and `"argus"`: a camera with a device of Video4Linux (`/dev/video0`), by `v4l2-ctl`, or by `ffmpeg` where only
 * that is there.
 *
 * Before each frame the controls are compared with what is asked, and set where they differ: a camera that was reset goes on as it was. Each
 * is read back; what the camera refuses or bends is said once. Nothing stays open between two frames.
 */
import type { ToolOutput, ToolRunner } from '../../../files/runTool.ts';
import { rawBytes, rawStride } from '../../../image/rawFrame.ts';
import type { FrameMetadata } from '../../../model/frame.ts';
import type { Camera, CaptureSettings } from '../camera.ts';
import { CameraError, type Failed, frameError, toolFailure } from '../cameraFaults.ts';
import { namingHolders } from '../deviceHolders.ts';
import { lastFrame, type WrittenFrames } from '../framesInOutput.ts';
import { findDevice } from './deviceFinder.ts';
import {
  type ControlStep,
  controlSteps,
  controlTrouble,
  exposureMetadata,
  exposureUnitSeconds,
} from './v4l2Controls.ts';
import { chooseFormat, type FrameFormat, parseFfmpegFormats } from './v4l2Formats.ts';
import { parseControls, parseFormats, parseFrameFormat, parseValues, type V4l2FrameFormat } from './v4l2Listings.ts';
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
  /** What the camera made of a value, by control: it is not asked for the same again. */
  const bent = new Map<string, { value: number; found: number }>();
  let chosen: { path: string; format: FrameFormat } | null = null;

  interface Session {
    device: VideoDevice;
    program: 'v4l2-ctl' | 'ffmpeg';
    signal: AbortSignal;
    run(words: readonly string[], limits?: { timeoutMs?: number; maxOutputBytes?: number }): Promise<ToolOutput>;
    failed: Failed;
  }

  /** Sets what differs, reads all of it back, and says what is not as asked. */
  const setControls = async (listing: string, settings: CaptureSettings, { run, failed }: Session) => {
    const { steps, absent } = controlSteps(parseControls(listing), settings);
    const refusals = new Map<string, string>();
    for (const step of steps) {
      const before = bent.get(step.name);
      if (step.isSet || (before?.value === step.value && before.found === step.current)) continue;
      const { stderr } = await run([`--set-ctrl=${step.name}=${step.value}`]);
      if (stderr.trim() !== '') refusals.set(step.name, stderr.trim().split('\n').at(-1)!);
    }
    const output = steps.length === 0 ? null : await run([`--get-ctrl=${steps.map(each => each.name).join(',')}`]);
    const values = parseValues(output?.stdout.toString() ?? '');
    if (output && values.size === 0)
      throw frameError(failed, output, { code: 'controls_unread', message: 'its controls can not be read' });
    for (const { name: control, value } of steps) {
      const found = values.get(control);
      if (found === undefined || found === value) bent.delete(control);
      else bent.set(control, { value, found });
    }
    sayControls(steps, { values, absent, refusals });
    return exposureMetadata(steps, values);
  };

  const sayControls = (
    steps: readonly ControlStep[],
    {
      values,
      absent,
      refusals,
    }: { values: ReadonlyMap<string, number>; absent: readonly string[]; refusals: ReadonlyMap<string, string> },
  ): void => {
    const troubles = steps.flatMap(step => {
      const trouble = controlTrouble(step, values.get(step.name));
      const refusal = refusals.get(step.name);
      return trouble === null ? [] : [refusal === undefined ? trouble : `${trouble} (v4l2-ctl said "${refusal}")`];
    });
    if (absent.length > 0) {
      const keys = absent.map(key => `Camera.camera_${key}`).join(', ');
      troubles.push(`${keys}: the camera has no such control`);
    }
    say(troubles.join('. '));
  };

  const say = (message: string): void => {
    if (message !== '' && message !== memory.said.get(name)) note({ level: 'warning', message: `${name}: ${message}` });
    memory.said.set(name, message);
  };

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
    if (given === null) throw frameError(session.failed, state);
    if (given.width !== width || given.height !== height || given.fourcc !== fourcc) {
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
    const limits = frameLimits(settings);
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
      const session: Session = { device, program, signal, run, failed };
      try {
        const { output, frames, metadata } = await (program === 'v4l2-ctl' ? byV4l2Ctl : byFfmpeg)(settings, session);
        const pixels = output.code === 0 ? await lastFrame(output.stdout, frames) : '';
        if (typeof pixels !== 'string') return { pixels, metadata };
        throw frameError(failed, withoutProgress(output), { code: 'frame_torn', message: pixels });
      } catch (error) {
        chosen = null;
        throw await namingHolders(toolFailure(failed, error), [device.path]);
      }
    },
  };
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
