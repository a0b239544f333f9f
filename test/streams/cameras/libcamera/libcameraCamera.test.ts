import { mkdtemp, open, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { defaultConfig } from '../../../../src/config/defaultConfig.ts';
import type { SourceSettings } from '../../../../src/config/sourceSettings.ts';
import { nodeFiles } from '../../../../src/files/files.ts';
import type { ToolRunner } from '../../../../src/files/runTool.ts';
import { type Clock, systemClock } from '../../../../src/model/clock.ts';
import type { CapturedFrame, Pixels } from '../../../../src/model/frame.ts';
import type { FrameSource } from '../../../../src/model/frameSource.ts';
import { cameraFaults } from '../../../../src/streams/cameras/cameraFaults.ts';
import { libcameraCamera } from '../../../../src/streams/cameras/libcamera/libcameraCamera.ts';
import { chosenCamera, listedCameras } from '../../../../src/streams/cameras/libcamera/libcameraListing.ts';
import { stillMetadata } from '../../../../src/streams/cameras/libcamera/stillMetadata.ts';
import { openSource } from '../../../../src/streams/cameras/sources.ts';
import { hqCamera, hqMetadata, rpicam } from '../../../world/standInRpicam.ts';
import { type Answer, type StandIn, standInTools } from '../../../world/standInTools.ts';
import { cameraContract } from '../cameraContract.ts';

const never = new AbortController().signal;

/** A frame with colour behind its luma, as YUV420 of these rows. */
function yuv420({ width, height }: { width: number; height: number }, stride = width): Uint8Array {
  const bytes = new Uint8Array(stride * height * 1.5).fill(128);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x += 97) bytes[y * stride + x] = (x + 3 * y) % 251;
  return bytes;
}

function luma(width: number, height: number): Pixels {
  const data = new Uint8Array(width * height).fill(128);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x += 97) data[y * width + x] = (x + 3 * y) % 251;
  return { width, height, depth: 8, data };
}

const right = { camera_exposure: 0.02, camera_gain: 2, camera_brightness: 0, camera_contrast: 1 };

const libcameraOptions = {
  cameraId: 0,
  width: 0,
  height: 0,
  encoding: 'yuv420',
  jpegQuality: 93,
  flip: 'NONE',
  timeoutMs: 5_000,
} as const;

interface OpenOptions {
  type?: 'libcamera' | 'hawkeye';
  cameraId?: number | string;
  notes?: string[];
  clock?: Clock;
  camera?: Partial<SourceSettings['camera']>;
}

function openCamera(
  tools: ToolRunner,
  { type = 'libcamera', cameraId = 0, notes = [], clock = systemClock, camera = {} }: OpenOptions = {},
): Promise<FrameSource> {
  const settings = {
    type,
    cameraId,
    camera: { ...defaultConfig().Camera, ...right, ...camera },
    simulator: defaultConfig().Simulator,
    roiManifestFile: '',
    truthFile: '',
    folder: '',
    watch: defaultConfig().Watch_Folder,
    flags: null,
  };
  const note = ({ message }: { message: string }): void => void notes.push(message);
  return openSource(settings, { clock, files: nodeFiles, signal: never, tools, note });
}

const nextOf = async (source: Promise<FrameSource>): Promise<CapturedFrame> =>
  (await (await source).next(never)) as CapturedFrame;

const errorOf = async (source: Promise<FrameSource>): Promise<Error> =>
  nextOf(source).then(
    () => {
      throw new Error('it gave a frame');
    },
    (error: Error) => error,
  );

const small = '0 : imx477 [400x300 12-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx477@1a)';
const frontendTimedOut = `[30:53:22.756254716] [24]  WARN V4L2 v4l2_videodevice.cpp:2007 /dev/video0[18:cap]: Dequeue timer of 2050000.00us has expired!
[30:53:22.857605901] [24] ERROR RPI pipeline_base.cpp:1337 Camera frontend has timed out!
[30:53:22.857668456] [24] ERROR RPI pipeline_base.cpp:1338 Please check that your camera sensor connector is attached securely.
`;

cameraContract('libcamera', () => ({
  open: (tools, { timeoutMs }) =>
    openCamera(tools, { camera: { camera_timeout_seconds: timeoutMs / 1000, camera_exposure: 1e-3 } }),
  programs: { 'rpicam-still': rpicam({ cameras: [small], image: yuv420 }) },
  pixels: luma(400, 300),
  dead: { answer: { stderr: frontendTimedOut }, says: /sends no frames any more.*Dequeue timer/ },
  refused: {
    answer: { stderr: "ERROR: *** the argument ('9e9') for option '--gain' is invalid ***\n", code: 255 },
    says: /option '--gain' is invalid/,
  },
}));

describe('a frame of rpicam-still', () => {
  it('is taken with these words', async () => {
    const { tools, runs } = standInTools({ 'rpicam-still': rpicam({ image: yuv420 }) });
    const frame = await nextOf(openCamera(tools));
    expect(frame.pixels.width).toBe(4056);
    expect(runs.map(({ words }) => words.join(' ').replace(/\/\S*\/phorest-\w+/, 'TEMP'))).toEqual([
      '--list-cameras',
      '--camera 0 --nopreview --immediate --timeout 1 --shutter 20000 --gain 2 --awbgains 1,1 --denoise off --sharpness 0 ' +
        '--brightness 0 --contrast 1 --width 4056 --height 3040 --encoding yuv420 --metadata TEMP/metadata.json --output -',
    ]);
  });

  it('has the words that node-libcamera would have given to a shell', async () => {
    const { still } = await import('node-libcamera');
    const { tools, runs } = standInTools({ 'rpicam-still': rpicam({ cameras: [small], image: yuv420 }) });
    await nextOf(openCamera(tools));
    const { optionWords, stillOptions } = await import('../../../../src/streams/cameras/libcamera/stillOptions.ts');
    const options = stillOptions(
      { exposure: 0.02, gain: 2, brightness: 0, contrast: 1 },
      {
        isStill: true,
        camera: 0,
        width: 400,
        height: 300,
        encoding: 'yuv420',
        jpegQuality: 93,
        flip: 'NONE',
        metadataFile: 'm',
      },
    );
    // Its command is told by the shell's failure to find the program.
    vi.stubEnv('PATH', '/nowhere');
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(still(options)).rejects.toMatchObject({ cmd: `libcamera-still ${optionWords(options).join(' ')}` });
    expect(runs.at(-1)!.words.slice(0, -3)).toEqual(optionWords(options).slice(0, -3));
  });

  it('of 64 megapixels comes from hawkeye, turned by the sensor, without a look at the list', async () => {
    const seen: Record<string, string>[] = [];
    const standIn = rpicam({
      cameras: ['0 : arducam_64mp [9152x6944 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/arducam_64mp@1a)'],
      image: yuv420,
      onFrame: options => seen.push(options),
    });
    const { tools, runs } = standInTools({ 'rpicam-still': standIn });
    const { pixels } = await nextOf(openCamera(tools, { type: 'hawkeye' }));
    expect([pixels.width, pixels.height, pixels.data.length]).toEqual([9152, 6944, 9152 * 6944]);
    expect(pixels.data[6943 * 9152 + 97]).toBe((97 + 3 * 6943) % 251);
    expect(seen).toEqual([expect.objectContaining({ width: '9152', height: '6944', vflip: '', encoding: 'yuv420' })]);
    expect(runs.length).toBe(1);
  });

  it('may stay as the sensor reads it', async () => {
    const seen: Record<string, string>[] = [];
    const { tools } = standInTools({
      'rpicam-still': rpicam({ image: yuv420, onFrame: options => seen.push(options) }),
    });
    await nextOf(
      openCamera(tools, { type: 'hawkeye', camera: { camera_flip: 'NONE', camera_width: 400, camera_height: 300 } }),
    );
    expect(seen[0]).not.toHaveProperty('vflip');
  });

  it('is cut out of rows that are longer than the frame is wide', async () => {
    const padded: StandIn = words => ({
      ...rpicam({ image: () => yuv420({ width: 400, height: 300 }, 448) })(words),
    });
    const { tools } = standInTools({ 'rpicam-still': padded });
    const { pixels } = await nextOf(openCamera(tools, { camera: { camera_width: 400, camera_height: 300 } }));
    expect(pixels).toEqual(luma(400, 300));
  });

  it.each(['jpg', 'png'] as const)('may come as %s', async encoding => {
    const raw = { raw: { width: 400, height: 300, channels: 1 } } as const;
    const image = await sharp(luma(400, 300).data, raw)
      [encoding === 'jpg' ? 'jpeg' : 'png']({ quality: 93 })
      .toBuffer();
    const seen: Record<string, string>[] = [];
    const standIn = rpicam({ cameras: [small], image: () => image, onFrame: options => seen.push(options) });
    const { tools } = standInTools({ 'rpicam-still': standIn });
    const { pixels } = await nextOf(openCamera(tools, { camera: { camera_encoding: encoding } }));
    expect([pixels.width, pixels.height]).toEqual([400, 300]);
    expect(seen[0]!.quality).toBe(encoding === 'jpg' ? '93' : undefined);
  });

  it('comes from libcamera-still of older systems', async () => {
    const { tools, runs } = standInTools({ 'libcamera-still': rpicam({ cameras: [small], image: yuv420 }) });
    expect((await nextOf(openCamera(tools))).pixels).toEqual(luma(400, 300));
    expect(runs.map(({ program }) => program)).toEqual(['libcamera-still', 'libcamera-still']);
  });

  it('comes as JPEG where only rpicam-jpeg is there', async () => {
    const raw = { raw: { width: 400, height: 300, channels: 1 } } as const;
    const image = await sharp(luma(400, 300).data, raw).jpeg().toBuffer();
    const { tools, runs } = standInTools({ 'rpicam-jpeg': rpicam({ cameras: [small], image: () => image }) });
    expect((await nextOf(openCamera(tools))).pixels.width).toBe(400);
    expect(runs.at(-1)!.words).not.toContain('--immediate');
    expect(runs.at(-1)!.words).not.toContain('--encoding');
  });

  it('comes without what the tool knows of it where the tool is too old to say so', async () => {
    const { tools, runs } = standInTools({
      'libcamera-still': rpicam({ cameras: [small], image: yuv420, lacks: ['metadata'] }),
    });
    const source = openCamera(tools);
    expect((await nextOf(source)).metadata).toEqual({ exposure_asked_seconds: 0.02 });
    const before = runs.length;
    await nextOf(source);
    expect(runs.length).toBe(before + 1);
  });

  it('comes from a tool that takes "-" for the name of a file', async () => {
    const old: StandIn = (words, folder) => {
      const { stdout, ...answer } = rpicam({ cameras: [small], image: yuv420 })(words);
      return words[0] === '--list-cameras'
        ? { stdout: stdout! }
        : { ...answer, files: { [join(folder!, '-')]: stdout! } };
    };
    const { tools } = standInTools({ 'libcamera-still': old });
    expect((await nextOf(openCamera(tools))).pixels).toEqual(luma(400, 300));
  });

  it('counts when it is whole, although the tool falls over its own end, and that is said once', async () => {
    const notes: string[] = [];
    const standIn = rpicam({ cameras: [small], image: yuv420 });
    const { tools } = standInTools({
      'rpicam-still': words => ({ ...standIn(words), code: words.length > 1 ? 139 : 0 }),
    });
    const source = openCamera(tools, { notes });
    expect((await nextOf(source)).pixels).toEqual(luma(400, 300));
    await nextOf(source);
    expect(notes).toEqual(['camera 0 (libcamera): its frames are whole, although rpicam-still ends with 139']);
  });

  it('is allowed its exposure and the time-out besides', async () => {
    let timeoutMs = 0;
    const { tools } = standInTools({ 'rpicam-still': rpicam({ cameras: [small], image: yuv420 }) });
    const watched = Object.assign(Object.create(tools), {
      run: (words: readonly string[], options: Parameters<ToolRunner['run']>[1]) => {
        if (words.includes('--shutter')) ({ timeoutMs } = options);
        return tools.run(words, options);
      },
    }) as ToolRunner;
    Object.assign(watched, { find: tools.find.bind(tools), turn: tools.turn.bind(tools) });
    await nextOf(openCamera(watched, { camera: { camera_exposure: 5 } }));
    expect(timeoutMs).toBe(20_000);
  });
});

describe('what the tool says of a frame', () => {
  it('is kept with the frame', async () => {
    const { tools } = standInTools({ 'rpicam-still': rpicam({ cameras: [small], image: yuv420 }) });
    expect((await nextOf(openCamera(tools))).metadata).toEqual({
      exposure_asked_seconds: 0.02,
      exposure_seconds: 0.019989,
      analogue_gain: 2,
      digital_gain: 1.003,
      sensor_timestamp_ns: 1234567890000,
      frame_wall_clock_ns: 1764349200123456000,
      sensor_temperature_celsius: 31,
    });
  });

  /** A capture that takes two seconds. */
  const slowClock = (endedAt: number, monotonic: number): Clock => {
    let calls = 0;
    return { now: () => endedAt, monotonic: () => (calls++ === 0 ? monotonic - 2_000 : monotonic) };
  };
  const frameAt = (metadata: string, clock: Clock) => {
    const { tools } = standInTools({ 'rpicam-still': rpicam({ cameras: [small], image: yuv420, metadata }) });
    return nextOf(openCamera(tools, { clock }));
  };

  it.each([
    ['by the wall clock', hqMetadata, 1764349201000, 5_000, '2025-11-28T17:00:00.123456Z'],
    [
      'by the clock since the boot',
      hqMetadata.replace('FrameWallClock', 'Other'),
      1764349201000,
      1_235_567.89,
      '2025-11-28T17:00:00.000000Z',
    ],
    [
      'as the capture ends, where the sensor tells of another time',
      hqMetadata,
      1764349300000,
      99_000_000,
      '2025-11-28T17:01:40.000000Z',
    ],
    ['as the capture ends, where the sensor tells of none', '{}', 1764349201000, 5_000, '2025-11-28T17:00:01.000000Z'],
  ])('says when it was taken: %s', async (_, metadata, endedAt, monotonic, utc) => {
    expect((await frameAt(metadata, slowClock(endedAt, monotonic))).taken.utc).toBe(utc);
  });

  it('has no temperature where a sensor without thermometer says 0', () => {
    const text = hqMetadata.replace('31.000000', '0.000000');
    expect(stillMetadata(text, 0.02)).not.toHaveProperty('sensor_temperature_celsius');
  });

  it('may be nothing, or no JSON', () => {
    expect(stillMetadata('', 5)).toEqual({ exposure_asked_seconds: 5 });
    expect(stillMetadata('{\n    "SensorName": imx477,\n    "ExposureTime": 5000000\n}', 5)).toEqual({
      exposure_asked_seconds: 5,
      exposure_seconds: 5,
    });
  });

  it('may stand in one line', () => {
    expect(stillMetadata('{"AnalogueGain": 2.0, "Lux":4,"ExposureTime":9000}', 0.02)).toEqual({
      exposure_asked_seconds: 0.02,
      exposure_seconds: 0.009,
      analogue_gain: 2,
    });
  });

  it('is said once when the camera exposes otherwise than it was asked to', async () => {
    const notes: string[] = [];
    const metadata = hqMetadata.replace('19989', '10000');
    const { tools } = standInTools({ 'rpicam-still': rpicam({ cameras: [small], image: yuv420, metadata }) });
    const source = openCamera(tools, { notes });
    await nextOf(source);
    await nextOf(source);
    expect(notes).toEqual([expect.stringMatching(/asked to expose for 0.02 s, and exposes for 0.01 s/)]);
  });
});

describe('first frames that do not count', () => {
  type Size = { width: number; height: number };
  const flat = ({ width, height }: Size, value: number): Uint8Array => new Uint8Array(width * height * 1.5).fill(value);
  /** Three quarters of it are as bright as can be. */
  const clipped = (size: Size, value: number): Uint8Array =>
    flat(size, value).map((each, i) => (i % size.width < size.width / 4 ? (i * 7) % value : each));

  it.each([
    ['black', 0],
    ['green, as an empty buffer becomes', 77],
    ['overexposed', 255],
    ['overexposed, of a sensor that does not fill its bytes', 250],
  ])('are thrown away while they are %s', async (_, value) => {
    let frames = 0;
    const image = (size: { width: number; height: number }): Uint8Array =>
      ++frames <= 2 ? (value < 200 ? flat : clipped)(size, value) : yuv420(size);
    const { tools } = standInTools({ 'rpicam-still': rpicam({ cameras: [small], image }) });
    const source = openCamera(tools);
    expect((await nextOf(source)).pixels).toEqual(luma(400, 300));
    expect(frames).toBe(3);
    await nextOf(source);
    expect(frames).toBe(4);
  });

  it('count when they do not get better, and that is said once', async () => {
    const notes: string[] = [];
    const image = (size: { width: number; height: number }): Uint8Array =>
      new Uint8Array(size.width * size.height * 1.5);
    const { tools } = standInTools({ 'rpicam-still': rpicam({ cameras: [small], image }) });
    const source = openCamera(tools, { notes });
    await nextOf(source);
    await nextOf(source);
    expect(notes).toEqual([expect.stringMatching(/first frames are uniform/)]);
  });
});

describe('faults of the field', () => {
  const rows: [string, string, RegExp][] = [
    ['camera_absent', 'ERROR: *** no cameras available ***\n', /no camera is found.*cable/],
    ['camera_absent', 'Preview window unavailable\nERROR: *** no cameras available ***\n', /"ERROR: \*\*\* no cameras/],
    ['sensor_stopped', frontendTimedOut, /sends no frames.*cable.*power supply/],
    ['sensor_stopped', 'ERROR: Device timeout detected, attempting a restart!!!\n', /sends no frames/],
    [
      'camera_busy',
      '[0:19:06.379783286] [2746]  INFO Camera camera.cpp:839 Pipeline handler in use by another process\nERROR: *** failed to acquire camera /base/soc/i2c0mux/i2c@1/ov5647@36 ***\n',
      /another program uses the camera/,
    ],
    [
      'camera_memory',
      'dmaHeap allocation failure for rpicam-apps0\nERROR: *** failed to allocate capture buffers for stream ***\n',
      /no memory for a frame of this size.*cma/,
    ],
    [
      'camera_memory',
      '[23:50:08.514187869] [4304] ERROR V4L2 v4l2_videodevice.cpp:1241 /dev/video0[12:cap]: Unable to request 1 buffers: Cannot allocate memory\nERROR: *** failed to allocate capture buffers ***\n',
      /no memory/,
    ],
    ['camera_permission', 'ERROR: *** Could not open any dmaHeap device ***\n', /usermod -aG video/],
    ['tool_outdated', "ERROR: *** unrecognised option '--immediate' ***\n", /does not know one of the options/],
  ];

  for (const code of [0, 255]) {
    it.each(rows)(`%s with exit code ${code}: %s`, async (kind, stderr, says) => {
      const dead: StandIn = words => (words[0] === '--list-cameras' ? { stdout: `${small}\n` } : { stderr, code });
      const { tools } = standInTools({ 'rpicam-still': dead });
      const error = await errorOf(openCamera(tools));
      expect(error).toMatchObject({ name: 'CameraError', code: kind });
      expect(error.message).toMatch(says);
      expect(error.message).toMatch(/^camera 0 \(libcamera\): /);
    });
  }

  it('no camera in the list, with exit code 0', async () => {
    const { tools } = standInTools({ 'rpicam-still': rpicam({ cameras: [], image: yuv420 }) });
    const error = await errorOf(openCamera(tools));
    expect(error).toMatchObject({ code: 'camera_absent', answer: 'alarm' });
    expect(error.message).toMatch(/"No cameras available!"/);
  });

  it('a camera that another program uses, with that program', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'phorest-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const media = join(folder, 'media0');
    const held = await open(media, 'w');
    onTestFinished(() => held.close());
    const stderr = 'ERROR: *** failed to acquire camera /base/soc/i2c0mux/i2c@1/ov5647@36 ***\n';
    const { tools } = standInTools({ 'rpicam-still': () => ({ stderr, code: 255 }) });
    const options = { ...libcameraOptions, width: 400, height: 300 };
    const numbers = { exposure: 0.02, gain: 1, brightness: 0, contrast: 1 };
    const capture = libcameraCamera(options, tools, async () => [await realpath(media)]).capture(numbers, never);
    await expect(capture).rejects.toThrow(
      new RegExp(`another program uses the camera.*process ${process.pid} \\(.+\\) holds it`),
    );
    const free = libcameraCamera(options, tools, async () => []).capture(numbers, never);
    await expect(free).rejects.toThrow(
      /no process that this user may see holds it \(sudo fuser -v \/dev\/media\* \/dev\/video\* says which/,
    );
  });

  it('what the tool complains of beside a whole frame is no fault', async () => {
    const standIn = rpicam({ cameras: [small], image: yuv420 });
    const busy =
      "[0:03:19.453] [3282] ERROR V4L2 v4l2_device.cpp:353 'imx708': Unable to set controls: Device or resource busy\n";
    const { tools } = standInTools({ 'rpicam-still': words => ({ ...standIn(words), stderr: busy }) });
    expect((await nextOf(openCamera(tools))).pixels).toEqual(luma(400, 300));
  });

  it('a tool that restarts its sensor again and again is ended, and the sensor is named', async () => {
    const hangs: Answer = { stderr: frontendTimedOut, hangs: 'SIGTERM' };
    const { tools } = standInTools({
      'rpicam-still': words => (words[0] === '--list-cameras' ? { stdout: small } : hangs),
    });
    const error = await errorOf(openCamera(tools, { camera: { camera_timeout_seconds: 0.02 } }));
    expect(error).toMatchObject({ code: 'sensor_stopped', answer: 'retry' });
  });

  it('each has its own words, and says what to do', () => {
    const said = cameraFaults.map(({ code, is, doThis }) => `${code} ${is}: ${doThis}`);
    expect(new Set(said).size).toBe(said.length);
    for (const { doThis } of cameraFaults) expect(doThis.length).toBeGreaterThan(10);
  });
});

describe('numbers that can not be meant', () => {
  it.each([
    [{ camera_brightness: 128 }, /Camera.camera_brightness is 128; .*from -1 to 1/],
    [{ camera_contrast: 32 }, /Camera.camera_contrast is 32; .*from 0 to 15.99/],
    [{ camera_exposure: 0 }, /Camera.camera_exposure is 0; .*seconds/],
    [{ camera_gain: 0 }, /Camera.camera_gain is 0; .*1 or more/],
  ])('start nothing: %o', async (camera, says) => {
    const { tools, runs } = standInTools({ 'rpicam-still': rpicam({ image: yuv420 }) });
    expect((await errorOf(openCamera(tools, { camera }))).message).toMatch(says);
    expect(runs).toEqual([]);
  });
});

describe('the camera that is meant', () => {
  const two = listedCameras(`Available cameras
-----------------
0 : imx708_wide [4608x2592 10-bit RGGB] (/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a)
    Modes: 'SRGGB10_CSI2P' : 1536x864 [30.00 fps - (0, 0)/0x0 crop]
1 : imx477 [4056x3040] (/base/axi/pcie@120000/rp1/i2c@80000/imx477@1a)
2 : ov5647 (/base/soc/i2c0mux/i2c@1/ov5647@36)
`);

  it('is read from lists of new and old versions', () => {
    expect(two.map(({ index, model, width, height }) => [index, model, width, height])).toEqual([
      [0, 'imx708_wide', 4608, 2592],
      [1, 'imx477', 4056, 3040],
      [2, 'ov5647', null, null],
    ]);
    expect(listedCameras(hqCamera)).toHaveLength(1);
  });

  it('is found by number, by name of libcamera, or by model', () => {
    expect(chosenCamera(two, 1)?.model).toBe('imx477');
    expect(chosenCamera(two, '/base/axi/pcie@120000/rp1/i2c@80000/imx477@1a')?.index).toBe(1);
    expect(chosenCamera(two, 'imx708_wide')?.index).toBe(0);
    expect(chosenCamera(two, 3)).toBeNull();
    expect(chosenCamera([...two, { ...two[0]!, index: 3 }], 'imx708_wide')).toBeNull();
  });

  it('is looked for anew after a failure, since numbers change', async () => {
    const seen: string[] = [];
    const other = (index: number): string => `${index} : imx477 [400x300] (/base/soc/i2c0mux/i2c@1/imx477@1b)`;
    let cameras = [small, other(1)];
    const name = '/base/soc/i2c0mux/i2c@1/imx477@1b';
    let isGone = false;
    const { tools } = standInTools({
      'rpicam-still': words =>
        isGone && words[0] !== '--list-cameras'
          ? { stderr: 'ERROR: *** no cameras available ***', code: 255 }
          : rpicam({ cameras, image: yuv420, onFrame: ({ camera }) => seen.push(camera!) })(words),
    });
    const source = openCamera(tools, { cameraId: name });
    await nextOf(source);
    isGone = true;
    await errorOf(source);
    isGone = false;
    cameras = [other(0)];
    await nextOf(source);
    expect(seen).toEqual(['1', '0']);
  });

  it('is named with those that are there when it is not among them', async () => {
    const { tools } = standInTools({ 'rpicam-still': rpicam({ image: yuv420 }) });
    const error = await errorOf(openCamera(tools, { cameraId: 4 }));
    expect(error.message).toMatch(/Camera.camera_id is 4, and there is 0: imx477 \(\/base\//);
  });
});
