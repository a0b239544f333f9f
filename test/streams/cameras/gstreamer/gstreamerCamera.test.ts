import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { ToolRunner } from '../../../../src/files/runTool.ts';
import { systemClock } from '../../../../src/model/clock.ts';
import type { CapturedFrame, Pixels } from '../../../../src/model/frame.ts';
import type { Camera } from '../../../../src/streams/cameras/camera.ts';
import { openCameraSource } from '../../../../src/streams/cameras/cameraSource.ts';
import {
  agreedCaps,
  filledPipeline,
  gstreamerCamera,
} from '../../../../src/streams/cameras/gstreamer/gstreamerCamera.ts';
import { tisCamera } from '../../../../src/streams/cameras/gstreamer/tisCamera.ts';
import { deviceIdentity, identityIn, videoDevices } from '../../../../src/streams/cameras/v4l2/videoDevice.ts';
import { type Answer, type StandIn, standInTools } from '../../../world/standInTools.ts';
import { cameraContract } from '../cameraContract.ts';
import { videoMachine } from '../v4l2/standInV4l2Ctl.ts';

const width = 30;
const height = 20;
const pixels: Pixels = {
  width,
  height,
  depth: 8,
  data: Uint8Array.from({ length: width * height }, (_, i) => (i * 7) % 251),
};
const deep: Pixels = {
  width,
  height,
  depth: 16,
  data: Uint16Array.from(pixels.data, (value, i) => value * 200 + (i % 200)),
};
const settings = { exposure: 150, gain: 4.5, brightness: 128, contrast: 32 };
const never = new AbortController().signal;

/** Rows at multiples of four bytes, as GStreamer has them. */
function padded({ data, depth }: Pixels): Uint8Array {
  const row = (width * depth) / 8;
  const stride = Math.ceil(row / 4) * 4;
  const bytes = new Uint8Array(stride * height);
  const source = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (let y = 0; y < height; y++) bytes.set(source.subarray(y * row, (y + 1) * row), y * stride);
  return bytes;
}

/** A `gst-launch-1.0` whose source gives one format; it holds to what the options mean. */
function standInGst(
  format: string,
  frame: Uint8Array,
  { media = 'video/x-raw', size = [width, height] } = {},
): StandIn {
  return words => {
    expect(words[0]).toBe('-v');
    const elements = words.slice(1).join(' ').split(' ! ');
    const [filter, identity, sink] = elements.slice(-3);
    expect(filter).toMatch(/^capsfilter caps=video\/x-raw,format=/);
    expect(identity).toBe('identity eos-after=7');
    const file = /^multifilesink location=(\/.+)$/.exec(sink!)?.[1] ?? expect.fail(`no file: ${sink}`);
    const isTaken = filter!.includes(media) && (media !== 'video/x-raw' || filter!.includes(format));
    if (!isTaken) {
      const said = `capsfilter0 can't handle caps video/x-raw, format=(string)${format}`;
      return { stderr: `WARNING: erroneous pipeline: could not link source0 to capsfilter0, ${said}\n`, code: 1 };
    }
    const caps = `${media}, ${media === 'video/x-raw' ? `format=(string)${format}, ` : ''}width=(int)${size[0]}, height=(int)${size[1]}, framerate=(fraction)5/1`;
    const stdout = `Setting pipeline to PAUSED ...\n/GstPipeline:pipeline0/GstIdentity:identity0.GstPad:src: caps = ${caps}\n/GstPipeline:pipeline0/GstMultiFileSink:multifilesink0.GstPad:sink: caps = ${caps}\nGot EOS from element "pipeline0".\n`;
    return { stdout, files: { [file]: frame }, image: { file } };
  };
}

const source = (camera: Camera, tools: ToolRunner) =>
  openCameraSource(camera, { settings, cameraIndex: 0 }, { tools, clock: systemClock, note: () => undefined });

const common = { width: 0, height: 0, pixelFormat: '', discardedFrames: 5 };
const gstOptions = {
  ...common,
  name: 'camera 0 (gstreamer)',
  identity: async () => '',
  exposureSeconds: () => 0,
  timeoutMs: 5_000,
};
function openGst(tools: ToolRunner, { timeoutMs = 5_000, items = ['v4l2src', 'device=/dev/video0'], given = {} } = {}) {
  const options = { ...gstOptions, timeoutMs, ...given };
  return source(gstreamerCamera({ ...options, pipeline: numbers => filledPipeline(items, numbers) }, tools), tools);
}

const lacks = (pipeline: string[], tools: ToolRunner): Promise<string | null> =>
  gstreamerCamera({ ...gstOptions, pipeline: () => pipeline }, tools).lacks!(never);

const lost: { answer: Answer; says: RegExp } = {
  answer: {
    stderr:
      'ERROR: from element /GstPipeline:pipeline0/GstTcamBin:tcambin0/GstTcamSrc:tcambin-source: Device lost (12345)\n',
    files: {},
  },
  says: /the device is gone/,
};

cameraContract('gstreamer', () => ({
  open: (tools, options) => openGst(tools, options),
  programs: { 'gst-launch-1.0': standInGst('GRAY8', padded(pixels)) },
  pixels,
  dead: lost,
}));

cameraContract('gstreamer, as PNG', async () => {
  const png = await sharp(pixels.data, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
  return {
    open: (tools, options) => openGst(tools, { ...options, items: ['videotestsrc', '!', 'pngenc'] }),
    programs: { 'gst-launch-1.0': standInGst('', png, { media: 'image/png' }) },
    pixels,
    dead: lost,
  };
});

const openTis = (tools: ToolRunner, given: Partial<Parameters<typeof tisCamera>[0]> = {}, notes: string[] = []) => {
  const options = { ...common, cameraId: '12345', width, height, timeoutMs: 5_000, ...given };
  return source(tisCamera(options, { tools, note: ({ message }) => notes.push(message) }), tools);
};

cameraContract('tis', () => ({
  open: (tools, options) => openTis(tools, options),
  programs: { 'gst-launch-1.0': standInGst('GRAY16_LE', padded(deep)) },
  pixels: deep,
  dead: lost,
}));

describe('a camera of The Imaging Source', () => {
  it('is asked for by its serial number, with its exposure and gain fixed', async () => {
    const { tools, runs } = standInTools({ 'gst-launch-1.0': standInGst('GRAY16_LE', padded(deep)) });
    const frame = (await openTis(tools).next(never)) as CapturedFrame;
    expect(frame.metadata).toEqual({ exposure_asked_seconds: 0.00015 });
    expect(runs[0]!.words.slice(0, 7)).toEqual([
      '-v',
      'tcambin',
      'serial=12345',
      'tcam-properties=tcam,ExposureAuto=Off,ExposureTime=150,GainAuto=Off,Gain=4.5',
      '!',
      'capsfilter',
      `caps=video/x-raw,format=GRAY16_LE,width=${width},height=${height}`,
    ]);
  });

  it('is the first one for the number 0; what is no serial number is refused', async () => {
    const { tools, runs } = standInTools({ 'gst-launch-1.0': standInGst('GRAY16_LE', padded(deep)) });
    await openTis(tools, { cameraId: 0 }).next(never);
    expect(runs[0]!.words.join()).not.toMatch(/serial/);
    for (const cameraId of ['1 ! filesink location=/tmp/x', '1,ExposureAuto=On', '-1', '/dev/video0'])
      expect(() => openTis(tools, { cameraId })).toThrow(/must be the serial number/);
  });

  it('without deep gray gives 8 bits, and says so once', async () => {
    const { tools, runs } = standInTools({ 'gst-launch-1.0': standInGst('GRAY8', padded(pixels)) });
    const notes: string[] = [];
    const frames = openTis(tools, {}, notes);
    for (let i = 0; i < 2; i++) expect(((await frames.next(never)) as CapturedFrame).pixels).toEqual(pixels);
    expect(notes).toEqual([expect.stringMatching(/8 bits/)]);
    expect(runs).toHaveLength(3);
    await expect(openTis(tools, { pixelFormat: 'Y16' }).next(never)).rejects.toThrow(
      /no frames of this format and size/,
    );
  });

  it('says its exposure where tcam-ctrl is there', async () => {
    const listing = 'ExposureTime   (double) min=20 max=30000000 step=1 default=66666 value=166.5 category=Exposure\n';
    const programs = {
      'gst-launch-1.0': standInGst('GRAY16_LE', padded(deep)),
      'tcam-ctrl': () => ({ stdout: listing }),
    };
    const { tools } = standInTools(programs);
    const { metadata } = (await openTis(tools).next(never)) as CapturedFrame;
    expect(metadata?.exposure_seconds).toBeCloseTo(0.0001665, 9);
  });
});

describe('a pipeline of GStreamer', () => {
  it('gets the numbers of the settings where it has marks for them', () => {
    const items = ['v4l2src', 'extra-controls=c,exposure_absolute={exposure},gain={gain}'];
    expect(filledPipeline(items, settings)).toEqual(['v4l2src', 'extra-controls=c,exposure_absolute=150,gain=4.5']);
  });

  it('is asked for the size and format that are set, or for any that is read', async () => {
    const { tools, runs } = standInTools({ 'gst-launch-1.0': standInGst('GRAY8', padded(pixels)) });
    await openGst(tools, { given: { width, height, pixelFormat: 'GREY' } }).next(never);
    await openGst(tools).next(never);
    const filters = runs.map(({ words }) => words.find(word => word.startsWith('caps=')));
    expect(filters[0]).toBe('caps=video/x-raw,format=GRAY8,width=30,height=20');
    expect(filters[1]).toMatch(
      /^caps=video\/x-raw,format=\(string\)\{GRAY8,GRAY16_LE,[A-Za-z0-9_,]+\};image\/jpeg;image\/png$/,
    );
  });

  it('with a frame of another length than its format has gives none', async () => {
    const { tools } = standInTools({
      'gst-launch-1.0': standInGst('GRAY8', padded(pixels), { size: [width, height + 1] }),
    });
    await expect(openGst(tools).next(never)).rejects.toThrow(/it wrote 640 bytes, a frame has 672/);
  });

  it.each([
    ['ERROR: pipeline could not be constructed: no element "tcambin".', /does not have an element .*tiscamera/],
    ['WARNING: erroneous pipeline: no property "bogus" in element "v4l2src"', /does not understand the pipeline/],
    ['streaming stopped, reason not-negotiated (-4)', /no frames of this format and size/],
    [
      "ERROR: from element /GstPipeline:pipeline0/GstV4l2Src:v4l2src0: Device '/dev/video0' is busy",
      /another program uses the camera.*holds it/,
    ],
    ["Cannot identify device '/dev/video0'.", /the device is gone/],
  ])('that fails with %s is told with what to do', async (stderr, says) => {
    const { tools } = standInTools({ 'gst-launch-1.0': () => ({ stderr: `${stderr}\n`, code: 1 }) });
    await expect(openGst(tools).next(never)).rejects.toThrow(says);
  });

  it.each([
    [
      ['videotestsrc', 'pattern=ball', '!', 'tcambin', '!', 'video/x-raw,format=GRAY8'],
      ['videotestsrc', 'tcambin'],
      /no element "tcambin"/,
    ],
    [['videotestsrc', '!', 'videoconvert'], ['videotestsrc', 'videoconvert'], null],
  ])('of %j is told which element this machine lacks, before it runs', async (pipeline, asked, says) => {
    const standIns = standInTools({ 'gst-inspect-1.0': ([, element]) => ({ code: element === 'tcambin' ? 1 : 0 }) });
    const lacking = await lacks(pipeline, standIns.tools);
    if (says === null) expect(lacking).toBeNull();
    else expect(lacking).toMatch(says);
    expect(standIns.runs.map(({ words }) => words)).toEqual(asked.map(element => ['--exists', element]));
    // Nobody can tell.
    expect(await lacks(pipeline, standInTools({}).tools)).toBeNull();
  });

  it('that names a device of Video4Linux is the same device for every kind of camera', async () => {
    const roots = videoMachine([
      { number: 0, card: 'Cam', id: 'usb-Cam-video-index0', path: 'usb-0:1.1-video-index0' },
    ]);
    const [device] = await videoDevices(roots);
    const items = (path: string) => ['v4l2src', `device=${path}`];
    for (const path of ['/dev/video0', '/dev/v4l/by-id/usb-Cam-video-index0'])
      expect(await identityIn(items(path), 0, roots)).toBe(deviceIdentity(device!));
    for (const words of [
      ['ffmpeg', '-f', 'v4l2', '-i', '/dev/video0', '{output}.png'],
      ['v4l2-ctl', '--device=/dev/video0'],
    ])
      expect(await identityIn(words, 0, roots)).toBe(deviceIdentity(device!));
    const [first, second] = await Promise.all([0, 1].map(id => identityIn(['videotestsrc'], id, roots)));
    expect(first).not.toBe(second);
  });

  it('says what its frames are', () => {
    const line = '/GstPipeline:pipeline0/GstMultiFileSink:multifilesink0.GstPad:sink: caps = ';
    expect(agreedCaps(`${line}image/jpeg, sof-marker=(int)0, width=(int)320, height=(int)240\n`)).toEqual({
      media: 'image/jpeg',
      format: '',
      width: 320,
      height: 240,
    });
    expect(agreedCaps('Setting pipeline to PAUSED ...\n')).toBeNull();
  });
});
