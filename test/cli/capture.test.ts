import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { capture } from '../../src/cli/capture.ts';
import { captureContinuously } from '../../src/cli/captureContinuously.ts';
import { captureDark } from '../../src/cli/captureDark.ts';
import { captureExposure } from '../../src/cli/captureExposure.ts';
import { type CaptureOptions, captureOne } from '../../src/cli/captureOne.ts';
import type { CommandContext } from '../../src/cli/commandDefinition.ts';
import { identityOf } from '../../src/files/processIdentity.ts';
import { decodeFrame } from '../../src/image/decodeFrame.ts';
import { encodePng } from '../../src/image/encodeImage.ts';

let folder: string;
let lines: string[];
const options: CaptureOptions = { interval: 0.01, picture: false, target: 85 };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phorest-capture-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  lines = [];
});

/** A context whose configuration this is, with a listener for each line. */
async function context(toml = '', onLine: (line: string) => void = () => undefined): Promise<CommandContext> {
  await writeFile(
    join(folder, 'c.toml'),
    `# mine\n[Camera]\n${toml.startsWith('camera_type') ? '' : 'camera_type = "simulated"\n'}${toml}\n[Paths]\nroot_dir = "lab"\n`,
  );
  const put = (line: string): void => {
    lines.push(line);
    onLine(line);
  };
  const output = {
    line: put,
    error: put,
    isInteractive: false,
    isTerminal: false,
  } as unknown as CommandContext['output'];
  return {
    cwd: folder,
    environment: { XDG_STATE_HOME: join(folder, 'state') },
    config: join(folder, 'c.toml'),
    root: undefined,
    output,
    commands: [],
  };
}

describe('capture', () => {
  it('writes one frame at its native depth where it is told to, as the pipeline would save it', async () => {
    const toml = 'camera_transform = "ROTATE_90_CLOCKWISE"\n[Simulator]\npreset = "small"';
    expect(await captureOne(await context(toml), { ...options, out: 'new/a.png' })).toBe(0);
    const { width, height, depth } = await decodeFrame(join(folder, 'new/a.png'));
    expect({ width, height, depth }).toEqual({ width: 480, height: 640, depth: 8 });
    expect(lines).toEqual([
      join(folder, 'new/a.png'),
      expect.stringMatching(/^480 × 640, 8 bit, brightness .*sharpness \d/),
    ]);
    expect(existsSync(join(folder, 'lab'))).toBe(false);
  });

  it('makes a new file in continuous_capture_dir where no name is given, and no other', async () => {
    const given = await context();
    await captureOne(given, options);
    await captureOne(given, options);
    const names = await readdir(join(folder, 'lab/continuous_capture'));
    expect(names).toHaveLength(2);
    expect(names.every(name => /^capture_\d{8}_\d{6}(_2)?\.png$/.test(name))).toBe(true);
  });

  it('writes over no file that is there, and no kind of file that it does not know', async () => {
    await writeFile(join(folder, 'a.png'), 'mine');
    await expect(captureOne(await context(), { ...options, out: 'a.png' })).rejects.toThrow('choose another name');
    await expect(captureOne(await context(), { ...options, out: 'a.gif' })).rejects.toThrow('ends with .png');
    expect(await readFile(join(folder, 'a.png'), 'utf8')).toBe('mine');
  });

  it.each([
    ['running', 'refuses', true],
    ['starting', 'refuses', true],
    ['paused', 'takes a frame', false],
    ['off', 'takes a frame', false],
  ])('while the collector of a pipeline is %s it %s', async (state, _what, isRefused) => {
    const given = await context();
    const status = {
      ...identityOf(process.ppid),
      state: 'running',
      heartbeat: '2026-11-28T17:00:00Z',
      stages: { collector: { state } },
    };
    await mkdir(join(folder, 'lab/flags/status'), { recursive: true });
    await writeFile(
      join(folder, 'lab/flags/status/here-1.json'),
      JSON.stringify({ started: status.heartbeat, ...status }),
    );
    const captured = captureOne(given, { ...options, out: 'a.jpg' });
    if (isRefused)
      await expect(captured).rejects.toMatchObject({
        code: 3,
        message: expect.stringMatching(/uses the camera: ".* pause collector" makes it let go/),
      });
    else expect(await captured).toBe(0);
  });

  it.each([
    ['--write', { write: true }, '--expose or --dark'],
    ['--max-exposure', { maxExposure: 5 }, '--expose'],
    ['--target', { target: 80, continuous: true }, '--expose'],
    ['--interval', { interval: 1 }, '--continuous'],
    ['--no-picture', { picture: false, expose: true }, '--continuous'],
  ])('refuses %s where nothing would come of it', async (option, given, needed) => {
    const run = capture.run(await context(), [], { picture: true, ...given } as CaptureOptions);
    await expect(run).rejects.toThrow(`${option} does nothing without ${needed}`);
  });

  it('searches no exposure with a program that is never told of it', async () => {
    const toml = 'camera_type = "command"\ncamera_command = ["cat", "a.png"]';
    await expect(captureExposure(await context(toml), options)).rejects.toThrow('write {exposure} in it');
  });

  it('has no camera to look through where the configuration reads a folder', async () => {
    const given = await context();
    await writeFile(given.config as string, '[Camera]\ncamera_type = "file_importer"\n');
    await expect(captureOne(given, options)).rejects.toMatchObject({ code: 2 });
  });

  it('continuously writes each frame over the one before, says how sharp it is, and ends with a signal', async () => {
    const given = await context('', line => {
      if (lines.filter(each => each.includes('sharpness')).length === 3 && line.includes('sharpness'))
        process.emit('SIGINT');
    });
    expect(await captureContinuously(given, { ...options, continuous: true })).toBe(0);
    expect(await readdir(join(folder, 'lab/continuous_capture'))).toEqual(['continuous_capture_frame.jpg']);
    expect((await decodeFrame(join(folder, 'lab/continuous_capture/continuous_capture_frame.jpg'))).width).toBe(640);
    expect(lines.at(-1)).toMatch(
      /sharpness \d\S*, steady, .* of the best .*; brightness \d.*, steady; saturated \d.*, steady$/,
    );
  });

  it('finds the exposure from far too short, and writes it into the configuration with its comments', async () => {
    const given = await context('camera_exposure = 12 # short');
    expect(await captureExposure(given, { ...options, write: true })).toBe(0);
    expect(lines.at(-1)).toMatch(/Camera\.camera_exposure 12 → \d+/);
    const text = await readFile(given.config as string, 'utf8');
    const exposure = Number(/camera_exposure = (\d+) # short/.exec(text)?.[1]);
    expect(exposure).toBeGreaterThan(100);
    expect(text).toContain('# mine\n');
    lines.length = 0;
    expect(await captureExposure(given, { ...options, write: true })).toBe(0);
    expect(lines.at(-1)).toBe('the configuration has it already');
  });

  it('writes nothing without being asked to, and nothing at all where there is too little light', async () => {
    const given = await context('camera_exposure = 12');
    const before = await readFile(given.config as string, 'utf8');
    expect(await captureExposure(given, options)).toBe(0);
    expect(lines.at(-1)).toContain('"--write" writes it');
    expect(await captureExposure(given, { ...options, maxExposure: 30 })).toBe(1);
    expect(lines.join('\n')).toContain('too little light: at the longest exposure, 30,');
    expect(await readFile(given.config as string, 'utf8')).toBe(before);
  });

  it('takes the gratings of the ROI manifest, says which of them lie outside the frame, and leaves a bad manifest aside', async () => {
    const given = await context('camera_exposure = 170');
    const rois = join(folder, 'lab/generated_files/ROI_manifest.json');
    await mkdir(join(folder, 'lab/generated_files'), { recursive: true });
    const roi = (label: string, row: number) => ({ label, flip: false, coords: [row, 60], size: [100, 200] });
    await writeFile(rois, JSON.stringify({ ROI_a: roi('A1', 50), ROI_b: roi('Z9', 5000), image_angle: 0 }));
    expect(await captureExposure(given, options)).toBe(0);
    expect(lines[0]).toBe(`2 ROIs of ${rois}`);
    expect(lines[1]).toBe('1 ROI (Z9) lies outside the frame: does the ROI manifest belong to this camera?');
    expect(lines[2]).toMatch(/^exposure 170: the brightest grating \(A1\) at \d+ of 255/);
    await writeFile(rois, '{');
    lines.length = 0;
    expect(await captureExposure(given, options)).toBe(0);
    expect(lines.join('\n')).toMatch(/not valid JSON.* the ROI manifest is left aside\n.*brightest thousandth/);
  });

  it('measures the counts without light with the lens covered, and writes them into the configuration with its comments', async () => {
    const given = await context('dark_level = "auto" # ask\n[Simulator]\nblack_frames = 1');
    expect(await captureDark(given, options)).toBe(0);
    expect(lines.at(-1)).toMatch(/^\[Camera\] dark_level = \S+ is not written; "--write" writes it/);
    expect(await captureDark(given, { ...options, write: true })).toBe(0);
    expect(lines.at(-1)).toMatch(/dark_level auto → \d+/);
    const level = Number(/dark_level = (\S+) # ask/.exec(await readFile(given.config as string, 'utf8'))?.[1]);
    const folder = join(given.cwd, 'lab', 'results', 'references');
    expect(JSON.parse(await readFile(join(folder, 'dark.json'), 'utf8'))).toMatchObject({ level });
    const said = /^exposure 150: .*, 8 bit, level (\S+) counts \(median \d+\), spread \d/.exec(lines[0]);
    expect(level).toBeCloseTo(Number(said?.[1]), 1);
    expect(await captureDark(given, options)).toBe(0);
    expect(lines.at(-1)).toBe('the configuration has it already');
  });

  it('takes no frame for dark that shows the chip, and writes nothing', async () => {
    const given = await context('[Simulator]\nlight = 0.2');
    const before = await readFile(given.config as string, 'utf8');
    expect(await captureDark(given, { ...options, write: true })).toBe(1);
    expect(lines.join('\n')).toMatch(/this is no dark frame: .*\n.*cover the lens/);
    expect(await readFile(given.config as string, 'utf8')).toBe(before);
  });

  it('takes no frame for dark in which even light is half as strong at half the exposure', async () => {
    const of = (level: number) => {
      const data = Uint16Array.from({ length: 64 * 48 }, (_, i) => level + ((7 * i) % 5));
      return encodePng({ width: 64, height: 48, depth: 16, data });
    };
    await writeFile(join(folder, '150.png'), await of(130));
    await writeFile(join(folder, '75.png'), await of(115));
    const command = `["cp", ${JSON.stringify(join(folder, '{exposure}.png'))}, "{output}.png"]`;
    const given = await context(`camera_command = ${command}`);
    const text = await readFile(given.config as string, 'utf8');
    await writeFile(given.config as string, text.replace('"simulated"', '"command"'));
    expect(await captureDark(given, options)).toBe(1);
    expect(lines.join('\n')).toContain(
      'at half the exposure the frame is darker, 117 counts for 132: so there is light in it',
    );
  });

  it('measures the dark at one exposure where the camera gives no frame at half of it, and says what is not known then', async () => {
    const data = Uint16Array.from({ length: 64 * 48 }, (_, i) => 110 + ((7 * i) % 5));
    await writeFile(join(folder, '150.png'), await encodePng({ width: 64, height: 48, depth: 16, data }));
    const program = `["cp", "-v", ${JSON.stringify(join(folder, '{exposure}.png'))}, "{output}.png"]`;
    const given = await context(`camera_command = ${program}`);
    const text = await readFile(given.config as string, 'utf8');
    await writeFile(given.config as string, text.replace('"simulated"', '"command"'));
    expect(await captureDark(given, options)).toBe(0);
    expect(lines.join('\n')).toMatch(/no frame at exposure 75, so even light is not told from none: .*75\.png/);
    expect(lines.at(-1)).toContain('[Camera] dark_level = 112 is not written');
  });
});
