import { BehaviorSubject, of, Subject } from 'rxjs';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultConfig } from '../../../src/config/defaultConfig.ts';
import { parseAmount } from '../../../src/config/kinds/amount.ts';
import { resolvePaths } from '../../../src/config/resolvePaths.ts';
import type { DiskSpace } from '../../../src/files/diskSpace.ts';
import { decodeFrame } from '../../../src/image/decodeFrame.ts';
import type { Entry } from '../../../src/model/entry.ts';
import type { CapturedFrame, SourceFrame } from '../../../src/model/frame.ts';
import type { CollectExperiment, CollectSettings } from '../../../src/operators/collector/captureStage.ts';
import { collector } from '../../../src/operators/collector/collector.ts';
import { runStage } from '../../../src/operators/stage/runStage.ts';
import {
  CollectorFixture,
  cameraNumber,
  capturedFrame,
  collectSettings,
  importedFrame,
} from '../../world/collectorFixture.ts';
import { useStillTime } from '../../world/eventRun.ts';
import { PipelineWorld } from '../../world/pipelineWorld.ts';
import { ids, sampleEntry } from '../../world/sampleManifest.ts';
import { StageRun } from '../../world/stageRun.ts';
import { failure, gate } from '../../world/stageWorld.ts';

beforeEach(useStillTime);
afterEach(() => {
  vi.useRealTimers();
});

async function prepare(pace: 'triggered' | 'own', settings: Partial<CollectSettings> = {}) {
  const world = await PipelineWorld.open();
  const run = new StageRun<CollectSettings>({ ...collectSettings, ...settings });
  return { world, fixture: new CollectorFixture(world, pace), run };
}

const images = (world: PipelineWorld): string[] => world.files.paths().filter(path => path.endsWith('.png'));
/** No write into a folder of images goes well. */
const fullForImages = (world: PipelineWorld): void => {
  world.files.plan = ({ kind, path }) => (kind === 'write' && path.includes('.png') ? { short: 0 } : null);
};
const fullForEntries = (world: PipelineWorld): void => {
  world.files.plan = ({ kind, path }) => (kind === 'write' && path.includes('journal') ? { short: 0 } : null);
};

/** A camera that gives one frame and then exposes for ever. Returns how many it was asked for. */
const oneFrameOnly = (fixture: CollectorFixture): (() => number) => {
  let asked = 0;
  fixture.onNext = async () => (asked++ === 0 ? capturedFrame() : new Promise(() => undefined));
  return () => asked;
};

it('watches the folder that the configuration names now, also where it named another at the start', () => {
  const atStart = defaultConfig();
  const paths = resolvePaths(atStart, { cwd: '/run7', configFile: 'c.toml', exists: () => false });
  const folderOf = (folder: string): string => {
    const config = {
      ...atStart,
      Camera: { ...atStart.Camera, camera_type: 'watch_folder' as const },
      Watch_Folder: { ...atStart.Watch_Folder, folder },
    };
    return collector.settings(config, { paths, configFile: null, replay: null }).source.folder;
  };
  expect(folderOf('/media/nowhere/run')).toBe('/media/nowhere/run');
  expect(folderOf('incoming')).toBe(paths.watched);
});

describe('collect from a camera', () => {
  it('takes a frame at once and then each interval; image before entry', async () => {
    const { world, fixture, run } = await prepare('triggered', { transform: 'HORIZONTAL_FLIP' });
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('done') === 1);
    await vi.advanceTimersByTimeAsync(4999);
    await run.rest();
    expect(run.count('claimed')).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    await run.until(() => run.count('done') === 2);
    const [entry] = [...world.manifest.entries()];
    expect(entry).toMatchObject({
      processing_status: 'pending',
      timestamp_source: 'camera',
      run_id: 'run',
      boot_id: 'boot',
      clock_synced: true,
      camera_data: { original: false, camera_index: 0 },
    });
    const { filepath, filename } = entry!.camera_data!;
    expect(filename).toMatch(/^image_\d{8}_\d{6}_\d{6}_cam0\.png$/);
    const png = world.files.content(`${filepath}/${filename}`)!;
    expect([...(await sharp(png).toColourspace('b-w').raw().toBuffer())]).toEqual([2, 1]);
    expect(images(world)).toHaveLength(2);
    run.unsubscribe();
  });

  it.each([
    ['TIFF', '.tif', false],
    ['TIFF_ZSTD', '.tif.zst', true],
  ] as const)(
    'writes frames as %s where that is configured, from the next frame on',
    async (format, extension, packed) => {
      const { world, fixture, run } = await prepare('triggered');
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('done') === 1);
      run.settings$.next({ ...collectSettings, format });
      await run.until(() => run.count('done') === 2);
      const [png, other] = [...world.manifest.entries()] as [Entry, Entry];
      expect([png.camera_data!.filename.slice(-4), png.compression_attempted]).toEqual(['.png', false]);
      const { filename, filepath } = other.camera_data!;
      expect(filename).toMatch(new RegExp(`_cam0\\${extension}$`));
      // Nothing is left to compress of one that is.
      expect(other.compression_attempted).toBe(packed);
      const found = await decodeFrame(world.files.content(`${filepath}/${filename}`)!, filename);
      expect([...found.data]).toEqual([1, 2]);
      run.unsubscribe();
    },
  );

  it('keeps what the camera says of a frame in its entry, and no key where the camera says nothing', async () => {
    const { world, fixture, run } = await prepare('triggered');
    const metadata = {
      exposure_asked_seconds: 0.5,
      exposure_seconds: 0.499,
      analogue_gain: 1,
      sensor_timestamp_ns: 12,
    };
    fixture.onNext = async number => ({ ...capturedFrame(), metadata: number === 0 ? metadata : {} });
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('done') === 1);
    await vi.advanceTimersByTimeAsync(5000);
    await run.until(() => run.count('done') === 2);
    const [first, second] = [...world.manifest.entries()].map(entry => entry.camera_data!);
    expect(first!.metadata).toEqual(metadata);
    expect(second).not.toHaveProperty('metadata');
    run.unsubscribe();
  });

  it.each([
    ['8 bits', Uint8Array.of(0, 7, 255, 3, 128, 9)],
    ['16 bits', Uint16Array.of(0, 7, 65535, 3, 256, 9)],
  ])(
    'leaves the pixels of a recorded frame to the processor: those that decoding its file gives, %s',
    async (_what, data) => {
      const { world, fixture, run } = await prepare('triggered', { transform: 'ROTATE_90_CLOCKWISE' });
      const depth = data instanceof Uint16Array ? 16 : 8;
      fixture.onNext = async () => ({
        ...(capturedFrame() as CapturedFrame),
        pixels: { width: 3, height: 2, depth, data },
      });
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('done') === 1);
      const [{ entry_id: id, camera_data: camera }] = [...world.manifest.entries()] as [Entry];
      const file = world.files.content(`${camera!.filepath}/${camera!.filename}`)!;
      expect(fixture.freshFrames.take(id)).toEqual(await decodeFrame(file, camera!.filename));
      expect(fixture.freshFrames.take(id)).toBe(null);
      run.unsubscribe();
    },
  );

  it('tells of intervals that a long capture has missed, and takes one frame for them, not many', async () => {
    const { fixture, run } = await prepare('triggered');
    const door = gate();
    let asked = false;
    fixture.onNext = async number => {
      asked = true;
      if (number === 0) await door.pass();
      return capturedFrame();
    };
    run.start(fixture.stage(run.tools));
    await run.until(() => asked);
    await vi.advanceTimersByTimeAsync(15_000);
    door.open();
    await run.until(() => run.count('done') === 2);
    await run.rest();
    expect(run.count('done')).toBe(2);
    expect(run.events.filter(event => event.kind === 'discarded')).toMatchObject([
      { entryId: null, count: 2, reason: expect.stringContaining('missed') },
    ]);
    expect(run.status('collector')).toMatchObject({ in_flight: 0, done: 2, discarded: 2, failed: 0 });
    run.unsubscribe();
  });

  it('is alarmed by a camera that fails, opens it anew with growing waits, and is well with the next frame', async () => {
    const { fixture, run } = await prepare('triggered', { retryDelayMs: 2000 });
    fixture.onNext = () => Promise.reject(new Error('no answer from the camera'));
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('alarm') === 3, 500);
    expect(run.events.flatMap(event => (event.kind === 'alarm' ? [event.retryInMs] : []))).toEqual([2000, 4000, 8000]);
    expect([fixture.open, fixture.maxOpen]).toEqual([0, 1]);
    fixture.onNext = async () => capturedFrame();
    await run.until(() => run.count('done') >= 1, 500);
    expect(run.status('collector').alarms).toEqual([]);
    run.unsubscribe();
  });

  it('passes over failures of the camera below the limit, each after the same wait, and is alarmed at the limit', async () => {
    const notes: string[] = [];
    const { world, fixture, run } = await prepare('triggered', { retryDelayMs: 2000, failureLimit: 3 });
    const asked: number[] = [];
    fixture.onNext = () => {
      asked.push(Date.now());
      return Promise.reject(new Error('no answer from the camera'));
    };
    const experiment = { ...fixture.deps, tools: run.tools, note: (_: string, text: string) => void notes.push(text) };
    run.start(runStage(collector, experiment, run.tools));
    await run.until(() => run.count('alarm') === 2, 500);
    expect(asked.slice(1).map((at, i) => at - asked[i]!)).toEqual([2000, 2000, 2000]);
    expect(notes).toEqual([
      'no answer from the camera (failure 1 of 3 in a row; 2 s until the next try)',
      'no answer from the camera (failure 2 of 3 in a row; 2 s until the next try)',
    ]);
    expect(run.events.flatMap(event => (event.kind === 'alarm' ? [event.retryInMs] : []))).toEqual([2000, 4000]);
    fixture.onNext = async () => capturedFrame();
    await run.until(() => run.count('done') === 1, 500);
    expect(run.count('well')).toBe(1);
    expect(world.manifest.size).toBe(1);
    run.unsubscribe();
  });

  it('a failure that does not pass by itself is an alarm at once, whatever the limit', async () => {
    const { fixture, run } = await prepare('triggered', { retryDelayMs: 1000, failureLimit: 5 });
    const held = Object.assign(new Error('another experiment uses the camera'), { answer: 'alarm' });
    fixture.onNext = () => Promise.reject(held);
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('alarm') === 1, 500);
    expect(run.events.filter(({ kind }) => kind === 'alarm')).toMatchObject([{ message: held.message }]);
    run.unsubscribe();
  });

  it('a camera that fails less often in a row than the limit allows is no alarm', async () => {
    const { fixture, run } = await prepare('triggered', { retryDelayMs: 0, failureLimit: 3 });
    let asked = 0;
    fixture.onNext = async () => {
      if (asked++ % 3 < 2) throw new Error('no answer from the camera');
      return capturedFrame();
    };
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('done') === 3, 500);
    expect([run.count('alarm'), run.count('well')]).toEqual([0, 0]);
    run.unsubscribe();
  });

  it('a disk that fails is an alarm at once, whatever the camera may fail', async () => {
    const { world, run, fixture } = await prepare('triggered', { failureLimit: 5 });
    world.files.plan = ({ kind, path }) => (kind === 'write' && path.includes('.png') ? { error: 'EIO' } : null);
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('alarm') === 1);
    run.unsubscribe();
  });

  it('exposes while the frame before is recorded, and records frames in their order', async () => {
    const { world, fixture, run } = await prepare('triggered');
    const door = gate();
    let writes = 0;
    world.files.gate = async (call, path) => {
      if (call === 'write' && path.includes('.png') && writes++ === 0) await door.pass();
    };
    let asked = 0;
    fixture.onNext = async () => {
      asked++;
      return capturedFrame();
    };
    run.start(fixture.stage(run.tools));
    await run.until(() => writes === 1);
    await vi.advanceTimersByTimeAsync(5000);
    await run.until(() => asked === 2);
    expect([run.count('done'), run.count('discarded')]).toEqual([0, 0]);
    door.open();
    await run.until(() => run.count('done') === 2);
    const times = [...world.manifest.entries()].map(entry => entry.camera_data!.timestamp_iso);
    expect(times).toEqual(times.toSorted());
    run.unsubscribe();
  });

  it('triggers a camera that needs 0.9 of the interval each interval, while recording takes half of one: no drift, none missed', async () => {
    const { world, fixture, run } = await prepare('triggered');
    const wait = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));
    world.files.gate = async (call, path) => {
      if (call === 'write' && path.includes('.png')) await wait(2500);
    };
    const triggered: number[] = [];
    fixture.onNext = async () => {
      triggered.push(Date.now());
      await wait(4500);
      return capturedFrame();
    };
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('done') >= 100, 250);
    const late = triggered.map((at, i) => at - triggered[0]! - 5000 * i);
    expect([Math.min(...late), Math.max(...late), run.count('discarded')]).toEqual([0, 0, 0]);
    run.unsubscribe();
  });

  it('tells of the frame that was being recorded when its camera failed at the next one', async () => {
    const { world, fixture, run } = await prepare('triggered');
    const door = gate();
    let writes = 0;
    world.files.gate = async (call, path) => {
      if (call === 'write' && path.includes('.png') && writes++ === 0) await door.pass();
    };
    let asked = 0;
    fixture.onNext = async () => {
      if (asked++ === 1) throw new Error('no answer from the camera');
      return capturedFrame();
    };
    run.start(fixture.stage(run.tools));
    await run.until(() => writes === 1);
    await vi.advanceTimersByTimeAsync(5000);
    await run.until(() => asked === 2);
    door.open();
    await run.until(() => run.count('alarm') === 1);
    const kinds = run.events.map(({ kind }) => kind);
    expect(kinds.filter(kind => kind === 'done' || kind === 'alarm')).toEqual(['done', 'alarm']);
    expect(run.status('collector')).toMatchObject({ done: 1, failed: 0, in_flight: 0 });
    run.unsubscribe();
  });

  it('tells of the intervals that a camera missed while it failed, and of none for a rest', async () => {
    const { world, fixture, run } = await prepare('triggered', { retryDelayMs: 1000 });
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('done') === 1);
    fixture.onNext = () => Promise.reject(new Error('no answer from the camera'));
    await run.until(() => run.count('alarm') === 4, 500);
    fixture.onNext = async () => capturedFrame();
    await run.until(() => run.count('discarded') === 1, 500);
    await run.until(() => run.count('done') === 2);
    const [missed] = run.events.flatMap(event => (event.kind === 'discarded' ? event.count! : []));
    const [first, second] = [...world.manifest.entries()].map(entry => entry.monotonic_ms!);
    expect(missed).toBe(Math.floor((second! - first!) / collectSettings.intervalMs) - 1);
    expect(missed).toBeGreaterThan(2);
    run.paused$.next(true);
    await run.until(() => run.events.some(event => event.kind === 'state' && event.state === 'paused'));
    // Time went on while a frame was encoded: the next one was on its way already.
    const { done, discarded } = run.status('collector');
    await vi.advanceTimersByTimeAsync(60_000);
    run.paused$.next(false);
    await run.until(() => run.count('done') === done + 1);
    expect(run.status('collector').discarded).toBe(discarded);
    run.unsubscribe();
  });

  it('lets a camera that has failed go when it is paused, and not before', async () => {
    const { fixture, run } = await prepare('triggered', { retryDelayMs: 1000 });
    fixture.onNext = () => Promise.reject(new Error('no answer from the camera'));
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('alarm') === 2, 500);
    expect(fixture.freed).toBe(0);
    run.paused$.next(true);
    await run.until(() => run.told.at(-1) === 'paused');
    expect(fixture.freed).toBe(1);
    run.unsubscribe();
  });

  it('leaves the camera at once when it is stopped during an exposure', async () => {
    const { fixture, run } = await prepare('triggered');
    fixture.onNext = (_number, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    run.start(fixture.stage(run.tools));
    await run.rest();
    run.stop$.next();
    await run.until(() => run.complete);
    expect([fixture.open, run.count('alarm')]).toEqual([0, 0]);
  });

  describe('without room on the disk', () => {
    const gigabyte = 1e9;
    const disk = (free: number) => ({ free, size: 100 * gigabyte });

    async function onDisk(free: number, minFree = '1 GB') {
      const it = await prepare('triggered');
      const space$ = new BehaviorSubject<DiskSpace | null>(disk(free));
      const { Buffer, ...config } = defaultConfig();
      const flow = {
        ...it.run.tools,
        config$: of({ ...config, Buffer: { ...Buffer, min_free_disk: parseAmount(minFree)!, image_buffer_size: 100 } }),
      };
      const room = { ...it.fixture.deps, tools: it.run.tools, space$, measureSpace: async () => space$.value };
      const start = (changes: Partial<CollectExperiment> = {}) =>
        it.run.start(runStage(collector, { ...room, ...changes }, flow));
      return { ...it, space$, room, start };
    }
    const alarms = (run: StageRun<CollectSettings>) => run.events.filter(event => event.kind === 'alarm');

    it('rests with an alarm that says why, counts what it misses, and goes on by itself', async () => {
      const { fixture, run, space$, start } = await onDisk(2 * gigabyte);
      start();
      await run.until(() => run.count('done') === 1);
      // The ring buffer may still make room.
      space$.next(disk(0.9 * gigabyte));
      await vi.advanceTimersByTimeAsync(4900);
      space$.next(disk(0.9 * gigabyte));
      await run.rest();
      expect([alarms(run), run.told.includes('paused')]).toEqual([[], false]);
      await vi.advanceTimersByTimeAsync(200);
      space$.next(disk(0.9 * gigabyte));
      await run.until(() => run.told.at(-1) === 'paused');
      expect(alarms(run)).toMatchObject([
        {
          key: 'no_room',
          message: expect.stringMatching(
            /^only 900 MB are free on the disk of \/root\/data, and min_free_disk is 1 GB: no frames are taken until 1.1 GB are free. Nothing may be deleted: (1 image waits|2 images wait) to be analysed$/,
          ),
        },
      ]);
      expect([fixture.open, run.status('collector').alarms]).toEqual([0, ['no_room']]);
      const [taken, missed] = [run.count('done'), run.count('discarded')];
      await vi.advanceTimersByTimeAsync(15_000);
      expect([run.count('done'), run.count('discarded') - missed]).toEqual([taken, 3]);
      expect(run.events.at(-1)).toMatchObject({ entryId: null, reason: 'missed: there is no room on the disk' });
      // Somewhat more than it takes, so that it does not begin anew with each image.
      space$.next(disk(1.05 * gigabyte));
      await run.rest();
      expect(run.told.at(-1)).not.toBe('running');
      space$.next(disk(1.1 * gigabyte));
      await run.until(() => run.count('done') === taken + 1);
      expect(run.status('collector')).toMatchObject({ alarms: [], state: 'running', failed: 0, lost: 0 });
      run.unsubscribe();
      await run.putAway();
      expect(vi.getTimerCount()).toBe(0);
    });

    it('rests at once when only the reserve is left, and says that nothing is deleted for it', async () => {
      const { fixture, run, space$, start } = await onDisk(0.06 * gigabyte, '0 GB');
      start();
      await run.until(() => run.told.at(-1) === 'paused');
      expect(fixture.opened).toBe(0);
      expect(alarms(run)).toMatchObject([{ message: expect.stringContaining('67.1 MB must stay free') }]);
      expect(alarms(run)).toMatchObject([{ message: expect.stringContaining('min_free_disk is not set') }]);
      space$.next(null);
      await run.rest();
      expect(run.status('collector').alarms).toEqual(['no_room']);
      space$.next(disk(gigabyte));
      await run.until(() => run.count('done') === 1);
      run.unsubscribe();
    });

    describe('for the next image', () => {
      const reserve = 64 * 2 ** 20;
      /** The frame's PNG has less than a hundred bytes. */
      const almost = disk(reserve + 10);

      it('keeps the frame that would not leave the reserve, rests, and writes it first when there is room', async () => {
        const { world, fixture, run, space$, room, start } = await onDisk(almost.free, '0 GB');
        const taken = oneFrameOnly(fixture);
        start();
        await run.until(() => run.told.at(-1) === 'paused');
        expect([taken(), images(world), world.manifest.size, fixture.open]).toEqual([1, [], 0, 0]);
        expect(run.told).toEqual([
          'starting',
          'running',
          'claimed 1',
          'alarm no_room',
          'draining',
          'stopped',
          'paused',
        ]);
        expect(alarms(run)).toMatchObject([
          { message: expect.stringMatching(/only 67.1 MB are free .* the next image takes \d\d B of what is beyond/) },
        ]);
        expect(room.waitingImage.bytes).toBeGreaterThan(10);
        // For an image of this size it would do, but not by as much as it takes to go on.
        space$.next(disk(2 * reserve));
        await run.rest();
        expect(run.told.at(-1)).toBe('paused');
        space$.next(disk(2 * reserve + 100));
        await run.until(() => run.count('done') === 1);
        expect([images(world).length, world.manifest.size, room.waitingImage.bytes]).toEqual([1, 1, 0]);
        expect(run.status('collector')).toMatchObject({ alarms: [], state: 'running', failed: 0, lost: 0 });
        run.unsubscribe();
      });

      it('writes it at the end, where half of the reserve is left, and says so where it is not', async () => {
        const { world, fixture, run, start } = await onDisk(almost.free, '0 GB');
        oneFrameOnly(fixture);
        start();
        await run.until(() => run.told.at(-1) === 'paused');
        run.stop$.next();
        await run.until(() => run.complete);
        expect([images(world).length, world.manifest.size, run.count('discarded')]).toEqual([1, 1, 0]);

        const full = await onDisk(almost.free, '0 GB');
        oneFrameOnly(full.fixture);
        full.start();
        await full.run.until(() => full.run.told.at(-1) === 'paused');
        full.space$.next(disk(reserve / 2));
        full.run.stop$.next();
        await full.run.until(() => full.run.complete);
        expect([images(full.world).length, full.world.manifest.size]).toEqual([0, 0]);
        expect(full.run.events.at(-1)).toMatchObject({
          kind: 'discarded',
          reason: expect.stringContaining('there is no room on the disk'),
        });
      });

      it('tries to write where the disk can not be asked', async () => {
        const { run, space$, start } = await onDisk(almost.free, '0 GB');
        space$.next(null);
        start();
        await run.until(() => run.count('done') === 1);
        run.unsubscribe();
      });

      it('keeps it once, when it is cut short while it asks', async () => {
        const { world, fixture, run, space$, start } = await onDisk(almost.free, '0 GB');
        oneFrameOnly(fixture);
        const door = gate();
        const asking = { asked: false };
        start({
          measureSpace: async () => {
            asking.asked = true;
            await door.pass();
            return space$.value;
          },
        });
        await run.until(() => asking.asked);
        // Older settings that do not finish in time are cut off.
        run.settings$.next({ ...collectSettings, source: cameraNumber(1) });
        await vi.advanceTimersByTimeAsync(31_000);
        door.open();
        await run.until(() => run.told.at(-1) === 'paused');
        space$.next(disk(gigabyte));
        await run.until(() => run.count('done') === 1);
        await run.rest();
        expect([images(world).length, world.manifest.size]).toEqual([1, 1]);
        run.unsubscribe();
      });
    });

    it('names what waits for the share, or a ring buffer that does not run', async () => {
      const { world, run, space$, start } = await onDisk(2 * gigabyte);
      const told = async (): Promise<string> => {
        space$.next(disk(2 * gigabyte));
        await run.rest();
        space$.next(disk(0.01 * gigabyte));
        await run.until(() => run.status('collector').alarms.length > 0);
        return (alarms(run).at(-1) as { message: string }).message;
      };
      const counts = { processor: 0, communicator: 0, compressor: 0, syncer: 1204, ring_buffer: 0 };
      world.manifest.waiting = stage => counts[stage];
      start();
      expect(await told()).toContain('1,204 images wait for the share');
      counts.ring_buffer = 17;
      expect(await told()).toContain('17 images may be deleted, and the ring buffer has not done so yet');
      Object.assign(counts, { ring_buffer: 0, syncer: 0 });
      expect(await told()).toContain('something else fills the disk');
      run.unsubscribe();
    });

    it('counts nothing as missed while a person has paused it', async () => {
      const { run, space$, start } = await onDisk(2 * gigabyte);
      start();
      await run.until(() => run.count('done') === 1);
      run.paused$.next(true);
      space$.next(disk(0));
      await vi.advanceTimersByTimeAsync(60_000);
      expect(run.count('discarded')).toBe(0);
      run.unsubscribe();
    });

    it('stops while it rests, and completes', async () => {
      const { run, start } = await onDisk(0);
      start();
      await run.until(() => run.told.at(-1) === 'paused');
      run.stop$.next();
      await run.until(() => run.complete);
      expect([run.told.at(-1), vi.getTimerCount()]).toEqual(['stopped', 0]);
    });
  });

  describe('on a full disk', () => {
    it('keeps the frame, takes no other, and writes it first once there is room', async () => {
      const { world, fixture, run } = await prepare('triggered');
      const taken = oneFrameOnly(fixture);
      fullForImages(world);
      const takenAt = Math.round(run.tools.clock.monotonic());
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('alarm') === 3, 500);
      expect(taken()).toBe(1);
      expect([...world.manifest.entries()]).toEqual([]);
      expect(run.status('collector')).toMatchObject({ alarms: ['ENOSPC'], in_flight: 0 });
      world.files.plan = () => null;
      await run.until(() => run.count('claimed') === 4, 500);
      await run.until(() => run.count('done') === 1);
      // It tells when it was taken, not when it could be written at last.
      expect([...world.manifest.entries()][0]!.monotonic_ms).toBeLessThan(Math.round(run.tools.clock.monotonic()));
      expect([...world.manifest.entries()][0]!.monotonic_ms).toBe(takenAt);
      expect(run.status('collector').alarms).toEqual([]);
      expect([images(world).length, world.manifest.size]).toEqual([1, 1]);
      expect(world.files.paths().filter(path => path.endsWith('.tmp'))).toEqual([]);
      run.unsubscribe();
    });

    it('writes no second image when only the entry could not be recorded', async () => {
      const { world, fixture, run } = await prepare('triggered');
      oneFrameOnly(fixture);
      fullForEntries(world);
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('alarm') === 3, 500);
      world.files.plan = () => null;
      await run.until(() => run.count('claimed') === 4, 500);
      await run.until(() => run.count('done') === 1);
      expect(images(world)).toHaveLength(1);
      const { filepath, filename } = [...world.manifest.entries()][0]!.camera_data!;
      expect(images(world)).toEqual([`${filepath}/${filename}`]);
      run.unsubscribe();
    });

    it('keeps the frame over new settings, and writes it as it was to be when it was taken', async () => {
      const { world, fixture, run } = await prepare('triggered', { transform: 'HORIZONTAL_FLIP' });
      fullForImages(world);
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('alarm') === 1);
      world.files.plan = () => null;
      run.settings$.next({ ...collectSettings, transform: 'NONE' });
      await run.until(() => run.count('done') === 1);
      await vi.advanceTimersByTimeAsync(collectSettings.intervalMs);
      await run.until(() => run.count('done') === 2);
      const pixels = await Promise.all(
        images(world).map(path => sharp(world.files.content(path)!).toColourspace('b-w').raw().toBuffer()),
      );
      expect(pixels.map(each => [...each])).toEqual([
        [2, 1],
        [1, 2],
      ]);
      run.unsubscribe();
    });

    it('tries once more when it is stopped', async () => {
      const { world, fixture, run } = await prepare('triggered');
      fullForImages(world);
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('alarm') === 1);
      world.files.plan = () => null;
      run.stop$.next();
      await run.until(() => run.complete);
      expect([run.count('done'), world.manifest.size]).toEqual([1, 1]);
    });

    it('says so when the frame is lost with the process all the same', async () => {
      const { world, fixture, run } = await prepare('triggered');
      fullForImages(world);
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('alarm') === 1);
      run.stop$.next();
      await run.until(() => run.complete);
      expect(run.events.at(-1)).toMatchObject({ kind: 'discarded', reason: expect.stringContaining('could not be') });
      expect(run.status('collector')).toMatchObject({ in_flight: 0, state: 'stopped' });
    });
  });

  it('is not held up by a frame that is no image', async () => {
    const { world, fixture, run } = await prepare('triggered');
    fixture.onNext = async number => {
      const frame = capturedFrame();
      if (number > 0 || frame.kind !== 'captured') return frame;
      return { ...frame, pixels: { ...frame.pixels, width: 0 } };
    };
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('done') >= 1, 500);
    expect(run.events.find(event => event.kind === 'discarded')).toMatchObject({
      reason: expect.stringContaining('not an image'),
    });
    const [first] = run.events.flatMap(event => (event.kind === 'done' ? [event.entryId] : []));
    expect([run.count('alarm'), [...world.manifest.entries()][0]?.entry_id]).toEqual([0, first]);
    run.unsubscribe();
  });

  it('makes the folder anew when it was taken away', async () => {
    const { world, fixture, run } = await prepare('triggered');
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('done') === 1);
    let isGone = true;
    world.files.gate = async (call, path) => {
      if (call === 'makeFolder') isGone = false;
      if (isGone && call === 'open' && path.includes('.png')) throw failure('ENOENT');
    };
    await run.until(() => run.count('alarm') > 0, 500);
    await run.until(() => run.count('done') > 1, 500);
    run.unsubscribe();
  });

  it('records a frame that is being written when it is cut short, once', async () => {
    const { world, fixture, run } = await prepare('triggered');
    const door = gate();
    world.files.gate = async (call, path) => {
      if (call === 'sync' && path.includes('.png')) await door.pass();
    };
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('claimed') === 1);
    await run.rest();
    run.unsubscribe();
    door.open();
    await run.putAway();
    expect([images(world).length, world.manifest.size, fixture.open]).toEqual([1, 1, 0]);
  });

  it('is off without a camera', async () => {
    const { fixture, run } = await prepare('triggered', { enabled: false });
    run.start(fixture.stage(run.tools));
    await run.rest();
    expect([run.told, fixture.opened]).toEqual([['off'], 0]);
    run.unsubscribe();
  });
});

describe('collect from a folder', () => {
  it('offers its images in order without touching them, and ends with it', async () => {
    const { world, fixture, run } = await prepare('own');
    fixture.folder(100);
    run.settings$.complete();
    run.start(fixture.stage(run.tools));
    await run.until(() => run.complete);
    expect(run.count('done')).toBe(100);
    expect([...world.manifest.entries()].map(entry => entry.camera_data!.filename)).toEqual(
      Array.from({ length: 100 }, (_, i) => `img_${i}.tif`),
    );
    expect([...world.manifest.entries()][7]!.camera_data).toMatchObject({ filepath: '/old', original: true });
    expect(images(world)).toEqual([]);
    expect([fixture.open, run.status('collector').in_flight]).toEqual([0, 0]);
  });

  it('is no more than 500 images ahead of the processor, and goes on as that takes them', async () => {
    const { world, fixture, run } = await prepare('own');
    fixture.folder(700);
    run.settings$.complete();
    run.start(fixture.stage(run.tools));
    await run.until(() => world.waiting('processor') === 500);
    await run.rest();
    expect(world.manifest.size).toBe(500);
    await world.manifest.claim('processor', 50);
    await run.until(() => world.manifest.size === 550);
    await run.rest();
    expect(world.waiting('processor')).toBe(500);
    await world.manifest.claim('processor', 400);
    await run.until(() => run.complete);
    expect(world.manifest.size).toBe(700);
  });

  it('passes over what the manifest knows, live or archived', async () => {
    const { world, fixture, run } = await prepare('own');
    fixture.folder(10);
    run.settings$.complete();
    run.start(fixture.stage(run.tools));
    await run.until(() => run.complete);
    const known = ids(world.manifest.entries());
    await world.manifest.close({ compact: true });

    const next = await PipelineWorld.open(world.files);
    const again = new CollectorFixture(next, 'own').folder(12);
    const nextRun = new StageRun<CollectSettings>(collectSettings);
    nextRun.settings$.complete();
    nextRun.start(again.stage(nextRun.tools));
    await nextRun.until(() => nextRun.complete);
    expect(nextRun.count('done')).toBe(2);
    expect(ids(next.manifest.entries()).slice(0, 10)).toEqual(known);

    const archived = [...next.manifest.entries()].slice(0, 5);
    next.manifest.archive.entries = async function* () {
      yield* archived;
    };
    const get = next.manifest.get.bind(next.manifest);
    next.manifest.get = id => (archived.some(entry => entry.entry_id === id) ? undefined : get(id));
    const third = new StageRun<CollectSettings>(collectSettings);
    third.settings$.complete();
    third.start(again.stage(third.tools));
    await third.until(() => third.complete);
    expect(third.count('done')).toBe(0);
  });

  describe('that another program fills', () => {
    /** Images come when a test says so. */
    async function filled() {
      const prepared = await prepare('own');
      const { fixture } = prepared;
      const arrived$ = new Subject<void>();
      const here: (SourceFrame | Error)[] = [];
      let isTaken: (id: string) => boolean = () => false;
      fixture.arrivals = {
        has: () => here.length > 0,
        subscribe: wake => arrived$.subscribe(wake),
        passOver: given => {
          isTaken = given;
        },
      };
      fixture.onNext = async () => {
        const next = here.shift();
        // Nobody asks while nothing has come.
        if (!next) throw new Error('nothing has come');
        if (next instanceof Error) throw next;
        return next;
      };
      const arrive = (...given: (SourceFrame | Error)[]): void => {
        here.push(...given);
        arrived$.next();
      };
      return { ...prepared, arrive, isTaken: (id: string) => isTaken(id) };
    }

    it('offers what has come at once, and waits for more without an end', async () => {
      const { fixture, run, arrive } = await filled();
      run.start(fixture.stage(run.tools));
      await run.until(() => fixture.opened === 1);
      await run.rest();
      arrive(importedFrame(0), importedFrame(1));
      await run.until(() => run.count('done') === 2);
      arrive(importedFrame(2));
      await run.until(() => run.count('done') === 3);
      expect([run.complete, run.count('alarm')]).toEqual([false, 0]);
      run.stop$.next();
      await run.until(() => run.complete);
      expect(fixture.log).toEqual(['close']);
    });

    it('knows what it has taken in also once its entry is archived, and takes it in once', async () => {
      const { world, fixture, run, arrive, isTaken } = await filled();
      const [old, fresh] = ['old', 'fresh'].map((id, i) => ({ ...importedFrame(i), id }));
      await world.manifest.offer([sampleEntry('old')]);
      run.start(fixture.stage(run.tools));
      await run.until(() => fixture.opened === 1);
      await run.rest();
      arrive(fresh!);
      await run.until(() => run.count('done') === 1);
      // The entries leave the live ones.
      world.manifest.get = () => undefined;
      expect(['old', 'fresh', 'newer'].map(isTaken)).toEqual([true, true, false]);
      arrive(old!, fresh!, { ...importedFrame(2), id: 'newer' });
      await run.until(() => run.count('done') === 2);
      await run.rest();
      expect(run.count('done')).toBe(2);
    });

    it('is alarmed when the folder goes away though nothing has come, opens it anew, and is well without any image', async () => {
      const { fixture, run, arrive } = await filled();
      run.start(fixture.stage(run.tools));
      await run.until(() => fixture.opened === 1);
      await run.rest();
      arrive(new Error('/incoming: no such folder'));
      await run.until(() => run.count('alarm') === 1);
      await run.until(() => fixture.opened === 2, 500);
      await run.until(() => run.status('collector').alarms.length === 0, 500);
      expect([run.count('alarm'), run.complete]).toEqual([1, false]);
    });
  });

  it('goes on where it was after a failure of the disk, and loses no image', async () => {
    const { world, fixture, run } = await prepare('own');
    fixture.folder(200);
    run.settings$.complete();
    let writes = 0;
    world.files.plan = ({ kind, path }) => {
      if (kind !== 'write' || !path.includes('journal')) return null;
      writes++;
      return writes > 1 && writes < 5 ? { error: 'ENOSPC' } : null;
    };
    run.start(fixture.stage(run.tools));
    await run.until(() => run.complete, 500);
    expect(run.count('alarm')).toBeGreaterThan(0);
    expect(run.status('collector').alarms).toEqual([]);
    expect([...world.manifest.entries()].map(entry => entry.camera_data!.filename).sort()).toEqual(
      Array.from({ length: 200 }, (_, i) => `img_${i}.tif`).sort(),
    );
  });

  it('takes in what came before a failure of the folder', async () => {
    const { world, fixture, run } = await prepare('own');
    let isBroken = true;
    fixture.onNext = async number => {
      if (number === 3 && isBroken) throw failure('ESTALE');
      return number < 5 ? importedFrame(number) : null;
    };
    run.settings$.complete();
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('alarm') === 1);
    expect(world.manifest.size).toBe(3);
    isBroken = false;
    await run.until(() => run.complete, 500);
    expect(run.count('done')).toBe(5);
  });

  describe('at its recorded pace', () => {
    const hour = 3600;

    it('gives each image its time, scaled', async () => {
      const { world, fixture, run } = await prepare('own', { speed: 10 });
      fixture.folder(4, number => number * 60);
      run.settings$.complete();
      run.start(fixture.stage(run.tools));
      await run.until(() => world.manifest.size === 1);
      for (let size = 1; size < 4; size++) {
        await vi.advanceTimersByTimeAsync(5999);
        await run.rest();
        expect(world.manifest.size).toBe(size);
        await vi.advanceTimersByTimeAsync(1);
        await run.until(() => world.manifest.size === size + 1);
      }
      await run.until(() => run.complete);
    });

    it('catches up after a hold-up, and keeps its pace', async () => {
      const { world, fixture, run } = await prepare('own', { speed: 1 });
      fixture.folder(4, number => number * 10);
      run.start(fixture.stage(run.tools));
      await run.until(() => world.manifest.size === 1);
      await vi.advanceTimersByTimeAsync(25_000);
      await run.until(() => world.manifest.size === 3);
      await run.rest();
      expect(world.manifest.size).toBe(3);
      await vi.advanceTimersByTimeAsync(5000);
      await run.until(() => world.manifest.size === 4);
      run.unsubscribe();
    });

    it('stops at once in the middle of an hour', async () => {
      const { world, fixture, run } = await prepare('own', { speed: 1 });
      fixture.folder(3, number => number * hour);
      run.start(fixture.stage(run.tools));
      await run.until(() => world.manifest.size === 1);
      await run.rest();
      run.stop$.next();
      await run.rest();
      expect([run.complete, fixture.open, vi.getTimerCount()]).toEqual([true, 0, 0]);
    });

    it('takes new settings at once in the middle of an hour', async () => {
      const { world, fixture, run } = await prepare('own', { speed: 1 });
      fixture.folder(3, number => number * hour);
      run.start(fixture.stage(run.tools));
      await run.until(() => world.manifest.size === 1);
      await run.rest();
      run.settings$.next({ ...collectSettings, speed: Number.POSITIVE_INFINITY });
      await run.until(() => world.manifest.size === 3);
      expect([fixture.opened, fixture.maxOpen]).toEqual([2, 1]);
      run.unsubscribe();
    });

    it('does not wait again for what it has: it goes on from there', async () => {
      const { world, fixture, run } = await prepare('own', { speed: 1 });
      fixture.folder(2, number => number * hour);
      run.start(fixture.stage(run.tools));
      await run.until(() => world.manifest.size === 2, 60_000);
      run.stop$.next();
      await run.until(() => run.complete);

      fixture.folder(4, number => number * hour);
      const again = new StageRun<CollectSettings>({ ...collectSettings, speed: 1 });
      again.start(fixture.stage(again.tools));
      await again.until(() => world.manifest.size === 3);
      await vi.advanceTimersByTimeAsync(hour * 1000);
      await again.until(() => world.manifest.size === 4);
      again.unsubscribe();
    });

    it('waits longer than a timer can', async () => {
      const { world, fixture, run } = await prepare('own', { speed: 1 });
      fixture.folder(2, number => number * 60 * 24 * hour);
      run.start(fixture.stage(run.tools));
      await run.until(() => world.manifest.size === 1);
      await vi.advanceTimersByTimeAsync(60 * 24 * hour * 1000 - 1);
      await run.rest();
      expect(world.manifest.size).toBe(1);
      await vi.advanceTimersByTimeAsync(1);
      await run.until(() => world.manifest.size === 2);
      run.unsubscribe();
    });
  });

  it('adds nothing twice that was there under the same id', async () => {
    const { world, fixture, run } = await prepare('own');
    fixture.folder(1);
    run.settings$.complete();
    run.start(fixture.stage(run.tools));
    await run.until(() => run.complete);
    const [entry] = [...world.manifest.entries()];
    await world.manifest.offer([sampleEntry(entry!.entry_id)]);
    expect(world.manifest.size).toBe(1);
    expect(world.get(entry!.entry_id).camera_data!.filename).toBe('img_0.tif');
  });
});
