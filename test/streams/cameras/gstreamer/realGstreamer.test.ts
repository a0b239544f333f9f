import { describe, expect, it } from 'vitest';
import { ToolRunner } from '../../../../src/files/runTool.ts';
import { decodeFrame } from '../../../../src/image/decodeFrame.ts';
import { filledPipeline, gstreamerCamera } from '../../../../src/streams/cameras/gstreamer/gstreamerCamera.ts';
import { tisCamera } from '../../../../src/streams/cameras/gstreamer/tisCamera.ts';

const tools = new ToolRunner();
const isThere = (await tools.find('gst-launch-1.0')) !== null;
const settings = { exposure: 0, gain: 0, brightness: 0, contrast: 0 };
const never = new AbortController().signal;
const scene = ['videotestsrc', 'pattern=smpte100'];
const options = {
  name: 'camera 0 (gstreamer)',
  width: 0,
  height: 0,
  pixelFormat: '',
  timeoutMs: 60_000,
  discardedFrames: 2,
};
const capture = (items: readonly string[], given: Partial<typeof options> = {}) =>
  gstreamerCamera(
    {
      ...options,
      ...given,
      identity: async () => '',
      exposureSeconds: () => 0,
      pipeline: numbers => filledPipeline(items, numbers),
    },
    tools,
  ).capture(settings, never);

/** The same pattern as a PNG, which GStreamer makes by itself. */
const reference = async (format: string, as: string, { width, height }: { width: number; height: number }) => {
  const words = [
    'gst-launch-1.0',
    '-q',
    ...scene,
    'num-buffers=1',
    '!',
    `video/x-raw,format=${format},width=${width},height=${height}`,
  ];
  const { stdout } = await tools.run(
    [...words, '!', 'videoconvert', '!', `video/x-raw,format=${as}`, '!', 'pngenc', '!', 'fdsink'],
    {
      signal: never,
      timeoutMs: 60_000,
    },
  );
  return decodeFrame(stdout, 'reference');
};

describe.skipIf(!isThere)('the gst-launch-1.0 of this machine', () => {
  it.each([
    ['GRAY8', 'GRAY8', 31, 17],
    ['GRAY16_LE', 'GRAY16_BE', 31, 17],
    ['BGR', 'RGB', 30, 17],
  ])('gives frames as %s, of rows that end within a word, bit for bit', async (format, as, width, height) => {
    const { pixels } = await capture(scene, { width, height, pixelFormat: format });
    expect(pixels).toEqual(await reference(format, as, { width, height }));
  });

  it('gives the same luma in every format that has it', async () => {
    const formats = ['YUY2', 'UYVY', 'I420', 'NV12'];
    const shots = await Promise.all(formats.map(pixelFormat => capture(scene, { width: 30, height: 18, pixelFormat })));
    for (const { pixels } of shots) expect(pixels.data).toEqual(shots[0]!.pixels.data);
    expect(new Set(shots[0]!.pixels.data).size).toBeGreaterThan(5);
  });

  it('gives the frame that comes after those that are thrown away', async () => {
    const moving = (discardedFrames: number) =>
      capture(['videotestsrc', 'pattern=ball', 'animation-mode=frames'], {
        width: 64,
        height: 48,
        pixelFormat: 'GRAY8',
        discardedFrames,
      });
    const shots = await Promise.all([moving(0), moving(0), moving(9)]);
    expect(shots[1]!.pixels).toEqual(shots[0]!.pixels);
    expect(shots[2]!.pixels).not.toEqual(shots[0]!.pixels);
  });

  it('gives what a pipeline without a format has, JPEG too', async () => {
    const { pixels } = await capture([...scene, '!', 'video/x-raw,format=GRAY8', '!', 'jpegenc', 'quality=100']);
    expect(pixels).toMatchObject({ width: 320, height: 240, depth: 8 });
  });

  it.each([
    [['v4l2src', 'device=/dev/video997'], /the device is gone .*Cannot identify device/],
    [['nosuchsrc'], /does not have an element/],
    [['videotestsrc', 'bogus=1'], /does not understand the pipeline/],
    [['audiotestsrc'], /does not understand the pipeline/],
    [['videotestsrc', '!', 'video/x-raw,format=ABGR64_LE'], /no frames of this format and size/],
    [['videotestsrc', 'num-buffers=1', '!', 'errorignore', '!', 'fakevideosrc'], /GStreamer/],
  ])('says in words that are known that %j does not work', async (items, says) => {
    await expect(capture(items)).rejects.toThrow(says);
  });

  it('without tiscamera says what to install', async ({ skip }) => {
    const { stdout } = await tools.run(['gst-inspect-1.0', '--exists', 'tcambin'], {
      signal: never,
      timeoutMs: 60_000,
    });
    const camera = tisCamera({ ...options, cameraId: 0 }, { tools, note: () => undefined });
    const error = (await camera.capture(settings, never).catch((each: unknown) => each)) as Error;
    if (!/tcambin/.test(error.message)) skip(`tiscamera is there ${stdout}`);
    expect(error.message).toMatch(/does not have an element of the pipeline .*tiscamera/);
  });
});
