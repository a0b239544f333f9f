import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { nodeFiles } from '../../src/files/files.ts';
import { isSettled } from '../../src/manifest/isSettled.ts';
import { Manifest } from '../../src/manifest/manifest.ts';
import { runStage } from '../../src/operators/stage/runStage.ts';
import { type SyncSettings, syncer } from '../../src/operators/syncer/syncer.ts';
import { useStillTime } from '../world/eventRun.ts';
import { sampleEntry, sampleOptions } from '../world/sampleManifest.ts';
import { StageRun } from '../world/stageRun.ts';
import { syncRules, syncSettings } from '../world/syncerWorld.ts';
import { injected, ShareWorld } from './shareWorld.ts';

/** The stage on real files, with real processes for the share. */
class World extends ShareWorld {
  readonly data = join(this.folder, 'data');
  readonly day = join(this.data, '20250724');
  readonly table = join(this.folder, 'results', 'communicating_results.csv');
  readonly notes: string[] = [];
  manifest!: Manifest;
  run!: StageRun<SyncSettings>;

  async start(): Promise<void> {
    for (const folder of [this.day, join(this.folder, 'flags'), join(this.folder, 'results')]) {
      mkdirSync(folder, { recursive: true });
    }
    const file = join(this.data, 'metadata_manifest.json');
    this.manifest = await Manifest.open(
      sampleOptions(nodeFiles, {
        file,
        rules: () => syncRules,
        isSettled: entry => isSettled(entry, syncRules),
      }),
    );
    this.run = new StageRun<SyncSettings>({
      ...syncSettings,
      remoteRoot: this.root,
      dataFolder: this.data,
      flagsFolder: join(this.folder, 'flags'),
      places: [
        { local: file, remote: 'data/metadata_manifest.json' },
        { local: join(this.folder, 'results'), remote: 'results' },
      ],
    });
    const { shares } = this;
    this.run.start(
      runStage(
        syncer,
        {
          tools: this.run.tools,
          queue: this.manifest,
          archive: this.manifest.archive,
          files: nodeFiles,
          shares: {
            abandoned: 0,
            open: options => shares.open({ ...options, filesModule: injected }),
          },
          note: (_level, message) => this.notes.push(message),
        },
        this.run.tools,
      ),
    );
  }

  async offer(...ids: string[]): Promise<void> {
    for (const id of ids) writeFileSync(join(this.day, `image_${id}.png`), `pixels of ${id}`);
    const camera = { ...sampleEntry('').camera_data!, filepath: this.day };
    await this.manifest.offer(
      ids.map(id =>
        sampleEntry(id, {
          processing_status: 'processed',
          data_transmitted: true,
          camera_data: { ...camera, filename: `image_${id}.png` },
        }),
      ),
    );
  }

  synced(): number {
    return [...this.manifest.entries()].filter(entry => entry.image_synced).length;
  }

  copy(path: string): string {
    return readFileSync(this.remote(path), 'utf8');
  }

  /** Lets the wait after the last alarm pass, and not more: a process needs real time to start. */
  async passWait(): Promise<void> {
    const alarm = this.run.events.findLast(event => event.kind === 'alarm')!;
    await vi.advanceTimersByTimeAsync(Math.ceil(alarm.kind === 'alarm' ? alarm.retryInMs : 0));
  }

  /** What is seen first, while a folder goes, may be another alarm. */
  async waitFor(alarm: string): Promise<void> {
    const alarms = (): string[] => this.run.status('syncer').alarms;
    for (let raised = this.run.count('alarm'); !alarms().includes(alarm); raised = this.run.count('alarm')) {
      if (alarms().length > 0) await this.passWait();
      await this.run.until(() => alarms().includes(alarm) || this.run.count('alarm') > raised);
    }
  }
}

let world: World;
beforeEach(() => {
  useStillTime();
  world = new World();
});
afterEach(async () => {
  world.run.unsubscribe();
  await world.run.putAway();
  await world.manifest.close({ compact: false });
  vi.useRealTimers();
  await world.close();
});

it('goes on by itself when the share has gone, hangs, or comes back as it was earlier', async () => {
  await world.start();
  const { run, root, table } = world;
  writeFileSync(table, 'a,b\n1,2\n');
  await world.offer('a', 'b');
  await run.until(() => world.synced() === 2);
  await run.until(() => existsSync(world.remote('results/communicating_results.csv')));
  await run.until(() => run.status('syncer').in_flight === 0);
  cpSync(root, join(world.folder, 'earlier'), { recursive: true, preserveTimestamps: true });
  await world.offer('c');
  await run.until(() => world.synced() === 3);

  // Unmounted: its mount point is an empty folder.
  renameSync(root, join(world.folder, 'unmounted'));
  mkdirSync(root);
  await world.offer('d', 'e');
  await world.waitFor('ESHARENOTMOUNTED');
  expect(world.synced()).toBe(3);

  // Back, as it was earlier.
  writeFileSync(table, 'a,b\n1,2\n3,4\n');
  rmSync(root, { recursive: true });
  renameSync(join(world.folder, 'earlier'), root);
  await world.passWait();
  await run.until(() => world.synced() === 5);
  await run.until(() => world.notes.length > 0);
  expect(world.notes).toEqual([expect.stringContaining('lost 1 image')]);
  expect(world.copy('data/20250724/image_c.png')).toBe('pixels of c');
  expect(world.copy('results/communicating_results.csv')).toBe('a,b\n1,2\n3,4\n');
  expect(run.status('syncer').alarms).toEqual([]);

  // A call that never returns.
  world.fault({ calls: ['rename'] });
  await world.offer('f');
  const isAsked = (): boolean => readdirSync(world.remote('data/20250724')).some(name => name.endsWith('.part'));
  await run.until(isAsked);
  await vi.advanceTimersByTimeAsync(syncSettings.deadlineMs + 1000);
  await world.waitFor('ESHAREHUNG');
  world.fault(null);
  await world.passWait();
  await run.until(() => world.synced() === 6);
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f'])
    expect(world.copy(`data/20250724/image_${id}.png`)).toBe(`pixels of ${id}`);
  expect([run.status('syncer').failed, run.status('syncer').lost]).toEqual([0, 0]);
});

it('stops within its patience while the share hangs, and leaves no claim', async () => {
  await world.start();
  const { run } = world;
  await world.offer('a');
  await run.until(() => world.synced() === 1);
  await run.rest();
  world.fault({});
  await world.offer('b');
  await run.until(() => run.status('syncer').in_flight === 1);
  run.stop$.next();
  await run.until(() => run.complete, 100);
  await run.putAway();
  expect([world.manifest.get('b')?.claims, world.manifest.waiting('syncer')]).toEqual([{}, 1]);
});
