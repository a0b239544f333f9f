import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { of } from 'rxjs';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseAmount } from '../../src/config/kinds/amount.ts';
import { isSettled } from '../../src/manifest/isSettled.ts';
import { Manifest } from '../../src/manifest/manifest.ts';
import type { WorkRules } from '../../src/manifest/workRules.ts';
import type { SourceFrame } from '../../src/model/frame.ts';
import { localIso, utcIso } from '../../src/model/localTime.ts';
import { type CollectSettings, collect } from '../../src/operators/collect.ts';
import { noRoom$ } from '../../src/operators/noRoom.ts';
import { type RingBufferSettings, ringBuffer } from '../../src/operators/ringBuffer.ts';
import { nodeFiles } from '../../src/storage/files.ts';
import { diskSpace$, measureSpace } from '../../src/streams/diskSpace.ts';
import { identity } from '../manifest/sampleManifest.ts';
import { exclusiveHere } from '../sinks/exclusiveHere.ts';
import { collectSettings } from './collectBench.ts';
import { useStillTime } from './eventRun.ts';
import { ringBufferSettings } from './ringBufferBench.ts';
import { StageRun } from './stageRun.ts';

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

const side = 480;

/** About 230 kB that do not shrink. */
function noise(number: number): SourceFrame {
  const data = randomFillSync(new Uint8Array(side * side));
  const now = Date.now() + number / 1000;
  return {
    kind: 'captured',
    pixels: { width: side, height: side, depth: 8, data },
    taken: { local: localIso(now), utc: utcIso(now), source: 'camera' },
    cameraIndex: 0,
  };
}

const settings: CollectSettings = { ...collectSettings, intervalMs: 2500 };
const rules: WorkRules = { compression: false, sync: true };
const minFree = parseAmount('600 kB')!;

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

  async function pipeline() {
    const dataFolder = join(disk, 'data');
    await nodeFiles.makeFolder(dataFolder);
    const capture = new StageRun<CollectSettings>(settings);
    const buffer = new StageRun<RingBufferSettings>({ ...ringBufferSettings, size: 1000, minFree, rules, dataFolder });
    const manifest = await Manifest.open({
      file: join(dataFolder, 'metadata_manifest.json'),
      files: nodeFiles,
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
    let number = 0;
    capture.start(
      collect({
        tools: capture.tools,
        manifest,
        files: nodeFiles,
        dataFolder,
        runId: 'run',
        bootId: 'boot',
        clockSynced: () => true,
        openSource: async () => ({
          pace: 'triggered',
          next: async () => noise(number++),
          close: async () => undefined,
        }),
        noRoom$: noRoom$({
          space$,
          wanted$: of({ minFree, keepsAll: false }),
          manifest,
          clock: capture.tools.clock,
          dataFolder,
        }),
      }),
    );
    buffer.start(
      ringBuffer({
        tools: buffer.tools,
        manifest,
        files: nodeFiles,
        measureSpace: () => measureSpace(dataFolder),
        space$,
        restoring: exclusiveHere(),
        note: () => undefined,
      }),
    );
    /** The processor, the communicator and, where the share is there, the syncer. */
    const finish = async (isShareThere: boolean): Promise<void> => {
      await manifest.settle(await manifest.claim('processor', 1000), 'processor', { processing_status: 'processed' });
      await manifest.settle(await manifest.claim('communicator', 1000), 'communicator', { data_transmitted: true });
      if (isShareThere) await manifest.settle(await manifest.claim('syncer', 1000), 'syncer', { image_synced: true });
    };
    const end = async (): Promise<void> => {
      for (const run of [capture, buffer]) run.stop$.next();
      await capture.until(() => capture.complete && buffer.complete, 10);
      await manifest.close({ fold: true });
    };
    /** Every acknowledged image is there and whole, or its entry says that it is gone and was copied. */
    const mustBeWhole = async (): Promise<{ here: number; gone: number }> => {
      const live = [...manifest.entries()];
      const known = new Map<string, (typeof live)[number]>();
      for await (const entry of manifest.archived()) known.set(entry.entry_id, entry);
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
    return { dataFolder, capture, buffer, manifest, finish, end, mustBeWhole };
  }

  it('pauses capture while the share is away, and goes on by itself once images may go', async () => {
    const { capture, buffer, finish, end, mustBeWhole, dataFolder } = await pipeline();
    const isPaused = (): boolean => capture.told.lastIndexOf('paused') > capture.told.lastIndexOf('running');
    await capture.until(() => isPaused(), 250);
    await finish(false);
    const isSaid = (): boolean =>
      capture.events.some(
        event => event.kind === 'alarm' && /Nothing may be deleted: \d+ images wait for the share$/.test(event.message),
      );
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

  it('that another program has filled to the last byte loses nothing, and is well when that is over', async () => {
    const { capture, end, mustBeWhole } = await pipeline();
    await capture.until(() => capture.count('done') >= 2, 250);
    const filler = join(disk, 'filler');
    const file = await open(filler, 'w');
    while (
      await file.write(Buffer.alloc(4096)).then(
        ({ bytesWritten }) => bytesWritten === 4096,
        () => false,
      )
    );
    await file.close();
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
