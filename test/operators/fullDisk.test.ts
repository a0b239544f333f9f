import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concat, NEVER, of, take } from 'rxjs';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultConfig } from '../../src/config/defaultConfig.ts';
import { parseAmount } from '../../src/config/kinds/amount.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { filesWithReserve, ReserveFile, reservePiece } from '../../src/files/reserveFile.ts';
import { wrapFiles, wrapOpenFile } from '../../src/files/wrapFiles.ts';
import { FreshFrames } from '../../src/image/freshFrames.ts';
import { isSettled } from '../../src/manifest/isSettled.ts';
import { isJournal } from '../../src/manifest/journal.ts';
import { Manifest } from '../../src/manifest/manifest.ts';
import type { WorkRules } from '../../src/manifest/workRules.ts';
import type { SourceFrame } from '../../src/model/frame.ts';
import { localIso, utcIso } from '../../src/model/localTime.ts';
import type { CollectSettings } from '../../src/operators/collector/captureStage.ts';
import { collector } from '../../src/operators/collector/collector.ts';
import { type RingBufferSettings, ringBuffer } from '../../src/operators/ringBuffer/ringBuffer.ts';
import { runStage } from '../../src/operators/stage/runStage.ts';
import { diskSpace$, measureSpace } from '../../src/streams/disk/spaceOnDisk.ts';
import { openSimulatedSensor } from '../../src/streams/sensors/simulatedSensor.ts';
import { collectSettings } from '../world/collectorFixture.ts';
import { useStillTime } from '../world/eventRun.ts';
import { exclusiveHere } from '../world/exclusiveHere.ts';
import { copyNamed, ringBufferSettings } from '../world/ringBufferFixture.ts';
import { identity, sampleEntry } from '../world/sampleManifest.ts';
import { StageRun } from '../world/stageRun.ts';

let disk: string;

function mount(): boolean {
  return process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk]).status === 0;
}

async function mayMount(): Promise<boolean> {
  disk = await mkdtemp(join(tmpdir(), 'phorest-full-'));
  const isMounted = mount();
  if (isMounted) spawnSync('umount', [disk]);
  await rm(disk, { recursive: true });
  return isMounted;
}

const side = 340;
/** Of an image. */
const imageBytes = 2 * side * side;

/** About 230 kB that do not shrink; of 16 bits, since sharp tells when it is at work, and time stands still then. */
function noise(number: number): SourceFrame {
  const data = randomFillSync(new Uint16Array(side * side));
  const now = Date.now() + number / 1000;
  return {
    kind: 'captured',
    pixels: { width: side, height: side, depth: 16, data },
    taken: { local: localIso(now), utc: utcIso(now), source: 'camera' },
    cameraIndex: 0,
  };
}

const settings: CollectSettings = { ...collectSettings, intervalMs: 2500 };
const rules: WorkRules = { compression: false, sync: true };

describe.skipIf(!(await mayMount()))('a real disk that fills (needs root, for a tmpfs)', () => {
  beforeEach(async () => {
    useStillTime();
    disk = await mkdtemp(join(tmpdir(), 'phorest-full-'));
    expect(mount()).toBe(true);
  });
  afterEach(async () => {
    vi.useRealTimers();
    spawnSync('umount', ['-l', disk]);
    await rm(disk, { recursive: true });
  });

  /** @param samples whether free space is looked at from time to time too, and not only before each image. */
  async function pipeline({ samples = true, minFree = parseAmount('600 kB')!, pieces = 0 } = {}) {
    const dataFolder = join(disk, 'data');
    /** Calls of the disk that are on their way: time stands still for them. */
    let atWork = 0;
    const around = async <R>(call: () => Promise<R>): Promise<R> => {
      atWork++;
      try {
        return await call();
      } finally {
        atWork--;
      }
    };
    const files = wrapFiles(
      nodeFiles,
      (_call, run) => around(run),
      file => wrapOpenFile(file, around),
    );
    await nodeFiles.makeFolder(dataFolder);
    const capture = new StageRun<CollectSettings>(settings);
    const buffer = new StageRun<RingBufferSettings>({ ...ringBufferSettings, size: 1000, minFree, rules, dataFolder });
    for (const run of [capture, buffer]) run.isBusy = () => atWork > 0;
    const manifestFile = join(dataFolder, 'metadata_manifest.json');
    const reserve = new ReserveFile(nodeFiles, join(dataFolder, 'metadata_manifest.reserve'));
    await reserve.fill(pieces * reservePiece);
    const manifest = await Manifest.open({
      file: manifestFile,
      files: filesWithReserve(files, reserve, path => isJournal(path, manifestFile)),
      exclusive: exclusiveHere(),
      clock: capture.tools.clock,
      own: identity(1),
      liveness: () => 'alive',
      liveEntries: 4,
      isSettled: entry => isSettled(entry, rules),
      rules: () => rules,
      writer: 'w',
      note: () => undefined,
    });
    const space$ = diskSpace$(() => measureSpace(dataFolder));
    const roomSpace$ = samples ? space$ : concat(space$.pipe(take(1)), NEVER);
    let number = 0;
    const { Buffer, ...config } = defaultConfig();
    capture.start(
      runStage(
        collector,
        {
          tools: capture.tools,
          queue: manifest,
          archive: manifest.archive,
          files,
          paths: { data: dataFolder, brightfield: dataFolder },
          replay: null,
          runId: 'run',
          runStarted: Date.UTC(2100, 0),
          bootId: 'boot',
          clockSynced: () => true,
          freeCameras: () => undefined,
          openSource: async () => ({
            pace: 'triggered',
            total: null,
            next: async () => noise(number++),
            close: async () => undefined,
          }),
          openSensor: id => openSimulatedSensor(id, capture.tools.clock),
          space$: roomSpace$,
          measureSpace: () => measureSpace(dataFolder),
          waitingImage: { bytes: 0 },
          freshFrames: new FreshFrames(0, () => false),
          isAlive: () => false,
          note: () => undefined,
        },
        {
          ...capture.tools,
          config$: of({ ...config, Buffer: { ...Buffer, min_free_disk: minFree, image_buffer_size: 1000 } }),
        },
      ),
    );
    buffer.start(
      runStage(
        ringBuffer,
        {
          tools: buffer.tools,
          queue: manifest,
          archive: manifest.archive,
          files,
          measureSpace: () => measureSpace(dataFolder),
          waitingImage: { bytes: 0 },
          space$,
          restoreLock: exclusiveHere(),
          note: () => undefined,
        },
        buffer.tools,
      ),
    );
    /** The processor, the communicator and, where the share is there, the syncer. */
    const finish = async (isShareThere: boolean): Promise<void> => {
      await manifest.settle(await manifest.claim('processor', 1000), 'processor', { processing_status: 'processed' });
      await manifest.settle(await manifest.claim('communicator', 1000), 'communicator', { data_transmitted: true });
      // Those that were archived meanwhile come back a few at a time.
      while (isShareThere && manifest.waiting('syncer') > 0) {
        for (const entry of await manifest.claim('syncer', 1000)) {
          const copy = copyNamed(entry.camera_data!.filename);
          await manifest.settle([entry], 'syncer', { image_synced: true, remote_copy: copy });
        }
        await capture.rest();
      }
    };
    const end = async (): Promise<void> => {
      for (const run of [capture, buffer]) run.stop$.next();
      await capture.until(() => capture.complete && buffer.complete, 10);
      // As the pipeline does: what was cut off may still be recorded.
      await Promise.all([capture.putAway(), buffer.putAway()]);
      await manifest.close({ compact: true });
    };
    /** Every acknowledged image is there and whole, or its entry says that it is gone and was copied. */
    const mustBeWhole = async (): Promise<{ here: number; gone: number }> => {
      const live = [...manifest.entries()];
      const known = new Map<string, (typeof live)[number]>();
      for await (const entry of manifest.archive.entries()) known.set(entry.entry_id, entry);
      for (const entry of live) known.set(entry.entry_id, entry);
      const folder = join(dataFolder, (await readdir(dataFolder)).find(name => /^\d{8}$/.test(name))!);
      const names = new Set(await readdir(folder));
      for (const entry of known.values()) {
        const { filename } = entry.camera_data!;
        expect(names.has(filename)).toBe(entry.image_local !== false);
        if (entry.image_local === false) expect(entry.image_synced).toBe(true);
        else expect((await sharp(join(folder, filename)).metadata()).width).toBe(side);
      }
      // Time runs faster here than the disk: a frame whose writing took half a minute of it is there, and was not told.
      const told = capture.events.flatMap(event => (event.kind === 'done' ? [event.entryId] : []));
      expect([...known.keys()]).toEqual(expect.arrayContaining(told));
      return { here: names.size, gone: known.size - names.size };
    };
    return { dataFolder, capture, buffer, manifest, reserve, finish, end, mustBeWhole };
  }

  /** Another program takes all that is free. */
  async function fillTheRest(): Promise<string> {
    const filler = join(disk, 'filler');
    const file = await open(filler, 'w');
    while (
      await file.write(Buffer.alloc(4096)).then(
        ({ bytesWritten }) => bytesWritten === 4096,
        () => false,
      )
    );
    await file.close();
    return filler;
  }

  it('pauses capture while the share is away, and goes on by itself once images may go', async () => {
    const { capture, buffer, finish, end, mustBeWhole, dataFolder } = await pipeline();
    const isPaused = (): boolean => capture.told.lastIndexOf('paused') > capture.told.lastIndexOf('running');
    await capture.until(() => isPaused(), 250);
    await finish(false);
    // Another may have been recorded since: time runs faster here than the disk.
    const words = /Nothing may be deleted: (?:.*, )?\d+ images wait for the share$/;
    const isSaid = (): boolean => capture.events.some(event => event.kind === 'alarm' && words.test(event.message));
    await capture.until(isSaid, 1000);
    expect([buffer.count('done'), capture.status('collector').alarms]).toEqual([0, ['no_room']]);
    expect((await measureSpace(dataFolder))!.free).toBeGreaterThan(50_000);
    const taken = capture.count('done');
    expect(capture.count('discarded')).toBeGreaterThan(20);

    for (let rounds = 0; rounds < 3; rounds++) {
      const wanted = capture.count('done') + 4;
      await finish(true);
      await capture.until(() => !isPaused(), 250);
      await capture.until(() => capture.count('done') >= wanted || isPaused(), 250);
    }
    expect(capture.count('done')).toBeGreaterThan(taken);
    expect(buffer.count('done')).toBeGreaterThan(0);
    await end();
    expect((await mustBeWhole()).gone).toBeGreaterThanOrEqual(buffer.count('done'));
  });

  it('is never filled by images, however many come between two looks at it', async () => {
    const { capture, end, mustBeWhole, dataFolder } = await pipeline({ samples: false, minFree: parseAmount('0 GB')! });
    await capture.until(() => capture.told.includes('alarm no_room'), 1000);
    await capture.until(() => capture.told.at(-1) === 'paused' || capture.told.at(-1)?.startsWith('discarded'), 10);
    const { free, size } = (await measureSpace(dataFolder))!;
    expect(free).toBeGreaterThanOrEqual(size * 0.01);
    expect(free).toBeLessThan(size * 0.01 + imageBytes * 1.1);
    expect(capture.count('done')).toBeGreaterThan(6);
    expect(capture.told.filter(told => told.startsWith('alarm'))).toEqual(['alarm no_room']);
    await end();
    // The last one was kept: no other image will come, so that it may take of the reserve what the others leave.
    expect((await mustBeWhole()).gone).toBe(0);
  });

  it.each([
    ['frees itself: what has to be recorded for that has a reserve', 4, true],
    ['needs a person without the reserve', 0, false],
  ])('that another program has filled to the last byte %s', async (_, pieces, isFreed) => {
    const { capture, buffer, manifest, reserve, finish, end } = await pipeline({ pieces });
    await capture.until(() => capture.count('done') >= 6, 250);
    await finish(true);
    await fillTheRest();
    const lengthOf = async (): Promise<number> => (await nodeFiles.stat(reserve.path))?.size ?? 0;
    // What is left of the journal's last page is used up first.
    const offer = (i: number): Promise<boolean> =>
      manifest.offer([sampleEntry(`x${i}`, { camera_data: null, processing_status: 'skip' })]).then(
        () => true,
        () => false,
      );
    for (let i = 0; (await offer(i)) && (await lengthOf()) === pieces * reservePiece; i++);
    if (isFreed) {
      await capture.until(() => buffer.count('done') >= 2, 250);
      const taken = capture.count('done');
      await capture.until(() => capture.count('done') > taken, 250);
      expect(await lengthOf()).toBeLessThan(pieces * reservePiece);
      expect(buffer.status('ring_buffer').alarms).toEqual([]);
    } else {
      await capture.until(() => buffer.told.includes('alarm ENOSPC'), 250);
      await vi.advanceTimersByTimeAsync(60_000);
      await buffer.rest();
      expect(buffer.count('done')).toBe(0);
      await rm(join(disk, 'filler'));
    }
    await end();
  });

  it('that another program has filled to the last byte loses nothing, and is well when that is over', async () => {
    const { capture, end, mustBeWhole } = await pipeline();
    await capture.until(() => capture.count('done') >= 2, 250);
    const filler = await fillTheRest();
    await capture.until(() => capture.told.includes('alarm no_room'), 100);
    await vi.advanceTimersByTimeAsync(30_000);
    const taken = capture.count('done');
    await rm(filler);
    await capture.until(() => capture.count('done') > taken + 2, 250);
    expect(capture.status('collector')).toMatchObject({ alarms: [], lost: 0, failed: 0 });
    await end();
    expect((await mustBeWhole()).gone).toBe(0);
  });
});
