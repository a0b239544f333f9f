import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type Files, nodeFiles } from '../../../../src/files/files.ts';
import type { CapturedFrame } from '../../../../src/model/frame.ts';
import { renderFrame } from '../../../../src/streams/cameras/simulated/renderFrame.ts';
import { createScene } from '../../../../src/streams/cameras/simulated/scene.ts';
import {
  openSimulatedCamera,
  simulatorRoiManifest,
  type TruthLine,
} from '../../../../src/streams/cameras/simulated/simulatedCamera.ts';
import { simulatorOptions } from '../../../../src/streams/cameras/simulated/simulatorOptions.ts';

const simulator = simulatorOptions('small', { width: 320, height: 200, columns: 1, rows: 1 });
const { signal } = new AbortController();

async function setUp(files: Files = nodeFiles) {
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
  const open = () => openSimulatedCamera({ simulator, cameraIndex: 3, roiManifestFile, truthFile }, deps);
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
