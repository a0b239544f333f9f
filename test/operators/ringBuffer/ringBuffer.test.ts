import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseAmount } from '../../../src/config/kinds/amount.ts';
import { archiveFolder, writeSegment } from '../../../src/manifest/archive.ts';
import { isSettled } from '../../../src/manifest/isSettled.ts';
import type { WorkRules } from '../../../src/manifest/workRules.ts';
import type { Entry } from '../../../src/model/entry.ts';
import type { RingBufferSettings } from '../../../src/operators/ringBuffer/ringBuffer.ts';
import { namesLimits, spaceLimits } from '../../../src/operators/ringBuffer/spaceLimits.ts';
import { useStillTime } from '../../world/eventRun.ts';
import { atEveryCrash, FaultyFiles } from '../../world/faultyFiles.ts';
import { PipelineWorld } from '../../world/pipelineWorld.ts';
import {
  copyNamed,
  day,
  imageOf,
  RingBufferFixture,
  ringBufferSettings,
  rules,
} from '../../world/ringBufferFixture.ts';
import { manifestFile, sampleEntry } from '../../world/sampleManifest.ts';
import { StageRun } from '../../world/stageRun.ts';

beforeEach(useStillTime);
afterEach(() => {
  vi.useRealTimers();
});

const names = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => `e${String(i + from).padStart(6, '0')}`);

async function prepare(
  settings: Partial<RingBufferSettings> = {},
  {
    files,
    liveEntries = 5000,
    ...process
  }: { files?: FaultyFiles; liveEntries?: number; pid?: number; dead?: number[] } = {},
) {
  const all = { ...ringBufferSettings, ...settings };
  let present: WorkRules = all.rules;
  const world = await PipelineWorld.open(files, {
    ...process,
    manifest: { rules: () => present, isSettled: entry => isSettled(entry, present), liveEntries },
  });
  const fixture = new RingBufferFixture(world);
  const run = new StageRun<RingBufferSettings>(all);
  const setRules = async (now: WorkRules): Promise<void> => {
    present = now;
    await world.manifest.rulesChanged();
    run.settings$.next({ ...all, rules: now });
  };
  return { world, fixture, run, setRules, start: () => run.start(fixture.stage(run.tools)) };
}

/** Everything that was asked for has happened: nothing is in flight, and nothing changes any more. */
async function settled({ run, fixture }: Pick<Awaited<ReturnType<typeof prepare>>, 'run' | 'fixture'>): Promise<void> {
  let before = -1;
  for (let turns = 0; before !== run.events.length || fixture.world.claimed('ring_buffer').length > 0; turns++) {
    if (turns > 300) throw new Error(`It does not come to rest: ${run.told.slice(-20).join(', ')}`);
    before = run.events.length;
    // A segment is packed by another thread, whose time does not stand still, while the manifest waits for it.
    await fixture.world.manifest.catchUp().catch(() => undefined);
    await run.rest();
  }
}

/** Every entry as it is now: live wins, and what moves to the archive meanwhile is there. */
async function everything(manifest: PipelineWorld['manifest']): Promise<Map<string, Entry>> {
  const live = [...manifest.entries()];
  const known = new Map<string, Entry>();
  for await (const entry of manifest.archive.entries()) known.set(entry.entry_id, entry);
  for (const entry of live) known.set(entry.entry_id, entry);
  return known;
}

describe('the ring buffer by count', () => {
  it('keeps an image whose copy on the share is empty, gone or can not be asked for, until it is whole again', async () => {
    const it = await prepare({ size: 1, rules: rules({ sync: true }) });
    const [first, second, third] = names(3) as [string, string, string];
    await it.fixture.offerSettled([first, second, third], { image_synced: true });
    await it.fixture.mountShare(false);
    it.start();
    await settled(it);
    expect(it.fixture.removed()).toEqual([]);
    expect(it.fixture.notes).toEqual([expect.stringMatching(/3 newest copies are whole.*\/share is not there/)]);
    // The first is whole and the second was emptied by a power cut.
    await it.fixture.mountShare(true);
    it.fixture.copy(first);
    it.fixture.copy(second, 0);
    await vi.advanceTimersByTimeAsync(70_000);
    await settled(it);
    expect(it.fixture.removed()).toEqual([first]);
    expect(it.fixture.notes.at(-1)).toMatch(/2 copies on \/share are not whole/);
    it.fixture.copy(second);
    await vi.advanceTimersByTimeAsync(70_000);
    await settled(it);
    expect(it.fixture.removed()).toEqual([first, second]);
    it.run.stop$.next();
    await it.run.until(() => it.run.complete);
    expect(it.fixture.openShares).toBe(0);
  });

  it('removes what was copied since the start while a share that hangs confirms nothing, and says so once', async () => {
    const it = await prepare({ size: 3, rules: rules({ sync: true }) });
    await it.fixture.offerSettled(names(3), { image_synced: true });
    await it.fixture.mountShare(true);
    const { promise: answer, resolve } = Promise.withResolvers<void>();
    it.fixture.answer = answer;
    it.start();
    await settled(it);
    await it.fixture.offerSettled(names(3, 3));
    await settled(it);
    expect(it.fixture.removed()).toEqual([]);
    for (const entry of await it.world.manifest.claim('syncer', 3))
      await it.world.manifest.settle([entry], 'syncer', {
        image_synced: true,
        remote_copy: it.fixture.copy(entry.entry_id),
      });
    await settled(it);
    expect(it.fixture.removed()).toEqual(names(3, 3));
    resolve();
    await settled(it);
    // None of the copies from before the start is there.
    expect(it.fixture.notes).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200_000);
    await settled(it);
    expect(it.fixture.notes).toEqual([expect.stringMatching(/3 copies on \/share are not whole/)]);
    it.run.unsubscribe();
  });

  it.each([
    ['nothing of it', undefined],
    ['a word', 'x'],
    ['a path out of the share', { path: '../../priv/image_e000000.png', size: 6, sha256: 'x' }],
    ['the copy of another image', copyNamed('image_e000001.png')],
    ['an empty copy', { ...copyNamed('image_e000000.png'), size: 0 }],
  ])(
    'gives an image to the syncer again whose entry says that it was copied, and of the copy %s',
    async (_what, copy) => {
      const it = await prepare({ size: 2, rules: rules({ sync: true }) });
      await it.fixture.offerSettled(['e000000'], { image_synced: true, remote_copy: copy });
      await it.fixture.offerSettled(names(3, 1), { image_synced: true });
      it.start();
      await it.run.until(() => it.fixture.removed().length === 2);
      await settled(it);
      expect(it.fixture.removed()).toEqual(names(2, 1));
      const [entry] = await it.world.manifest.claim('syncer', 9);
      expect(entry!.entry_id).toBe('e000000');
      await it.world.manifest.settle([entry!], 'syncer', {
        image_synced: true,
        remote_copy: it.fixture.copy('e000000'),
      });
      await it.fixture.offerSettled(['z'], { image_synced: true });
      await it.run.until(() => it.fixture.removed().length === 3);
      expect(it.fixture.removed()).toContain('e000000');
      it.run.unsubscribe();
    },
  );

  it('keeps the newest images, and says of the others that they are gone', async () => {
    const it = await prepare({ size: 3 });
    for (const id of names(8))
      await it.fixture.offerSettled([id], { image_synced: true, remote_copy: copyNamed(`image_${id}~0123abcd.png`) });
    it.start();
    await it.run.until(() => it.run.count('done') === 5);
    await settled(it);
    expect(it.fixture.images()).toEqual(names(3, 5).map(imageOf));
    expect(it.fixture.removed()).toEqual(names(5));
    expect(it.world.get('e000000')).toMatchObject({
      image_local: false,
      claims: {},
      camera_data: { filepath: '/share/data/20250724', filename: 'image_e000000~0123abcd.png', original: false },
    });
    expect(it.run.events.find(event => event.kind === 'done')).toMatchObject({
      detail: { image: 'image_e000000.png', bytes: 6 },
    });
    // One more, and the oldest goes.
    await it.fixture.offerSettled(['z']);
    await it.run.until(() => it.run.count('done') === 6);
    expect(it.fixture.images()).toHaveLength(3);
    it.run.unsubscribe();
  });

  it('leaves the folder as it was in the entry when there is no copy on the share', async () => {
    const it = await prepare({ size: 1 });
    await it.fixture.offerSettled(names(2));
    it.start();
    await it.run.until(() => it.run.count('done') === 1);
    expect(it.world.get('e000000').camera_data!.filepath).toBe(day);
    it.run.unsubscribe();
  });

  it('keeps all with 0, and is off when no space is to be kept free either', async () => {
    const it = await prepare({ size: 0 });
    await it.fixture.offerSettled(names(5));
    it.start();
    await settled(it);
    expect([it.run.told, it.fixture.images().length]).toEqual([['off'], 5]);
    it.run.unsubscribe();
  });

  const spared: [string, Partial<Entry>, Partial<WorkRules>][] = [
    ['waits to be analysed', { processing_status: 'pending' }, {}],
    ['was not reported', { data_transmitted: false }, {}],
    ['was not copied, while copying is on', {}, { sync: true }],
    ['was not compressed, while that is on', { image_synced: true }, { sync: true, compression: true }],
    ['is an original', { camera_data: { ...sampleEntry('x').camera_data!, original: true } }, {}],
    [
      'is claimed by another stage',
      { claims: { syncer: { host: 'pi', boot_id: 'boot', pid: 9, pid_start: 9, time: '' } } },
      {},
    ],
  ];
  it.each(spared)('never removes an image that %s', async (_what, set, given) => {
    const it = await prepare({ size: 1, rules: rules(given) });
    await it.fixture.offerSettled(['x', 'y', 'z'], set);
    it.start();
    await settled(it);
    expect([it.fixture.images().length, it.run.count('claimed')]).toEqual([3, 0]);
    it.run.unsubscribe();
  });

  it('removes what had to wait once it need not any more', async () => {
    const it = await prepare({ size: 1, rules: rules({ sync: true }) });
    await it.fixture.offerSettled(names(3));
    it.start();
    await settled(it);
    expect(it.run.count('done')).toBe(0);
    const [first] = await it.world.manifest.claim('syncer', 1);
    await it.world.manifest.settle([first!], 'syncer', {
      image_synced: true,
      remote_copy: copyNamed(first!.camera_data!.filename),
    });
    await it.run.until(() => it.run.count('done') === 1);
    await it.setRules(rules({}));
    await it.run.until(() => it.run.count('done') === 2);
    expect(it.fixture.images()).toEqual([imageOf('e000002')]);
    it.run.unsubscribe();
  });

  it('touches nothing outside the data folder, and no file that no entry names', async () => {
    const it = await prepare({ size: 1 });
    const at = (filepath: string, filename: string): Partial<Entry> => ({
      camera_data: { ...sampleEntry('x').camera_data!, filepath, filename },
    });
    it.world.files.put('/share/data/20250724/moved.png', 'on the share');
    it.world.files.put('/etc/passwd', 'secret');
    it.world.files.put(`${day}/unknown.png`, 'nobody knows it');
    await it.fixture.offerSettled(['a'], at('/share/data/20250724', 'moved.png'));
    await it.fixture.offerSettled(['b'], at('/root/data', '../../etc/passwd'));
    await it.fixture.offerSettled(['c'], at('/', 'etc'));
    await it.fixture.offerSettled(['d'], at('/before/data/20250724', 'image_d.png'));
    await it.fixture.offerSettled(['e']);
    it.start();
    await it.run.until(() => it.fixture.removed().length === 4);
    expect(it.world.files.paths()).toEqual(
      expect.arrayContaining(['/share/data/20250724/moved.png', '/etc/passwd', `${day}/unknown.png`, imageOf('e')]),
    );
    expect(it.world.get('a').camera_data!.filepath).toBe('/share/data/20250724');
    // The root stands elsewhere now: its image is found by its day.
    expect(it.world.files.content(imageOf('d'))).toBe(null);
    it.run.unsubscribe();
  });

  it('spares an image that somebody set back by hand after it was claimed', async () => {
    const it = await prepare({ size: 1 });
    await it.fixture.offerSettled(names(2));
    // Between the claim and the removal, as another process would through the journal.
    const other = await prepare({}, { files: it.world.files.twin(), pid: 2 });
    let edited = false;
    it.world.files.gate = async (call, path) => {
      if (call !== 'stat' || path !== imageOf('e000000') || edited) return;
      edited = true;
      await other.world.manifest.catchUp();
      const entries = JSON.parse(it.world.files.content(manifestFile)!.toString()) as Entry[];
      entries[0]!.processing_status = 'pending';
      it.world.files.put(manifestFile, JSON.stringify(entries));
      await other.world.manifest.catchUp();
      await it.world.manifest.catchUp();
    };
    await it.world.manifest.compact();
    it.start();
    await it.run.until(() => it.run.count('discarded') > 0);
    await settled(it);
    // Another went in its place.
    expect(it.fixture.images()).toEqual([imageOf('e000000')]);
    it.run.unsubscribe();
  });

  it('is refused to requeue, since nothing is here to be analysed; it may be set aside', async () => {
    const it = await prepare({ size: 1 });
    await it.fixture.offerSettled(names(2));
    it.start();
    await it.run.until(() => it.run.count('done') === 1);
    const entries = names(2).map(id => it.world.get(id));
    const back = await it.world.manifest.requeue(entries, 'pending', { restore: false });
    expect(back.map(entry => entry.entry_id)).toEqual(['e000001']);
    expect(await it.world.manifest.requeue([entries[0]!], 'skip', { restore: false })).toHaveLength(1);
    it.run.unsubscribe();
  });

  it('counts what was gone already, and goes on', async () => {
    const it = await prepare({ size: 1 });
    await it.fixture.offerSettled(names(3));
    await it.world.files.remove(imageOf('e000000'));
    it.start();
    await it.run.until(() => it.run.count('done') === 2);
    expect(it.run.events.find(event => event.kind === 'done')).toMatchObject({ detail: { found: 'gone already' } });
    expect(it.fixture.images()).toEqual([imageOf('e000002')]);
    it.run.unsubscribe();
  });

  it('is alarmed when the disk is gone, and takes no image for gone', async () => {
    const it = await prepare({ size: 1 });
    await it.fixture.offerSettled(names(3));
    const stat = it.world.files.stat.bind(it.world.files);
    it.world.files.stat = async path => (path.startsWith('/root') ? null : stat(path));
    it.start();
    await it.run.until(() => it.run.count('alarm') === 2, 500);
    expect([it.run.status('ring_buffer').alarms, it.fixture.removed()]).toEqual([['ENOENT'], []]);
    it.world.files.stat = stat;
    await it.run.until(() => it.run.count('done') === 2, 500);
    it.run.unsubscribe();
  });

  it('says in the end what it has removed, when the manifest could not be told at once', async () => {
    const it = await prepare({ size: 1 });
    await it.fixture.offerSettled(names(4));
    it.world.files.plan = ({ kind, path }) =>
      kind === 'write' && path.includes('journal') && it.fixture.images().length === 1 ? { error: 'ENOSPC' } : null;
    it.start();
    await it.run.until(() => it.run.count('alarm') === 2, 500);
    expect([it.fixture.images().length, it.fixture.removed()]).toEqual([1, []]);
    it.world.files.plan = () => null;
    await it.run.until(() => it.fixture.removed().length === 3, 500);
    await settled(it);
    expect(it.run.status('ring_buffer')).toMatchObject({ in_flight: 0, alarms: [] });
    expect(it.fixture.images()).toEqual([imageOf('e000003')]);
    it.run.unsubscribe();
  });
});

describe('the ring buffer by free space', () => {
  const size = 1_000_000;
  const minFree = parseAmount('200 kB')!;
  const { low, enough } = spaceLimits(minFree, size);

  it('removes the oldest until enough is free, and no more; then nothing until it is short again', async () => {
    const it = await prepare({ size: 1000, minFree });
    it.fixture.space$.next({ free: 500_000, size });
    it.fixture.freeWithoutImages = 1_000_000;
    await it.fixture.offerSettled(names(90), {}, 10_000);
    it.start();
    it.fixture.space$.next({ free: 100_000, size });
    await it.run.until(() => it.run.count('done') > 0);
    await settled(it);
    const free = (): number => 1_000_000 - 10_000 * it.fixture.images().length;
    expect(free()).toBeGreaterThanOrEqual(enough);
    expect(free()).toBeLessThan(enough + 10_000);
    const gone = it.run.count('done');
    expect(it.fixture.removed()).toEqual(names(gone));
    await it.fixture.offerSettled(names(1, 100), {}, 10_000);
    await settled(it);
    expect([it.run.count('done'), free() >= low]).toEqual([gone, true]);
    it.run.unsubscribe();
  });

  it('removes the oldest for their names where the disk has bytes, and hardly a file more can be made', async () => {
    const it = await prepare({ size: 1000, minFree });
    await it.fixture.offerSettled(names(90), {}, 10);
    const left = (): number => 100 - it.fixture.images().length;
    const { low: lowNames, enough: enoughNames } = namesLimits(200);
    it.fixture.namesWithoutImages = 90 + lowNames - 1;
    it.start();
    it.fixture.space$.next({ free: 900_000, size, names: { free: lowNames - 1, size: 200 } });
    await it.run.until(() => it.run.count('done') > 0);
    await settled(it);
    expect(left()).toBe(10 + enoughNames - lowNames + 1);
    expect(it.fixture.removed()).toEqual(names(enoughNames - lowNames + 1));
    it.run.unsubscribe();
  });

  it('makes room for an image that waits for it, also where more is free than it has to keep', async () => {
    const it = await prepare({ size: 1000, minFree });
    it.fixture.freeWithoutImages = 1_000_000;
    await it.fixture.offerSettled(names(70), {}, 10_000);
    it.start();
    it.fixture.space$.next({ free: 300_000, size });
    await settled(it);
    expect(it.run.count('done')).toBe(0);
    it.fixture.waitingImage.bytes = 400_000;
    it.fixture.space$.next({ free: 300_000, size });
    await it.run.until(() => it.run.count('done') > 0);
    await settled(it);
    const free = 1_000_000 - 10_000 * it.fixture.images().length;
    expect(free).toBeGreaterThanOrEqual(spaceLimits(minFree, size, it.fixture.waitingImage.bytes).enough);
    it.run.unsubscribe();
  });

  it('is off where all images are kept and none is copied', async () => {
    const it = await prepare({ size: 0, minFree });
    it.fixture.space$.next({ free: 100_000, size });
    await it.fixture.offerSettled(names(3));
    it.start();
    await settled(it);
    expect([it.run.told, it.fixture.images().length]).toEqual([['off'], 3]);
    it.run.unsubscribe();
  });

  it('removes nothing when there is nothing to remove, and looks again', async () => {
    const it = await prepare({ size: 0, minFree, rules: rules({ sync: true }) });
    it.fixture.space$.next({ free: 100_000, size });
    await it.fixture.offerSettled(names(3));
    it.start();
    await settled(it);
    expect([it.run.count('claimed'), it.fixture.images().length]).toEqual([0, 3]);
    for (const entry of await it.world.manifest.claim('syncer', 2))
      await it.world.manifest.settle([entry], 'syncer', {
        image_synced: true,
        remote_copy: copyNamed(entry.camera_data!.filename),
      });
    it.fixture.space$.next({ free: 100_000, size });
    await it.run.until(() => it.run.count('done') === 2);
    it.run.unsubscribe();
  });
});

describe('images of archived entries', () => {
  it('are the oldest: they go first, and their entries are archived again', async () => {
    const it = await prepare({ size: 3 }, { liveEntries: 4 });
    await it.fixture.offerSettled(names(5));
    await it.world.manifest.catchUp();
    await it.fixture.offerSettled(names(5, 5));
    await it.world.manifest.catchUp();
    expect(it.world.manifest.size).toBeLessThan(6);
    it.start();
    await it.run.until(() => it.run.count('done') === 7);
    await settled(it);
    expect(it.fixture.images()).toEqual(names(3, 7).map(imageOf));
    const known = await everything(it.world.manifest);
    expect(names(10).map(id => known.get(id)!.image_local ?? true)).toEqual([
      ...Array(7).fill(false),
      true,
      true,
      true,
    ]);
    // What is archived from now on is counted too.
    await it.fixture.offerSettled(names(6, 10));
    await it.run.until(() => it.run.count('done') === 13);
    await settled(it);
    expect(it.fixture.images()).toEqual(names(3, 13).map(imageOf));
    it.run.unsubscribe();
  });

  it('are taken as they were archived last, when they had been set back meanwhile', async () => {
    const it = await prepare({ size: 6 }, { liveEntries: 4 });
    await it.fixture.offerSettled(names(6));
    await it.world.manifest.catchUp();
    it.start();
    await settled(it);
    const again = async (id: string): Promise<void> => {
      for await (const entry of it.world.manifest.archive.entries()) {
        if (entry.entry_id !== id) continue;
        await it.world.manifest.requeue([entry], 'pending', { restore: true });
        const [claimed] = await it.world.manifest.claim('processor', 1);
        await it.world.settleProcessed(claimed!);
        return;
      }
    };
    await again('e000000');
    await it.fixture.offerSettled(names(1, 6));
    await it.run.until(() => it.run.count('done') === 1);
    await settled(it);
    // It waits to be reported; the next oldest went.
    expect(it.fixture.removed().concat(it.world.get('e000000').entry_id)).toContain('e000000');
    expect(it.fixture.images()).toContain(imageOf('e000000'));
    expect(it.fixture.images()).not.toContain(imageOf('e000001'));
    const [reported] = await it.world.manifest.claim('communicator', 1);
    await it.world.manifest.settle([reported!], 'communicator', { data_transmitted: true });
    await it.fixture.offerSettled(names(6, 7));
    await it.world.manifest.catchUp();
    await it.run.until(() => it.run.count('done') === 7);
    await settled(it);
    const known = await everything(it.world.manifest);
    expect(known.get('e000000')).toMatchObject({ attempt: 1, image_local: false });
    expect(it.fixture.images()).toHaveLength(6);
    it.run.unsubscribe();

    // Whoever counts anew comes to the same.
    await it.run.putAway();
    const next = await prepare({ size: 5 }, { files: it.world.files, liveEntries: 4 });
    next.start();
    await next.run.until(() => next.run.count('done') === 1);
    await settled(next);
    expect([next.fixture.images().length, next.run.count('done')]).toEqual([5, 1]);
    next.run.unsubscribe();
  });

  it('stay while they wait for the share, and go once they were copied, by this process or by another', async () => {
    const it = await prepare({ size: 1, rules: rules({ sync: true }) }, { liveEntries: 4 });
    await it.fixture.offerSettled(names(12));
    await it.world.manifest.compact();
    expect(it.world.manifest.size).toBeLessThan(5);
    it.start();
    await settled(it);
    expect(it.fixture.removed()).toEqual([]);
    const copy = async (manifest: PipelineWorld['manifest'], count: number): Promise<void> => {
      for (const entry of await manifest.claim('syncer', count))
        await manifest.settle([entry], 'syncer', {
          image_synced: true,
          remote_copy: it.fixture.copy(entry.entry_id),
        });
    };
    await copy(it.world.manifest, 3);
    await it.run.until(() => it.run.count('done') === 3);
    await settled(it);
    expect(it.fixture.images()).toEqual(names(9, 3).map(imageOf));
    const other = await prepare(
      { rules: rules({ sync: true }) },
      { files: it.world.files.twin(), pid: 2, liveEntries: 4 },
    );
    await copy(other.world.manifest, 2);
    await vi.advanceTimersByTimeAsync(20_000);
    await it.run.until(() => it.run.count('done') === 5);
    await settled(it);
    expect(it.fixture.images()).toEqual(names(7, 5).map(imageOf));
    const known = await everything(it.world.manifest);
    expect(known.get('e000004')).toMatchObject({ image_local: false, image_synced: true });
    it.run.unsubscribe();
  });

  it('go uncopied while copying is off, and are not looked for when it is on again', async () => {
    const it = await prepare({ size: 10, rules: rules({ sync: true }) }, { liveEntries: 4 });
    await it.fixture.offerSettled(names(12));
    await it.world.manifest.compact();
    it.start();
    await settled(it);
    expect(it.world.manifest.waiting('syncer')).toBe(12);
    await it.setRules(rules({ sync: false }));
    await it.run.until(() => it.run.count('done') === 2);
    await settled(it);
    await it.setRules(rules({ sync: true }));
    const order: string[] = [];
    for (;;) {
      const claimed = await it.world.manifest.claim('syncer', 4);
      if (claimed.length === 0) break;
      for (const entry of claimed) {
        await it.world.manifest.settle([entry], 'syncer', {
          image_synced: true,
          remote_copy: it.fixture.copy(entry.entry_id),
        });
        order.push(entry.entry_id);
      }
    }
    expect(order.slice(0, 5)).toEqual(names(5, 2));
    expect(order).not.toContain('e000000');
    it.run.unsubscribe();
  });

  it('whose copies came last before a power cut stay until the share has shown them whole', async () => {
    const first = await prepare({ size: 1, rules: rules({ sync: true }) }, { liveEntries: 4 });
    await first.fixture.offerSettled(names(12));
    await first.world.manifest.compact();
    for (const entry of await first.world.manifest.claim('syncer', 2))
      await first.world.manifest.settle([entry], 'syncer', {
        image_synced: true,
        remote_copy: first.fixture.copy(entry.entry_id),
      });
    const it = await prepare(
      { size: 1, rules: rules({ sync: true }) },
      { files: first.world.files.afterCrash('kill'), liveEntries: 4, pid: 2, dead: [1] },
    );
    await it.fixture.mountShare(true);
    it.fixture.copy('e000000', 0);
    it.fixture.copy('e000001');
    it.start();
    await it.run.until(() => it.run.count('done') === 1);
    await settled(it);
    const left = names(10, 2).map(imageOf);
    expect(it.fixture.images()).toEqual([imageOf('e000000'), ...left]);
    it.fixture.copy('e000000');
    await vi.advanceTimersByTimeAsync(70_000);
    await it.run.until(() => it.run.count('done') === 2);
    await settled(it);
    expect(it.fixture.images()).toEqual(left);
    it.run.unsubscribe();
  });

  it('stay when their segment is damaged, and that is said', async () => {
    const it = await prepare({ size: 1 }, { liveEntries: 5000 });
    it.world.files.put(`${archiveFolder(manifestFile)}/entries.1.00000000.jsonl.gz`, 'no gzip');
    await it.fixture.offerSettled(names(3));
    it.start();
    await it.run.until(() => it.run.count('done') === 2);
    expect(it.fixture.notes).toEqual([expect.stringContaining('entries.1.00000000.jsonl.gz')]);
    it.run.unsubscribe();
  });

  it('cost the same calls each, at a thousand and at a hundred thousand', async () => {
    const callsFor = async (count: number): Promise<number> => {
      const files = new FaultyFiles();
      files.put(`${day}/other.txt`, '');
      const perSegment = Math.min(5000, count / 2);
      // No more than it takes: most of the time goes into making these, and reading them once.
      const entryOf = (id: string) =>
        ({
          entry_id: id,
          rev: 1,
          attempt: 0,
          claims: {},
          processing_status: 'processed',
          data_transmitted: true,
          camera_data: { filename: `image_${id}.png`, filepath: day, original: false },
        }) as unknown as Entry;
      const bytes = Buffer.alloc(1);
      for (let from = 0; from < count; from += perSegment) {
        const ids = names(perSegment, from);
        // Those behind are never looked at: that is the point.
        if (from === 0) for (const id of ids.slice(0, 400)) files.put(imageOf(id), bytes);
        await writeSegment(files, manifestFile, ids.map(entryOf));
      }
      const it = await prepare({ size: count - 320 }, { files });
      let calls = 0;
      let counted = 0;
      files.gate = async () => {
        const done = it.run.events.length < 64 ? 0 : it.run.count('done');
        if (done >= 64 && done < 320) counted = ++calls;
      };
      it.start();
      await it.run.until(() => it.run.told.length > 2);
      await it.run.until(() => it.run.count('done') === 320);
      expect(files.content(imageOf(names(1, 319)[0]!))).toBe(null);
      expect(files.content(imageOf(names(1, 320)[0]!))).not.toBe(null);
      it.run.unsubscribe();
      await it.run.putAway();
      return counted / 256;
    };
    const few = await callsFor(1000);
    const many = await callsFor(100_000);
    expect(few).toBeGreaterThan(1);
    expect(few).toBeLessThan(8);
    expect(many).toBe(few);
  });
});

describe('a crash of the ring buffer', () => {
  it('at any step leaves nothing that the next one does not put right', async () => {
    const start = new FaultyFiles();
    start.put(`${day}/other.txt`, '');
    const first = await prepare({}, { files: start, liveEntries: 3 });
    await first.fixture.offerSettled(names(5), { image_synced: true });
    await first.world.offer('waits');
    await first.world.manifest.close({ compact: true });
    const settings = { size: 2 };
    const crashes = await atEveryCrash({
      start,
      context: () => null,
      prefixes: 3,
      work: async files => {
        const it = await prepare(settings, { files, liveEntries: 3 });
        it.start();
        await it.run.until(() => files.stopped || it.run.count('done') === 4);
        it.run.unsubscribe();
        await it.run.putAway();
        await it.world.manifest.close({ compact: false });
      },
      check: async files => {
        const there = (id: string): boolean => files.content(imageOf(id)) !== null;
        expect(there('waits')).toBe(true);
        const it = await prepare(settings, { files, liveEntries: 3, pid: 2, dead: [1] });
        const known = await everything(it.world.manifest);
        expect(known.size).toBe(6);
        for (const [id, entry] of known) {
          if (!there(id)) expect(entry.image_local === false || entry.claims.ring_buffer).toBeTruthy();
          if (entry.image_local === false) expect(there(id)).toBe(false);
        }
        it.start();
        const left = (): string[] => names(5).filter(there);
        await it.run.until(() => left().length === 1 && it.world.claimed('ring_buffer').length === 0);
        it.run.unsubscribe();
        await it.run.putAway();
      },
    });
    expect(crashes).toBeGreaterThan(100);
  });
});

describe('whatever happens to the images', () => {
  type World = Awaited<ReturnType<typeof prepare>> & { offered: number; attempts: Map<string, number> };
  const steps: Record<string, (world: World, n: number) => Promise<unknown> | unknown> = {
    offer: async world => {
      const id = names(1, world.offered++)[0]!;
      await world.world.offer(id);
    },
    original: async world => {
      const id = names(1, world.offered++)[0]!;
      const camera = { ...sampleEntry(id).camera_data!, original: true };
      await world.fixture.offerSettled([id], { camera_data: camera, image_synced: true, compression_attempted: true });
    },
    settled: async (world, n) => {
      const id = names(1, world.offered++)[0]!;
      await world.fixture.offerSettled([id], { image_synced: n % 2 === 0, compression_attempted: n % 3 > 0 });
    },
    process: async ({ world, attempts }, n) => {
      for (const entry of await world.manifest.claim('processor', n)) {
        await world.settleProcessed(entry);
        attempts.set(entry.entry_id, entry.attempt);
      }
    },
    report: async ({ world }, n) => {
      const entries = await world.manifest.claim('communicator', n);
      await world.manifest.settle(entries, 'communicator', { data_transmitted: true });
    },
    compress: async ({ world }, n) => {
      const entries = await world.manifest.claim('compressor', n);
      await world.manifest.settle(entries, 'compressor', { compression_attempted: true });
    },
    sync: async ({ world }, n) => {
      const entries = await world.manifest.claim('syncer', n);
      for (const entry of entries) {
        const copy = copyNamed(entry.camera_data!.filename);
        await world.manifest.settle([entry], 'syncer', { image_synced: true, remote_copy: copy });
      }
    },
    claimAndKeep: ({ world }, n) => world.manifest.claim(n % 2 ? 'syncer' : 'processor', 1),
    requeue: async ({ world }, n) => {
      const entry = [...world.manifest.entries()][n];
      if (entry) await world.manifest.requeue([entry], n % 3 ? 'pending' : 'skip', { restore: false });
    },
    // As the command does it: with the lock, and an entry that was live when it looked is not taken from the archive.
    requeueArchived: ({ world, fixture }, n) =>
      fixture.restoreLock(async () => {
        const live = new Set([...world.manifest.entries()].map(entry => entry.entry_id));
        const entries = new Map<string, Entry>();
        for await (const entry of world.manifest.archive.entries()) entries.set(entry.entry_id, entry);
        const chosen = [...entries.values()].filter(entry => !live.has(entry.entry_id))[n];
        if (chosen) await world.manifest.requeue([chosen], 'pending', { restore: true });
      }),
    rules: ({ setRules }, n) => setRules({ sync: n % 2 === 0, compression: n % 4 < 2 }),
    compact: ({ world }) => world.manifest.compact(),
    breakDisk: ({ world }, n) => {
      let left = n;
      world.files.plan = ({ kind }) => (kind !== 'create' && left-- === 0 ? { error: 'EIO' } : null);
    },
    wait: async ({ run }) => {
      await vi.advanceTimersByTimeAsync(11_000);
      await run.rest();
    },
    rest: ({ run }) => run.rest(),
  };

  it('none is removed that is not settled, not copied while that is on, claimed, or an original', async () => {
    let removed = 0;
    const act = fc.tuple(fc.constantFrom(...Object.keys(steps), 'settled', 'offer', 'rest', 'sync'), fc.nat(7));
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 60 }), async acts => {
        const it = await prepare({ size: 2, rules: rules({ sync: true }) }, { liveEntries: 4 });
        const world: World = { ...it, offered: 0, attempts: new Map() };
        const violations: string[] = [];
        const underSync = new Map<string, boolean>();
        const { files, manifest } = it.world;
        const remove = files.remove.bind(files);
        files.remove = async path => {
          const id = /image_(e\d+)\.png$/.exec(path)?.[1];
          if (id === undefined) return remove(path);
          const entry = manifest.get(id);
          const { sync, compression } = { ...present() };
          const isFine =
            entry !== undefined &&
            entry.camera_data!.original === false &&
            Object.keys(entry.claims).join() === 'ring_buffer' &&
            (entry.processing_status === 'skip' ||
              entry.processing_status === 'failed' ||
              (entry.processing_status === 'processed' && entry.data_transmitted)) &&
            (!sync || entry.image_synced) &&
            (!compression || entry.compression_attempted);
          if (!isFine) violations.push(`${path}: ${JSON.stringify({ sync, compression, entry })}`);
          else removed++;
          underSync.set(id, sync);
          return remove(path);
        };
        let now: WorkRules = rules({ sync: true });
        const present = (): WorkRules => now;
        world.setRules = async given => {
          now = given;
          await it.setRules(given);
        };
        it.start();
        // One more than stays, so that every run has something to remove.
        for (let i = 0; i < 3; i++) await steps.settled!(world, 2);
        for (const [name, n] of acts) {
          try {
            await steps[name]!(world, n);
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error;
          }
        }
        files.plan = () => null;
        await vi.advanceTimersByTimeAsync(120_000);
        await settled(it);
        // And as many are gone as may be, in the end.
        const isDone = async (): Promise<boolean> => {
          const all = [...(await everything(manifest)).values()];
          const local = all.filter(entry => !entry.camera_data!.original && entry.image_local !== false);
          return local.length <= 2 || !all.some(entry => manifest.isFor('ring_buffer', entry));
        };
        for (let looks = 0; !(await isDone()); looks++) {
          if (looks > 200) throw new Error(`It does not remove what it should: ${it.run.told.slice(-20).join(', ')}`);
          // A segment is packed by another thread, whose time does not stand still.
          await manifest.compact();
          await vi.advanceTimersByTimeAsync(11_000);
          await settled(it);
        }
        expect(violations).toEqual([]);
        it.run.stop$.next();
        await it.run.until(() => it.run.complete);
        await it.run.putAway();
        // What its entry says is so, in both directions, and it is no older one come back.
        const known = await everything(manifest);
        for (const [id, entry] of known)
          expect([id, files.content(imageOf(id)) !== null]).toEqual([id, entry.image_local !== false]);
        for (const [id, entry] of known) {
          if (entry.image_local !== false) continue;
          expect([id, entry.copy_required]).toEqual([id, underSync.get(id)]);
          if (!entry.image_synced) expect([id, entry.copy_required]).toEqual([id, false]);
        }
        for (const [id, attempt] of world.attempts) expect(known.get(id)!.attempt).toBeGreaterThanOrEqual(attempt);
      }),
      { numRuns: 60 },
    );
    expect(removed).toBeGreaterThan(20);
  });
});
