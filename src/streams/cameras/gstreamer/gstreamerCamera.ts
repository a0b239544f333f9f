/**
 * `camera_type = "gstreamer"`: any source of GStreamer, by `gst-launch-1.0`.
 *
 * Each frame is a run of the pipeline, in which the frames before the last one overwrite each other in a file. What a frame is, format and
 * size, is read from what the elements agreed on, and not assumed.
 */
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { ToolError, type ToolRunner } from '../../../files/runTool.ts';
import { type RawFormat, rawBytes, rawLayouts, rawStride } from '../../../image/rawFrame.ts';
import type { FrameMetadata } from '../../../model/frame.ts';
import type { Camera, CaptureSettings } from '../camera.ts';
import { CameraError, type Failed, frameError, toolFailure } from '../cameraFaults.ts';
import { namingHolders } from '../deviceHolders.ts';
import { inFrameFolder } from '../frameFolder.ts';
import { lastFrame, type WrittenFrames } from '../framesInOutput.ts';
import { devicePathsIn } from '../v4l2/videoDevice.ts';

export interface GstreamerCameraOptions {
  /** How messages call it: `camera 0 (gstreamer)`. */
  name: string;
  /** The pipeline without its sink, for these settings. */
  pipeline(settings: CaptureSettings): readonly string[];
  /** The device by a name that is the same whoever asks. */
  identity(): Promise<string>;
  /** 0: as the pipeline gives it. */
  width: number;
  height: number;
  /** The name of a format; empty: one that is read. */
  pixelFormat: string;
  /** Frames that go by before the one that counts, each time. */
  discardedFrames: number;
  /** How long the camera exposes for a frame, s; 0: it is not known. */
  exposureSeconds(settings: CaptureSettings): number;
  /** A frame may take so long beside its exposures, ms. */
  timeoutMs: number;
}

const program = 'gst-launch-1.0';

export function gstreamerCamera(options: GstreamerCameraOptions, tools: Pick<ToolRunner, 'run'>): Camera {
  const { name, pipeline, width, height, pixelFormat, discardedFrames, exposureSeconds, timeoutMs } = options;
  const failed: Failed = { camera: name, program };
  const filter = capsFilter({ width, height, pixelFormat });

  const shoot = async (settings: CaptureSettings, file: string, signal: AbortSignal) => {
    const source = pipeline(settings);
    const words = [
      program,
      '-v',
      ...source,
      '!',
      'capsfilter',
      `caps=${filter}`,
      '!',
      ...lastFrameTo(file, discardedFrames),
    ];
    const exposed = exposureSeconds(settings);
    const limits = { signal, timeoutMs: timeoutMs + exposed * 1000 * (discardedFrames + 1), device: name };
    try {
      const output = await tools.run(words, limits);
      const caps = agreedCaps(output.stdout.toString());
      const bytes = await readFile(file).catch(() => null);
      if (output.code !== 0 || bytes === null || caps === null) throw frameError(failed, output);
      const pixels = await lastFrame(bytes, writtenFrames(caps, failed));
      if (typeof pixels === 'string') throw frameError(failed, output, { code: 'frame_torn', message: pixels });
      const metadata: FrameMetadata = exposed > 0 ? { exposure_asked_seconds: exposed } : {};
      return { pixels, metadata };
    } catch (error) {
      if (error instanceof ToolError && error.failure === 'missing') throw absentProgram(name);
      const devices = devicePathsIn(source).map(path => realpath(path).catch(() => path));
      throw await namingHolders(toolFailure(failed, error), await Promise.all(devices));
    }
  };

  return {
    name,
    device: name,
    programs: [program],
    settlingFrames: 3,
    identity: options.identity,
    lacks: async signal => {
      const unset = { exposure: 1, gain: 1, brightness: 1, contrast: 1 };
      return missingElement(pipeline(unset), signal, tools);
    },
    capture: (settings, signal) => inFrameFolder(folder => shoot(settings, join(folder, 'frame'), signal)),
  };
}

/** The first element of a pipeline that GStreamer does not have here, as a sentence; null: none, or nobody can tell. */
async function missingElement(
  items: readonly string[],
  signal: AbortSignal,
  tools: Pick<ToolRunner, 'run'>,
): Promise<string | null> {
  const elements = items.filter((item, i) => (i === 0 || items[i - 1] === '!') && /^[\w-]+$/.test(item));
  for (const element of elements) {
    const words = ['gst-inspect-1.0', '--exists', element];
    const output = await tools.run(words, { signal, timeoutMs: inspectMs }).catch(() => null);
    if (output === null) return null;
    if (output.code !== 0)
      return `GStreamer has no element "${element}" on this machine: install its plugin (sudo apt install gstreamer1.0-plugins-good; tcambin comes with tiscamera)`;
  }
  return null;
}

/** The first call after an installation reads all plugins, ms. */
const inspectMs = 15_000;

const absentProgram = (name: string): CameraError =>
  new CameraError(
    'tool_missing',
    'alarm',
    `${name}: ${program} is not on this machine: sudo apt install gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good`,
  );

/** The items of a pipeline with `{exposure}`, `{gain}`, … replaced. */
export function filledPipeline(items: readonly string[], settings: CaptureSettings): string[] {
  return items.map(item =>
    item.replaceAll(/\{(exposure|gain|brightness|contrast)\}/g, (_, key: keyof CaptureSettings) =>
      String(settings[key]),
    ),
  );
}

/** The end of a pipeline: so many frames go by, the next one stays in the file. */
function lastFrameTo(file: string, discarded: number): string[] {
  // `identity` ends the stream instead of its Nth frame. A `%` in a name stands for the frame's number.
  return ['identity', `eos-after=${discarded + 2}`, '!', 'multifilesink', `location=${file.replaceAll('%', '%%')}`];
}

/** Names of formats that other tools have. */
const aliases: Readonly<Record<string, RawFormat>> = { GREY: 'GRAY8', Y8: 'GRAY8', Y16: 'GRAY16_LE', YUYV: 'YUY2' };

/** What the frames may be: something that is read. */
function capsFilter({
  width,
  height,
  pixelFormat,
}: Pick<GstreamerCameraOptions, 'width' | 'height' | 'pixelFormat'>): string {
  const size = [width > 0 ? `width=${width}` : '', height > 0 ? `height=${height}` : ''].filter(Boolean);
  const named: string = aliases[pixelFormat.toUpperCase()] ?? pixelFormat;
  if (named !== '') return ['video/x-raw', `format=${named}`, ...size].join(',');
  const raw = ['video/x-raw', `format=(string){${Object.keys(rawLayouts).join(',')}}`, ...size];
  return [raw, ['image/jpeg', ...size], ['image/png', ...size]].map(caps => caps.join(',')).join(';');
}

interface AgreedCaps {
  media: string;
  format: string;
  width: number;
  height: number;
}

/** What the last element was told of its frames, from what `gst-launch-1.0 -v` prints; null: it was told nothing. */
export function agreedCaps(output: string): AgreedCaps | null {
  const caps = [...output.matchAll(/\/GstMultiFileSink:[^.\n]*\.GstPad:sink: caps = (\S+?)(?:, (.*))?$/gm)].at(-1);
  if (!caps) return null;
  const [, media = '', fields = ''] = caps;
  const field = (key: string): string => new RegExp(`(?:^|, )${key}=\\([a-z]+\\)([^,]+)`).exec(fields)?.[1] ?? '';
  return { media, format: field('format'), width: Number(field('width')), height: Number(field('height')) };
}

/** GStreamer begins each row at a multiple of so many bytes. */
const rowAlignment = 4;

function writtenFrames({ media, format, width, height }: AgreedCaps, { camera }: Failed): WrittenFrames {
  if (media !== 'video/x-raw') return { width, height, raw: null };
  if (!Object.hasOwn(rawLayouts, format)) {
    const read = Object.keys(rawLayouts).join(', ');
    throw new CameraError('frame_format', 'alarm', `${camera}: the frames come as ${format}; these are read: ${read}`);
  }
  const stride = rawStride(format as RawFormat, width, rowAlignment);
  const shape = { format: format as RawFormat, width, height, stride };
  return { width, height, raw: { shape, bytes: [rawBytes(shape, rowAlignment)], count: 1 } };
}
