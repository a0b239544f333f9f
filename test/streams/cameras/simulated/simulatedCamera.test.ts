import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { defaultConfig } from '../../../../src/config/defaultConfig.ts';
import { type Files, nodeFiles } from '../../../../src/files/files.ts';
import type { CapturedFrame } from '../../../../src/model/frame.ts';
import { type FaultPlan, faultsOf } from '../../../../src/streams/cameras/simulated/frameFaults.ts';
import { renderFrame } from '../../../../src/streams/cameras/simulated/renderFrame.ts';
import { createScene } from '../../../../src/streams/cameras/simulated/scene.ts';
import {
  openSimulatedCamera,
  simulatorRoiManifest,
  type TruthLine,
} from '../../../../src/streams/cameras/simulated/simulatedCamera.ts';
import {
  lightAndCounts,
  patternAndSensor,
  simulatorOptions,
} from '../../../../src/streams/cameras/simulated/simulatorOptions.ts';

const simulator = simulatorOptions('small', { width: 320, height: 200, columns: 1, rows: 1 });
const { signal } = new AbortController();

async function setUp(files: Files = nodeFiles, options = simulator) {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-simulated-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const clock = { time: Date.UTC(2025, 6, 24, 13, 45, 13) + 0.25, now: () => clock.time, monotonic: () => 0 };
  const notes: string[] = [];
  const roiManifestFile = join(folder, 'generated_files/ROI_manifest.json');
  const truthFile = join(folder, 'data/simulator_truth.jsonl');
  const deps = {
    clock,
    files,
    note: (note: { level: string; message: string }) => notes.push(`${note.level}: ${note.message}`),
  };
  const open = (faults?: FaultPlan) =>
    openSimulatedCamera(
      { simulator: options, cameraIndex: 3, roiManifestFile, truthFile, ...(faults && { faults }) },
      deps,
    );
  const truth = async (): Promise<TruthLine[]> =>
    (await readFile(truthFile, 'utf8'))
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as TruthLine);
  return { folder, clock, notes, roiManifestFile, truthFile, open, truth };
}

it('gives the frame of the clock’s time, and the truth of it as a line', async () => {
  const { clock, open, truth } = await setUp();
  const camera = await open();
  expect(camera).toMatchObject({ pace: 'triggered', total: null });
  const first = (await camera.next(signal)) as CapturedFrame;
  const scene = createScene(simulator);
  const expected = renderFrame(scene, clock.time);
  expect(first.pixels).toEqual(expected.pixels);
  expect(first).toMatchObject({
    kind: 'captured',
    cameraIndex: 3,
    taken: { utc: '2025-07-24T13:45:13.000250Z', source: 'camera' },
  });
  clock.time += 5000;
  const second = (await camera.next(signal)) as CapturedFrame;
  await camera.close();
  const lines = await truth();
  expect(lines.map(({ timestamp }) => timestamp)).toEqual([first.taken.local, second.taken.local]);
  expect(lines[0].utc).toBe('2025-07-24T13:45:13.000250Z');
  expect(Object.keys(lines[0].positions)).toEqual(['001A_N', '001A_S']);
  expect(lines[0].positions['001A_S']).toBeCloseTo(expected.positions[1], 3);
  expect(lines[1].positions['001A_S']).not.toBe(lines[0].positions['001A_S']);
});

it('writes the ROI manifest where there is none, knows its own, and leaves another', async () => {
  const { folder, notes, roiManifestFile, open } = await setUp();
  await (await open()).close();
  const own = simulatorRoiManifest(createScene(simulator).layout);
  expect(await readFile(roiManifestFile, 'utf8')).toBe(own);
  expect(await readdir(join(folder, 'generated_files'))).toEqual(['ROI_manifest.json']);
  expect(notes).toEqual([expect.stringMatching(/^info: .*written for the simulated chip \(2 ROIs\)/)]);

  const sameInOtherWords = JSON.stringify(JSON.parse(own));
  await writeFile(roiManifestFile, sameInOtherWords);
  await (await open()).close();
  expect(notes).toHaveLength(1);

  for (const other of ['{"image_angle": 0}', 'no JSON']) {
    await writeFile(roiManifestFile, other);
    await (await open()).close();
    expect(notes.at(-1)).toMatch(/^warning: .*ROI_manifest\.json: is not the simulated chip's/);
    expect(await readFile(roiManifestFile, 'utf8')).toBe(other);
  }
});

it('goes on behind a line that was torn', async () => {
  const { folder, truthFile, open } = await setUp();
  await mkdir(join(folder, 'data'));
  await writeFile(truthFile, '{"timestamp":"2025-07-');
  const camera = await open();
  await camera.next(signal);
  await camera.close();
  const lines = (await readFile(truthFile, 'utf8')).split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toBe('{"timestamp":"2025-07-');
  expect(JSON.parse(lines[1])).toHaveProperty('positions');
});

it('delivers frames when the truth can not be written, says so once, and when it is over', async () => {
  let isFull = true;
  const files: Files = {
    ...nodeFiles,
    async open(path, flags) {
      const file = await nodeFiles.open(path, flags);
      if (!path.endsWith('.jsonl')) return file;
      return {
        write: (data, position) => file.write(isFull ? data.subarray(0, 10) : data, position),
        read: (into, position) => file.read(into, position),
        size: () => file.size(),
        truncate: length => file.truncate(length),
        sync: () => file.sync(),
        close: () => file.close(),
      };
    },
  };
  const { notes, truthFile, open } = await setUp(files);
  const camera = await open();
  expect(await camera.next(signal)).not.toBeNull();
  expect(await camera.next(signal)).not.toBeNull();
  isFull = false;
  expect(await camera.next(signal)).not.toBeNull();
  await camera.close();
  expect(notes.slice(1)).toEqual([
    expect.stringMatching(/^warning: .*truth can't be written \(.*only 10 of/),
    expect.stringMatching(/^info: .*truth is written again/),
  ]);
  const whole = (await readFile(truthFile, 'utf8')).split('\n').filter(line => line.endsWith('}}'));
  expect(whole).toHaveLength(1);
});

it('gives up between two steps of a frame when asked to', async () => {
  const { truthFile, open } = await setUp();
  const camera = await open();
  const abort = new AbortController();
  const reason = new Error('shutting down');
  abort.abort(reason);
  await expect(camera.next(abort.signal)).rejects.toBe(reason);
  await camera.close();
  expect(await nodeFiles.stat(truthFile)).toBeNull();
});

it('names the option that makes no picture', async () => {
  const deps = { clock: { now: () => 0, monotonic: () => 0 }, files: nodeFiles, note: () => {} };
  const options = { simulator: { ...simulator, columns: 5 }, cameraIndex: 0, roiManifestFile: null, truthFile: null };
  await expect(openSimulatedCamera(options, deps)).rejects.toThrow(/5 × 1 gratings .* don't fit/);
});

describe('faults that are asked for', () => {
  const none: FaultPlan = {
    black: 0,
    saturated: 0,
    torn: 0,
    late: 0,
    absent: 0,
    moved: 0,
    lateSeconds: 10,
    movedPixels: 10,
  };
  const { width, height } = simulator;
  const mean = (data: ArrayLike<number>): number =>
    Array.from(data).reduce((sum, value) => sum + value, 0) / data.length;

  it('come to the frames of a list, each of its own kind, and the truth file tells of them', async () => {
    const { clock, open, truth } = await setUp();
    const camera = await open({ ...none, black: [1], saturated: [2], torn: [3], moved: [4, 5] });
    const frames: CapturedFrame[] = [];
    for (let i = 0; i < 6; i++) {
      frames.push((await camera.next(signal)) as CapturedFrame);
      clock.time += 1000;
    }
    await camera.close();
    const [black, saturated, torn, moved, movedToo, good] = frames.map(({ pixels }) => pixels.data) as Uint8Array[];
    const lines = await truth();
    expect(lines.map(({ faults = [] }) => faults.map(({ kind }) => kind))).toEqual([
      ['black'],
      ['saturated'],
      ['torn'],
      ['moved'],
      ['moved'],
      [],
    ]);
    expect(Object.keys(lines[5]!)).toEqual(['timestamp', 'utc', 'positions']);
    // What the sensor reads without light, and no more.
    expect(mean(black!)).toBeCloseTo(simulator.dark, 0);
    expect(Math.min(...saturated!)).toBe(255);
    const { row } = lines[2]!.faults![0] as { row: number };
    expect(mean(torn!.subarray(row * width))).toBe(0);
    expect(mean(torn!.subarray(0, row * width))).toBeGreaterThan(simulator.dark);
    expect([mean(moved!) > 10, mean(movedToo!) > 10, mean(good!) > 10]).toEqual([true, true, true]);
    expect(lines[3]!.faults).not.toEqual(lines[4]!.faults);
  });

  it('a moved frame shows the chip where the truth says', () => {
    const options = { ...simulator, speckleContrast: 0, readNoise: 0, shotGain: 0 };
    const time = Date.UTC(2025, 6, 24);
    const still = renderFrame(createScene(options), time).pixels.data;
    const moved = renderFrame(createScene(options), time, [{ kind: 'moved', pixels: [7, -4] }]).pixels.data;
    for (let y = 20; y < height - 20; y++)
      expect(moved.subarray((y - 4) * width + 27, (y - 4) * width + 300)).toEqual(
        still.subarray(y * width + 20, y * width + 293),
      );
  });

  it('an absent frame is an error that says so, and a camera that is opened anew goes on counting', async () => {
    const { open, truth } = await setUp();
    const plan = { ...none, absent: [2] };
    const camera = await open(plan);
    await camera.next(signal);
    await expect(camera.next(signal)).rejects.toThrow('gives no frame 2, as Simulator.absent_frames asks');
    await camera.close();
    const again = await open(plan);
    await again.next(signal);
    await again.next(signal);
    await again.close();
    expect((await truth()).map(({ faults }) => faults)).toEqual([
      undefined,
      [{ kind: 'absent' }],
      undefined,
      undefined,
    ]);
  });

  it('come to their frames by number, however many brightfield frames are taken between them', async () => {
    const { open, clock } = await setUp();
    const camera = await open({ ...none, absent: [2] });
    const options = { simulator, cameraIndex: 1, roiManifestFile: null, truthFile: null };
    const brightfield = await openSimulatedCamera(options, { clock, files: nodeFiles, note: () => undefined });
    await camera.next(signal);
    await brightfield.next(signal);
    await brightfield.next(signal);
    await expect(camera.next(signal)).rejects.toThrow('gives no frame 2');
    await camera.close();
  });

  it('a late frame comes late, with the time at which it was taken, and not at all when it is given up', async () => {
    const { clock, open, truth } = await setUp();
    const camera = await open({ ...none, late: 1, lateSeconds: 0.03 });
    const begun = performance.now();
    const frame = (await camera.next(signal)) as CapturedFrame;
    expect(performance.now() - begun).toBeGreaterThan(29);
    expect(frame.taken.utc).toBe('2025-07-24T13:45:13.000250Z');
    clock.time += 1000;
    await camera.close();
    const slow = await open({ ...none, late: 1, lateSeconds: 3600 });
    const leaving = new AbortController();
    const next = slow.next(leaving.signal);
    const reason = new Error('shutting down');
    setImmediate(() => leaving.abort(reason));
    await expect(next).rejects.toBe(reason);
    await slow.close();
    expect(await truth()).toHaveLength(1);
  });

  it('the truth says where the chip was in each frame, faults and jitter together', async () => {
    const { clock, open, truth } = await setUp(nodeFiles, { ...simulator, chipJitter: 0.2 });
    const camera = await open({ ...none, moved: [2] });
    await camera.next(signal);
    clock.time += 1000;
    await camera.next(signal);
    await camera.close();
    const [first, second] = await truth();
    for (const pixels of first.moved!) expect(Math.abs(pixels)).toBeLessThan(1);
    expect(first.moved).not.toEqual([0, 0]);
    const [{ pixels }] = second.faults as unknown as [{ pixels: [number, number] }];
    for (const axis of [0, 1]) expect(Math.abs(second.moved![axis] - pixels[axis])).toBeLessThan(1);
    expect(second.moved).not.toEqual(pixels);
  });

  it('come at the rate that is asked for, the same for the same seed, and each kind by itself', () => {
    const plan = { ...none, black: 0.1, moved: 0.3 };
    const drawn = (given: FaultPlan, seed: number) =>
      Array.from({ length: 2000 }, (_, i) => faultsOf(i + 1, given, { seed, height }));
    const first = drawn(plan, 1);
    const count = (kind: string) => first.filter(faults => faults.some(fault => fault.kind === kind)).length;
    expect(count('black') / 2000).toBeCloseTo(0.1, 1);
    expect(count('moved') / 2000).toBeCloseTo(0.3, 1);
    expect(drawn(plan, 1)).toEqual(first);
    expect(drawn(plan, 2)).not.toEqual(first);
    const without = drawn({ ...plan, moved: 0 }, 1);
    expect(without).toEqual(first.map(faults => faults.filter(({ kind }) => kind === 'black')));
  });
});

describe('the settings of the camera', () => {
  const { Camera, Simulator } = defaultConfig();
  const time = Date.UTC(2025, 6, 24, 13);
  const given = (camera: Partial<typeof Camera>) =>
    lightAndCounts({ ...Simulator, preset: 'small' }, { ...Camera, ...camera });
  /** Of the dark margin and the bright gratings alike: mean and variance of what is no structure. */
  const flat = { amplitude: 0, background: 60, speckleContrast: 0, imageAngle: 0, hotPixels: 0 };
  const patch = (camera: Partial<typeof Camera>) => {
    const options = simulatorOptions('small', { ...simulator, ...flat, ...given(camera) });
    const scene = createScene(options);
    const { pixels } = renderFrame(scene, time);
    const { coords, size } = scene.resonances[1]!.roi;
    const values = Array.from({ length: size[0] * size[1] }, (_, i) => {
      const y = coords[0] + Math.floor(i / size[1]);
      return pixels.data[y * pixels.width + coords[1] + (i % size[1])]!;
    });
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length };
  };

  it('leave the frame as it is where they are as shipped', () => {
    expect(given({})).toEqual({ exposure: Simulator.light, gain: 1, offset: 0 });
    const as = simulatorOptions('small', { ...simulator, ...given({}) });
    expect(renderFrame(createScene(as), time)).toEqual(renderFrame(createScene(simulator), time));
  });

  it('exposure gives light with its shot noise, gain gives counts with all noise, brightness counts alone', () => {
    const shot = (light: number) => simulator.readNoise ** 2 + simulator.shotGain * light + 1 / 12;
    const normal = patch({});
    expect(normal.mean).toBeCloseTo(8 + 60, 0);
    expect(normal.variance / shot(60)).toBeCloseTo(1, 1);
    const exposed = patch({ camera_exposure: 300 });
    expect(exposed.mean).toBeCloseTo(8 + 120, 0);
    expect(exposed.variance / shot(120)).toBeCloseTo(1, 1);
    const amplified = patch({ camera_gain: 64 });
    expect(amplified.mean).toBeCloseTo(8 + 120, 0);
    expect(amplified.variance / (4 * (shot(60) - 1 / 12) + 1 / 12)).toBeCloseTo(1, 1);
    const brighter = patch({ camera_brightness: 148 });
    expect(brighter.mean).toBeCloseTo(28 + 60, 0);
    expect(brighter.variance).toBeCloseTo(normal.variance, 0);
    expect(patch({ camera_exposure: 0 }).mean).toBeCloseTo(8, 0);
    expect(patch({ camera_exposure: 3000 })).toEqual({ mean: 255, variance: 0 });
    expect(patch({ camera_brightness: -1000 })).toEqual({ mean: 0, variance: 0 });
  });
});

describe('the keys of the pattern and the sensor', () => {
  const { Simulator } = defaultConfig();
  const options = (preset: 'realistic' | 'small', given: Partial<typeof Simulator>) =>
    simulatorOptions(preset, patternAndSensor({ ...Simulator, preset, ...given }));

  it('leave the preset as it is where they are absent', () => {
    expect(options('realistic', {})).toEqual(simulatorOptions('realistic'));
    expect(options('small', {})).toEqual(simulatorOptions('small'));
  });

  it('give and take a pattern, and fill the sensor earlier', () => {
    expect(options('realistic', { pattern_contrast: [0] }).patternContrast).toEqual([0]);
    expect(options('small', { pattern_contrast: [0.3] })).toMatchObject({ patternContrast: [0.3], patternLength: [6] });
    const both = { pattern_contrast: [0.1, 0.2], pattern_length_pixels: [2, 9], pattern_static_share: 0.5 };
    expect(options('small', { ...both, chip_jitter_pixels: 0.2, saturation: 200 })).toMatchObject({
      patternContrast: [0.1, 0.2],
      patternLength: [2, 9],
      patternStaticShare: 0.5,
      chipJitter: 0.2,
      fullScale: 200,
    });
  });

  it('are refused by their names when they do not go together', () => {
    expect(() => options('realistic', { pattern_length_pixels: [4] })).toThrow(
      /patternLength is 4; it must be 3 numbers, as many as there are contrasts \(Simulator\.pattern_length_pixels/,
    );
    expect(() => options('small', { saturation: 4095 })).toThrow(/between 1 and 255 \(Simulator\.saturation\)/);
  });
});
