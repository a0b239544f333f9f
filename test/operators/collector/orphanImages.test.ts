import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Entry } from '../../../src/model/entry.ts';
import type { NoteEvent } from '../../../src/model/event.ts';
import { localIso } from '../../../src/model/localTime.ts';
import type { CollectSettings } from '../../../src/operators/collector/captureStage.ts';
import { collector as collectorStage } from '../../../src/operators/collector/collector.ts';
import { runStage } from '../../../src/operators/stage/runStage.ts';
import { recoverySource } from '../../../src/verify/recoverEntries.ts';
import {
  CollectorFixture,
  cameraNumber,
  capturedFrame,
  collectSettings,
  importedFrame,
} from '../../world/collectorFixture.ts';
import { useStillTime } from '../../world/eventRun.ts';
import { atEveryCrash, FaultyFiles, Stopped } from '../../world/faultyFiles.ts';
import { dataFolder, PipelineWorld, resultHead } from '../../world/pipelineWorld.ts';
import { sampleEntry } from '../../world/sampleManifest.ts';
import { StageRun } from '../../world/stageRun.ts';
import { gate } from '../../world/stageWorld.ts';

beforeEach(useStillTime);
afterEach(() => {
  vi.useRealTimers();
});

const second = 1000;
/** When the run began: before anything that the tests do. */
const began = 1_753_364_713_000 - 3600 * second;

const png = await sharp(Buffer.from([1, 2]), { raw: { width: 2, height: 1, channels: 1 } })
  .png()
  .toBuffer();

const nameAt = (ms: number): string =>
  `image_${localIso(ms).replaceAll(/[-:]/g, '').replaceAll(/[T.]/g, '_')}_cam0.png`;
const dayAt = (ms: number): string => localIso(ms).slice(0, 10).replaceAll('-', '');
const pathAt = (ms: number): string => `${dataFolder}/${dayAt(ms)}/${nameAt(ms)}`;

const images = (files: FaultyFiles): string[] => files.paths().filter(path => path.endsWith('.png'));
const imageOf = ({ camera_data: camera }: Entry): string => `${camera!.filepath}/${camera!.filename}`;

const living = 4711;
const isAlive = (pid: number): boolean => pid === living;

async function everything({ manifest }: PipelineWorld): Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>();
  for await (const entry of manifest.archive.entries()) found.set(entry.entry_id, entry);
  for (const entry of manifest.entries()) found.set(entry.entry_id, entry);
  return found;
}

/** A collector whose camera takes so many frames, and then exposes until it is stopped. */
function collector(world: PipelineWorld, frames: number, settings: Partial<CollectSettings> = {}) {
  const notes: Pick<NoteEvent, 'level' | 'message'>[] = [];
  const fixture = new CollectorFixture(world, 'triggered');
  let taken = 0;
  fixture.onNext = (_number, signal) =>
    taken++ < frames
      ? Promise.resolve(capturedFrame())
      : new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        });
  const run = new StageRun<CollectSettings>({ ...collectSettings, ...settings });
  const experiment = {
    ...fixture.deps,
    tools: run.tools,
    runStarted: began,
    isAlive,
    note: (level: NoteEvent['level'], message: string): void => void notes.push({ level, message }),
  };
  const start = (): void => void run.start(runStage(collectorStage, experiment, run.tools));
  const end = async (): Promise<void> => {
    run.stop$.next();
    await run.until(() => run.complete);
    await run.putAway();
  };
  const recovered = (): string[] =>
    run.events.flatMap(event =>
      event.kind === 'done' && event.detail.found === 'without an entry' ? [String(event.detail.image)] : [],
    );
  /** Nothing is on its way any more but the frame that never comes. */
  const settled = (ms = 0): Promise<void> => run.until(() => taken > frames && run.tracked.size === 1, ms);
  return { fixture, run, notes, start, end, recovered, settled };
}

/** Starts on what is there, takes no frame, waits until it rests, and ends. */
async function startAndEnd(world: PipelineWorld) {
  const one = collector(world, 0);
  one.start();
  await one.settled();
  await one.end();
  return one;
}

describe('images that a crash left without an entry', () => {
  it('are taken in once, wherever between two writes the collector was stopped', async () => {
    const start = new FaultyFiles();
    start.put(`${dataFolder}/other.txt`, '');
    let recoveries = 0;
    const crashes = await atEveryCrash<Set<string>>({
      start,
      context: () => new Set(),
      work: async (files, told) => {
        vi.setSystemTime(1_753_364_713_000);
        const world = await PipelineWorld.open(files);
        const { run, start: begin } = collector(world, 3);
        begin();
        try {
          await run.until(() => files.stopped || run.count('done') >= 3, 500);
          for (const event of run.events) if (event.kind === 'done') told.add(event.entryId);
          run.stop$.next();
          await run.until(() => files.stopped || run.complete);
        } finally {
          run.unsubscribe();
          await run.putAway();
        }
        if (files.stopped) throw new Stopped();
        await world.manifest.close({ compact: true });
      },
      check: async (files, told) => {
        const world = await PipelineWorld.open(files, { pid: 2, dead: [1] });
        const before = world.manifest.size;
        const { recovered } = await startAndEnd(world);
        recoveries += recovered().length;
        expect(world.manifest.size - before).toBe(recovered().length);
        const entries = [...world.manifest.entries()];
        // Each image has one entry, each entry an image, and what was told of is there.
        expect(entries.map(imageOf).sort()).toEqual(images(files));
        expect(entries.map(entry => entry.entry_id)).toEqual(expect.arrayContaining([...told]));
        expect(entries.every(entry => entry.processing_status === 'pending')).toBe(true);
        expect((await startAndEnd(world)).recovered()).toEqual([]);
      },
      prefixes: 2,
    });
    expect(crashes).toBeGreaterThan(100);
    expect(recoveries).toBeGreaterThan(10);
  });

  it('are told of, counted, and have the entry that verify would give them', async () => {
    const world = await PipelineWorld.open();
    const at = Date.now() - 10 * second;
    world.files.put(pathAt(at), png);
    const { run, notes, recovered } = await startAndEnd(world);
    expect(recovered()).toEqual([nameAt(at)]);
    expect(run.status('collector')).toMatchObject({ done: 1, in_flight: 0, failed: 0, discarded: 0 });
    expect(notes).toMatchObject([{ level: 'warning', message: expect.stringContaining(nameAt(at)) }]);
    expect([...world.manifest.entries()]).toMatchObject([
      { timestamp_source: 'name', camera_data: { original: false, camera_index: 0, timestamp_iso: localIso(at) } },
    ]);
  });

  it('get the entry of their result back where one stands in the log, and are not analysed again', async () => {
    const files = new FaultyFiles();
    const paths = {
      data: dataFolder,
      brightfield: '/root/brightfield',
      results: '/root/results',
      flags: '/root/flags',
      backup: '/root/backup',
    };
    const recovery = recoverySource({ paths, files, now: () => Date.now(), rebuilt: () => undefined });
    files.put(`${dataFolder}/other.txt`, '');
    const world = await PipelineWorld.open(files, { manifest: { recovery } });
    const at = Date.now() - 10 * second;
    files.put(pathAt(at), png);
    const camera = { ...sampleEntry('x').camera_data!, filename: nameAt(at), timestamp_iso: localIso(at) };
    const head = { ...resultHead(sampleEntry('deleted', { camera_data: camera, attempt: 1 })) };
    const result = await world.results.append(head, Buffer.from('[]'));
    const { recovered } = await startAndEnd(world);
    expect(recovered()).toEqual([nameAt(at)]);
    expect([...world.manifest.entries()]).toMatchObject([
      { entry_id: 'deleted', processing_status: 'processed', attempt: 1, result },
    ]);
  });

  it('are known by an entry that is archived, and by one that is named for the compressed image', async () => {
    const world = await PipelineWorld.open(new FaultyFiles(), { manifest: { liveEntries: 0 } });
    const times = Array.from({ length: 12 }, (_, i) => Date.now() - (20 - i) * second);
    for (const at of times) world.files.put(pathAt(at), png);
    await world.manifest.offer(
      times.slice(0, 11).map((at, i) =>
        sampleEntry(`e${i}`, {
          processing_status: 'processed',
          data_transmitted: true,
          camera_data: {
            ...sampleEntry('x').camera_data!,
            filepath: `${dataFolder}/${dayAt(at)}`,
            filename: i === 10 ? `${nameAt(at)}.gz` : nameAt(at),
          },
        }),
      ),
    );
    await world.manifest.archive.takeSettled();
    expect(world.manifest.size).toBe(0);
    const { recovered } = await startAndEnd(world);
    expect(recovered()).toEqual([nameAt(times[11]!)]);
    expect((await everything(world)).size).toBe(12);
  });

  it('are no others: older than the run, of other names, in other folders, cut off, or a folder that is imported', async () => {
    const world = await PipelineWorld.open();
    const now = Date.now();
    const { files } = world;
    files.put(pathAt(began - second), png);
    files.put(pathAt(now).replace('.png', '.jpg'), png);
    files.put(pathAt(now + 1).replace('image_', 'frame_'), png);
    files.put(`${dataFolder}/${nameAt(now + 2)}`, png);
    files.put(`${dataFolder}/old/${nameAt(now + 3)}`, png);
    files.put(`${dataFolder}/20200101/${nameAt(now + 4)}`, png);
    files.put(pathAt(now + 5), png.subarray(0, 40));
    files.put(`${pathAt(now + 6)}.1-00000000.tmp`, png);
    const { recovered, notes } = await startAndEnd(world);
    expect([recovered(), world.manifest.size]).toEqual([[], 0]);
    expect(notes).toMatchObject([
      { level: 'warning', message: expect.stringMatching(/is left alone: .*not a readable/) },
    ]);

    files.put(pathAt(now + 7), png);
    const fixture = new CollectorFixture(world, 'own');
    fixture.onNext = async number => (number < 2 ? importedFrame(number) : null);
    const run = new StageRun<CollectSettings>(collectSettings);
    run.settings$.complete();
    const experiment = { ...fixture.deps, tools: run.tools, runStarted: began, isAlive };
    run.start(runStage(collectorStage, experiment, run.tools));
    await run.until(() => run.complete);
    expect([...world.manifest.entries()].every(entry => entry.camera_data!.original)).toBe(true);
  });

  it('are found after the clock was set back, and where an old entry was brought back last', async () => {
    const world = await PipelineWorld.open();
    const now = Date.now();
    const hour = 3600 * second;
    const entryAt = (at: number): Entry =>
      sampleEntry(`e${at}`, {
        camera_data: {
          ...sampleEntry('x').camera_data!,
          filepath: `${dataFolder}/${dayAt(at)}`,
          filename: nameAt(at),
          timestamp_iso: localIso(at),
        },
      });
    for (const at of [now + hour, now + hour + 1, now - 30 * second, now - 20 * second, began + second]) {
      world.files.put(pathAt(at), png);
      await world.manifest.offer([entryAt(at)]);
    }
    world.files.put(pathAt(now - 10 * second), png);
    const { recovered } = await startAndEnd(world);
    expect(recovered()).toEqual([nameAt(now - 10 * second)]);
  });

  it('are removed where a process that is gone was still writing them, in yesterday’s folder too', async () => {
    const world = await PipelineWorld.open();
    const yesterday = pathAt(Date.now() - 24 * 3600 * second);
    const [left, young] = [`${yesterday}.4712-00000000.tmp`, `${yesterday}.${living}-00000001.tmp`];
    for (const path of [left, young]) world.files.put(path, png.subarray(0, 40));
    await startAndEnd(world);
    expect(world.files.paths().filter(path => path.startsWith(yesterday))).toEqual([young]);
  });

  it('are left to a person where they are more than a crash leaves', async () => {
    const world = await PipelineWorld.open();
    for (let i = 0; i < 101; i++) world.files.put(pathAt(Date.now() - i), png);
    const { recovered, notes } = await startAndEnd(world);
    expect([recovered(), world.manifest.size]).toEqual([[], 0]);
    expect(notes).toMatchObject([{ message: expect.stringContaining('101 captured images have no entry') }]);
  });

  it('are found by listing two days, however long the run is', async () => {
    const world = await PipelineWorld.open();
    const day = 24 * 3600 * second;
    for (let i = 1; i < 40; i++) world.files.put(pathAt(Date.now() - i * day), png);
    const listed = new Set<string>();
    world.files.gate = async (call, path) => {
      if (call === 'list' && /\d{8}/.test(path)) listed.add(path);
    };
    await startAndEnd(world);
    expect([...listed].sort()).toEqual([0, 1].map(i => `${dataFolder}/${dayAt(Date.now() - i * day)}`).sort());
  });

  it('are not what a retired collector is still writing, nor what it has kept', async () => {
    const world = await PipelineWorld.open();
    const { run, start, end, recovered, settled } = collector(world, 1);
    const door = gate();
    let entries = 0;
    world.files.gate = async (call, path) => {
      if (call === 'write' && path.includes('journal') && entries++ === 0) await door.pass();
    };
    world.files.plan = ({ kind, path }) =>
      kind === 'write' && path.includes('journal') && entries < 3 ? { error: 'EIO' } : null;
    start();
    await run.until(() => images(world.files).length === 1);
    run.settings$.next({ ...collectSettings, source: cameraNumber(1) });
    await vi.advanceTimersByTimeAsync(31_000);
    door.open();
    await run.until(() => run.count('done') === 1, 500);
    await settled(500);
    await end();
    expect([recovered(), images(world.files).length, world.manifest.size]).toEqual([[], 1, 1]);
  });

  it('wait for an archive that can not be read, and capture does not', async () => {
    const world = await PipelineWorld.open();
    world.files.put(pathAt(Date.now() - second), png);
    let isAway = true;
    const { segments } = world.manifest.archive;
    world.manifest.archive.segments = async () => {
      if (isAway) throw new Error('its disk is away');
      return segments.call(world.manifest.archive);
    };
    const { run, start, end, notes, recovered } = collector(world, 1000);
    start();
    await run.until(() => run.count('done') >= 2, 500);
    expect([recovered(), run.count('alarm')]).toEqual([[], 0]);
    expect(notes).toMatchObject([
      { message: expect.stringMatching(/not taken in: its disk is away; it is tried again/) },
    ]);
    isAway = false;
    await run.until(() => recovered().length === 1, 500);
    await end();
    expect(vi.getTimerCount()).toBe(0);
    expect([...world.manifest.entries()].map(imageOf).sort()).toEqual(images(world.files));
  });

  it('are taken in by a collector that is stopped before it comes to it', async () => {
    const world = await PipelineWorld.open();
    world.files.put(pathAt(Date.now() - second), png);
    const door = gate();
    let looks = 0;
    const { segments } = world.manifest.archive;
    world.manifest.archive.segments = async () => {
      if (looks++ === 0) await door.pass();
      return segments.call(world.manifest.archive);
    };
    const { run, start, recovered } = collector(world, 0);
    start();
    await run.until(() => looks === 1);
    run.stop$.next();
    await run.until(() => run.complete);
    expect(recovered()).toHaveLength(1);
    door.open();
    await run.putAway();
    expect([...world.manifest.entries()].map(imageOf)).toEqual(images(world.files));
  });

  it('are not taken in any more once it is cut short', async () => {
    const world = await PipelineWorld.open();
    world.files.put(pathAt(Date.now() - second), png);
    const door = gate();
    const { segments } = world.manifest.archive;
    world.manifest.archive.segments = async () => {
      await door.pass();
      return segments.call(world.manifest.archive);
    };
    const { run, start } = collector(world, 0);
    start();
    await run.until(() => run.told.includes('running'));
    run.unsubscribe();
    door.open();
    await run.putAway();
    expect(world.manifest.size).toBe(0);
  });
});
