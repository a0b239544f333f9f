import { chmodSync, openSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { ToolRunner } from '../../../../src/files/runTool.ts';
import { systemClock } from '../../../../src/model/clock.ts';
import type { CapturedFrame, Pixels } from '../../../../src/model/frame.ts';
import { openCameraSource } from '../../../../src/streams/cameras/cameraSource.ts';
import { v4l2Camera } from '../../../../src/streams/cameras/v4l2/v4l2Camera.ts';
import { type Answer, type StandIn, standInTools } from '../../../world/standInTools.ts';
import { cameraContract } from '../cameraContract.ts';
import { factoryValues, type StandInDevice, standInV4l2Ctl, videoMachine } from './standInV4l2Ctl.ts';

const width = 32;
const height = 24;
const pixels: Pixels = {
  width,
  height,
  depth: 8,
  data: Uint8Array.from({ length: width * height }, (_, i) => 16 + ((i * 7) % 219)),
};
const deep: Pixels = {
  width,
  height,
  depth: 16,
  data: Uint16Array.from(pixels.data, (value, i) => value * 200 + (i % 200)),
};
const settings = { exposure: 150, gain: 32, brightness: 128, contrast: 32 };
/** Exposures that a deadline hardly waits for. */
const short = { ...settings, exposure: 4 };
const never = new AbortController().signal;
const c920 = { card: 'HD Pro Webcam C920', id: 'usb-046d_C920_6F2A-video-index0', path: 'usb-0:1.1-video-index0' };
const door = { card: 'Door', id: 'usb-Door_01-video-index0', path: 'usb-0:1.2-video-index0' };

/** Luma and colour in turn. */
const yuyv = ({ data }: Pixels): Uint8Array =>
  Uint8Array.from({ length: data.length * 2 }, (_, i) => (i % 2 === 0 ? data[i / 2]! : 128));

const camera = (given: Partial<StandInDevice> = {}): StandInDevice => ({
  names: 'new',
  fourcc: 'YUYV',
  width,
  height,
  bytesPerLine: width * 2,
  frame: yuyv(pixels),
  values: factoryValues(),
  ...given,
});

interface WorldOptions {
  cameraId?: number | string;
  programs?: Record<string, StandIn>;
  timeoutMs?: number;
  pixelFormat?: string;
  size?: { width: number; height: number };
  asked?: typeof settings;
}

function world(devices: Record<string, StandInDevice>, options: WorldOptions = {}) {
  const roots = videoMachine([{ number: 0, ...c920 }]);
  const plugged = { now: devices };
  const standIns = standInTools(options.programs ?? { 'v4l2-ctl': standInV4l2Ctl(() => plugged.now) });
  const notes: string[] = [];
  const open = () => source(standIns.tools, roots, { ...options, note: ({ message }) => notes.push(message) });
  return { roots, plugged, notes, standIns, open, words: () => standIns.runs.map(({ words }) => words) };
}

function source(
  tools: ToolRunner,
  roots: { dev: string; sys: string },
  {
    cameraId = 0,
    timeoutMs = 5_000,
    pixelFormat = '',
    size = { width, height },
    note = () => undefined,
    asked = settings,
  }: WorldOptions & { note?: (n: { message: string }) => void },
) {
  const driver = v4l2Camera(
    { type: 'logitech', cameraId, ...size, pixelFormat, discardedFrames: 5, timeoutMs },
    { tools, note, roots },
  );
  return openCameraSource(driver, { settings: asked, cameraIndex: cameraId }, { tools, clock: systemClock, note });
}

const dead = {
  answer: { stderr: '\t\tVIDIOC_STREAMON returned -1 (No such device)\n' } satisfies Answer,
  says: /the device is gone/,
};

for (const names of ['new', 'old'] as const) {
  cameraContract(`logitech, by v4l2-ctl with the ${names} names of controls`, () => {
    const devices = { video0: camera({ names }) };
    return {
      open: (tools, { timeoutMs }) =>
        source(tools, videoMachine([{ number: 0, ...c920 }]), { timeoutMs, asked: short }),
      programs: { 'v4l2-ctl': standInV4l2Ctl(() => devices) },
      pixels,
      dead,
    };
  });
}

/** An `ffmpeg` that gives one frame after the other. */
const standInFfmpeg =
  (format: string, frame: Uint8Array): StandIn =>
  words => {
    const at = (option: string): string => words[words.indexOf(option) + 1] ?? '';
    expect(at('-f')).toBe('v4l2');
    expect(at('-i')).toMatch(/\/video0$/);
    if (words.includes('-list_formats')) {
      const stderr = `[video4linux2,v4l2 @ 0x55] Raw       :     ${format} :           Some name : ${width}x${height} 8x8\n/dev/video0: Immediate exit requested\n`;
      return { stderr, code: 1 };
    }
    expect(words.join(' ')).toMatch(
      /^-hide_banner -nostdin -loglevel error -f v4l2 -input_format \S+ -video_size 32x24 -i \S+ -frames:v 6 -c:v copy -f rawvideo pipe:1$/,
    );
    expect(at('-input_format')).toBe(format);
    return {
      stdout: Buffer.concat(Array.from({ length: 6 }, (_, i) => (i < 5 ? frame.toReversed() : frame))),
      image: 'stdout',
    };
  };

cameraContract('argus, by ffmpeg', () => ({
  open: (tools, { timeoutMs }) => source(tools, videoMachine([{ number: 0, ...c920 }]), { timeoutMs, asked: short }),
  programs: { ffmpeg: standInFfmpeg('gray16le', new Uint8Array(deep.data.buffer)) },
  pixels: deep,
  dead: {
    answer: { stderr: '[video4linux2,v4l2 @ 0x55] ioctl(VIDIOC_DQBUF): No such device\n' },
    says: /the device is gone/,
  },
}));

cameraContract('logitech, as JPEG', async () => {
  const jpeg = await sharp(pixels.data, { raw: { width, height, channels: 1 } })
    .jpeg({ quality: 100 })
    .toBuffer();
  const { data } = await sharp(jpeg).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
  const devices = { video0: camera({ fourcc: 'MJPG', bytesPerLine: 0, frame: jpeg }) };
  return {
    open: (tools, { timeoutMs }) => source(tools, videoMachine([{ number: 0, ...c920 }]), { timeoutMs, asked: short }),
    programs: { 'v4l2-ctl': standInV4l2Ctl(() => devices) },
    pixels: { ...pixels, data: new Uint8Array(data) },
    dead,
  };
});

const controlWords = (words: readonly (readonly string[])[]): string[] =>
  words.flat().filter(word => word.startsWith('--set-ctrl='));

describe('the controls of a video device', () => {
  it.each([
    ['new', 'auto_exposure=1', 'exposure_time_absolute=150', 'white_balance_automatic=0'],
    ['old', 'exposure_auto=1', 'exposure_absolute=150', 'white_balance_temperature_auto=0'],
  ] as const)(
    'under their %s names are set one by one before the first frame, manual exposure first, and not again',
    async (names, ...[auto, exposure, white]) => {
      const { open, words, notes } = world({ video0: camera({ names }) });
      const frame = (await open().next(never)) as CapturedFrame;
      const set = [auto, exposure, 'gain=32', 'contrast=32', white, 'white_balance_temperature=4000'];
      expect(controlWords(words())).toEqual(set.map(each => `--set-ctrl=${each}`));
      expect(frame.metadata).toEqual({ exposure_asked_seconds: 0.015, exposure_seconds: 0.015 });
      expect(words().at(-1)).toEqual([
        expect.stringMatching(/^--device=.*\/video0$/),
        '--set-fmt-video=width=32,height=24,pixelformat=YUYV',
        '--stream-mmap',
        '--stream-skip=5',
        '--stream-count=1',
        '--stream-to=-',
      ]);
      await open().next(never);
      expect(controlWords(words())).toHaveLength(set.length);
      expect(notes).toHaveLength(1);
    },
  );

  it('that a reset has put back are set again', async () => {
    const device = camera();
    const { open, words } = world({ video0: device });
    const frames = open();
    await frames.next(never);
    device.values = factoryValues();
    const before = controlWords(words()).length;
    await frames.next(never);
    expect(controlWords(words())).toHaveLength(2 * before);
    expect(device.values.exposure_time_absolute).toBe(150);
  });

  it('that the device bends or does not have are told once, also when it is opened anew; the frames come', async () => {
    const { contrast: _, ...values } = factoryValues();
    const bend = (name: string, value: number) => (name === 'gain' ? 16 : value);
    const { open, notes, words } = world({ video0: camera({ values, bend }) }, { cameraId: 'C920' });
    for (const frames of [open(), open()]) {
      await frames.next(never);
      await frames.next(never);
    }
    expect(notes).toEqual([
      'camera C920 (logitech): camera_gain = 32 (gain): the camera has 16, and refuses the other; it has 0 to 2047. ' +
        'camera_contrast: the camera has no such control',
    ]);
    // A bent value is asked for again by a camera that was opened anew, and by no other frame.
    expect(controlWords(words()).filter(word => word.includes('gain'))).toHaveLength(2);
  });

  it('that the device refuses are told in its words', async () => {
    const device = camera();
    const ctl = standInV4l2Ctl(() => ({ video0: device }));
    const refusing: StandIn = words =>
      words.some(word => word.startsWith('--set-ctrl=gain'))
        ? { stderr: 'VIDIOC_S_EXT_CTRLS: failed: Invalid argument\ngain: Invalid argument\n', code: 255 }
        : ctl(words);
    const { open, notes } = world({}, { cameraId: 'C920', programs: { 'v4l2-ctl': refusing } });
    const frames = open();
    for (let i = 0; i < 3; i++) await frames.next(never);
    expect(notes).toHaveLength(1);
    expect(notes.join()).toMatch(/camera_gain = 32 .*the camera has 0.*v4l2-ctl said "gain: Invalid argument"/);
  });
});

describe('a video device', () => {
  it('gives deep gray where it has it, and rows that are longer than their pixels', async () => {
    const stride = width * 2 + 16;
    const frame = new Uint8Array(stride * height);
    const bytes = new Uint8Array(deep.data.buffer);
    for (let row = 0; row < height; row++)
      frame.set(bytes.subarray(row * width * 2, (row + 1) * width * 2), row * stride);
    const { open } = world({ video0: camera({ fourcc: 'Y16 ', bytesPerLine: stride, frame }) });
    expect(((await open().next(never)) as CapturedFrame).pixels).toEqual(deep);
  });

  it('that does not have the size or the pixel format that is asked for is refused, with those that it has', async () => {
    const other = world({ video0: camera() }, { size: { width: 640, height: 480 } });
    await expect(other.open().next(never)).rejects.toThrow(
      /no frames of 640 × 480: it has YUYV of 32 × 24; set Camera.camera_width/,
    );
    const named = world({ video0: camera() }, { pixelFormat: 'grey' });
    await expect(named.open().next(never)).rejects.toThrow(/no frames of 32 × 24 as GREY: it has YUYV/);
  });

  it('whose number another one has after a reset is found again, also by a source that is opened anew', async () => {
    const { open, roots, plugged, notes, words } = world({ video0: camera() });
    await open().next(never);
    roots.plug([{ number: 0, ...door }]);
    plugged.now = { video0: camera({ frame: new Uint8Array(5) }) };
    await expect(open().next(never)).rejects.toThrow(
      /video0 \(HD Pro Webcam C920, usb-046d_C920_6F2A-video-index0\) is gone; there are \S+video0 \(Door/,
    );
    roots.plug([
      { number: 0, ...door },
      { number: 2, ...c920 },
    ]);
    plugged.now.video2 = camera();
    expect(((await open().next(never)) as CapturedFrame).pixels).toEqual(pixels);
    expect(words().at(-1)![0]).toMatch(/video2$/);
    expect(notes.at(-1)).toMatch(/found again as \S+video2 .*; it was \S+video0$/);
  });

  it('that is named by number is told with the name that stays', async () => {
    const { open, notes } = world({ video0: camera() });
    await open().next(never);
    expect(notes).toEqual([expect.stringMatching(/camera_id = "usb-046d_C920_6F2A-video-index0" stays$/)]);
  });

  it('that is not there, or one of several of that name, is told with what there is', async () => {
    const { open, roots } = world({ video0: camera() }, { cameraId: 'usb' });
    roots.plug([
      { number: 0, ...c920 },
      { number: 1, ...door },
    ]);
    await expect(open().next(never)).rejects.toThrow(/camera_id = "usb" fits .*C920.*, .*Door.*: write the whole name/);
    roots.plug([]);
    await expect(open().next(never)).rejects.toThrow(/no video device usb; this machine has no video device/);
  });

  it('that is busy is told with the process that holds it', async () => {
    const { open, roots } = world(
      {},
      { programs: { 'v4l2-ctl': () => ({ stderr: 'VIDIOC_S_FMT: failed: Device or resource busy\n', code: 255 }) } },
    );
    openSync(join(roots.dev, 'video0'), 'r');
    await expect(open().next(never)).rejects.toThrow(
      new RegExp(`another program uses the camera .*process ${process.pid} \\(.+\\) holds it`),
    );
  });

  it('whose format another program has set is busy, and not of another format', async () => {
    const ctl = standInV4l2Ctl(() => ({ video0: camera() }));
    const other = (text = ''): string => text.replace(`${width}/${height}`, '1920/1080');
    const programs: Record<string, StandIn> = {
      'v4l2-ctl': words => {
        const answer = ctl(words);
        if (!words.includes('--get-fmt-video')) return answer;
        const stdout = other(String(answer.stdout));
        return { stdout, stderr: 'VIDIOC_S_FMT: failed: Device or resource busy\n', code: 255 };
      },
    };
    await expect(world({}, { programs }).open().next(never)).rejects.toThrow(/another program uses the camera/);
  });

  it('that is for metadata is told from the one for frames', async () => {
    const empty = { stdout: 'ioctl: VIDIOC_ENUM_FMT\n\tType: Video Capture\n\n' };
    await expect(
      world({}, { programs: { 'v4l2-ctl': () => empty } })
        .open()
        .next(never),
    ).rejects.toThrow(/this device gives no frames; .* ends with "index0"/);
  });

  it('that gives frames of another size than it lists is refused', async () => {
    const ctl = standInV4l2Ctl(() => ({ video0: camera() }));
    const programs: Record<string, StandIn> = {
      'v4l2-ctl': words => {
        const answer = ctl(words);
        return {
          ...answer,
          stdout: words.includes('--get-fmt-video') ? String(answer.stdout).replace('32/24', '64/48') : answer.stdout!,
        };
      },
    };
    await expect(world({}, { programs }).open().next(never)).rejects.toThrow(
      /asked for frames of 32 × 24 as YUYV, it gives 64 × 48 as YUYV; set Camera.camera_width/,
    );
  });

  it('that can not be opened is told with the process that holds it, where there is one', async () => {
    const { open, roots } = world({});
    const error = await open()
      .next(never)
      .catch((each: unknown) => each);
    expect(error).toMatchObject({ code: 'camera_gone', message: expect.stringMatching(/Cannot open device/) });
    openSync(join(roots.dev, 'video0'), 'r');
    await expect(open().next(never)).rejects.toThrow(new RegExp(`another program uses .*process ${process.pid} `));
  });

  it.skipIf(process.getuid?.() === 0)('that this user may not open is told with the group', async () => {
    const { open, roots } = world({});
    chmodSync(join(roots.dev, 'video0'), 0);
    await expect(open().next(never)).rejects.toThrow(/this user may not use the camera .*usermod -aG video/);
  });

  it('says what it refuses once for each kind of frame, also when two kinds take turns', async () => {
    const { standIns, roots, notes } = world({
      video0: camera({ bend: (name, value) => (name === 'gain' ? value + 1 : value) }),
    });
    const options = { cameraId: 'C920', note: ({ message }: { message: string }) => notes.push(message) };
    const main = source(standIns.tools, roots, options);
    const brightfield = source(standIns.tools, roots, { ...options, asked: { ...settings, gain: 7 } });
    for (let i = 0; i < 3; i++) for (const frames of [main, brightfield]) await frames.next(never);
    expect(notes.map(note => /camera_gain = (\d+)/.exec(note)?.[1])).toEqual(['32', '7']);
  });

  it.each([
    ['v4l2-ctl', 'VIDIOC_STREAMON returned -1 (No space left on device)'],
    ['libv4l2', 'VIDIOC_STREAMON error 28, No space left on device'],
  ])(
    'without USB bandwidth is no full disk; %s is silent while it writes to standard output, and is asked once more',
    async (_, text) => {
      const ctl = standInV4l2Ctl(() => ({ video0: camera() }));
      const programs: Record<string, StandIn> = {
        'v4l2-ctl': words => {
          if (words.includes('--stream-to=-')) return {};
          return words.includes('--stream-to=/dev/null') ? { stderr: `\t\t${text}\n` } : ctl(words);
        },
      };
      await expect(world({}, { programs }).open().next(never)).rejects.toThrow(
        /USB bus has no bandwidth left .*the disk is not full/,
      );
    },
  );

  it('by ffmpeg alone is taken as it is set, and says so once', async () => {
    const { open, notes } = world(
      {},
      { cameraId: 'C920', programs: { ffmpeg: standInFfmpeg('yuyv422', yuyv(pixels)) } },
    );
    const frames = open();
    await frames.next(never);
    expect(((await frames.next(never)) as CapturedFrame).pixels).toEqual(pixels);
    expect(notes).toEqual([expect.stringMatching(/stay as they are: .*apt install v4l-utils/)]);
  });
});
