import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isSettled } from '../../../src/manifest/isSettled.ts';
import type { SyncSettings } from '../../../src/operators/syncer/syncer.ts';
import type { Appended, Placed } from '../../../src/share/shareCalls.ts';
import { useStillTime } from '../../world/eventRun.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { sampleEntry } from '../../world/sampleManifest.ts';
import { StageRun } from '../../world/stageRun.ts';
import { failure } from '../../world/stageWorld.ts';
import { day, imageOf, remoteRoot, SyncerWorld, syncRules, syncSettings } from '../../world/syncerWorld.ts';

const results = '/root/results/processing_results.jsonl';
const resultsCopy = 'results/processing_results.jsonl';
const marker = `${remoteRoot}/.phorest_share.json`;

const idsIn = (manifest: string | null): string[] =>
  (JSON.parse(manifest!) as { entry_id: string }[]).map(({ entry_id: id }) => id);

describe('the syncer', () => {
  beforeEach(useStillTime);
  const runs: StageRun<SyncSettings>[] = [];
  afterEach(async () => {
    for (const run of runs.splice(0)) {
      run.unsubscribe();
      await run.putAway();
    }
    vi.useRealTimers();
  });

  function start(world: SyncerWorld, settings: Partial<SyncSettings> = {}) {
    const run = new StageRun<SyncSettings>({ ...syncSettings, ...settings });
    runs.push(run);
    return run.start(world.stage(run.tools));
  }

  /** Runs till everything that waits is copied, and stops. */
  async function once(world: SyncerWorld, settings: Partial<SyncSettings> = {}): Promise<StageRun<SyncSettings>> {
    const run = start(world, settings);
    run.upstreamDone$.next();
    run.settings$.complete();
    await run.until(() => run.complete);
    await run.putAway();
    return run;
  }

  const round = (run: StageRun<SyncSettings>) =>
    vi.advanceTimersByTimeAsync(syncSettings.intervalMs).then(() => run.rest());

  it('copies each image to the folder of its day, checks it, and then settles the entry with where it is', async () => {
    const world = await SyncerWorld.on();
    await world.offer('a', 'b', 'c');
    const run = start(world);
    await run.until(() => world.synced().length === 3);
    for (const id of ['a', 'b', 'c']) {
      expect(world.copy(`data/20250724/image_${id}.png`)).toBe(imageOf(id).toString());
      expect(world.get(id)).toMatchObject({
        image_synced: true,
        remote_copy: {
          path: `data/20250724/image_${id}.png`,
          size: imageOf(id).length,
          sha256: createHash('sha256').update(imageOf(id)).digest('hex'),
        },
        claims: {},
      });
      expect(isSettled(world.get(id), syncRules)).toBe(true);
      expect(world.files.content(`${day}/image_${id}.png`)).toEqual(imageOf(id));
    }
    expect(world.onShare().filter(path => path.includes('.part'))).toEqual([]);
  });

  it('copies a brightfield frame to the folder of brightfield frames, though nothing has analysed it', async () => {
    const world = await SyncerWorld.on();
    const filepath = '/root/brightfield/20250724';
    const filename = 'brightfield_20250724_134513_569672_cam1.png';
    world.files.put(`${filepath}/${filename}`, imageOf('b'));
    const entry = sampleEntry('b', { processing_status: 'skip' });
    const camera = { ...entry.camera_data!, type: 'brightfield', filepath, filename } as const;
    await world.manifest.offer([{ ...entry, camera_data: camera }]);
    const run = start(world);
    await run.until(() => world.synced().length === 1);
    expect(world.copy(`brightfield/20250724/${filename}`)).toBe(imageOf('b').toString());
    expect(isSettled(world.get('b'), syncRules)).toBe(true);
  });

  it('takes images oldest first, no more at a time than it may', async () => {
    const world = await SyncerWorld.on();
    await world.offer('a', 'b', 'c', 'd', 'e');
    const begun: string[] = [];
    let now = 0;
    let most = 0;
    world.onCall = async (call, request) => {
      if (call !== 'place') return;
      begun.push((request as { local: string }).local.slice(-5, -4));
      most = Math.max(most, ++now);
      await Promise.resolve();
    };
    world.onCalled = async call => {
      if (call === 'place') now--;
    };
    const run = start(world, { filesInFlight: 2 });
    await run.until(() => world.synced().length === 5);
    expect([begun, most]).toEqual([['a', 'b', 'c', 'd', 'e'], 2]);
  });

  it('copies the manifest first, then the files it was told of, and what has not changed not again', async () => {
    const world = await SyncerWorld.on();
    world.files.put(results, '{"a":1}\n');
    world.files.put('/root/results/processed_data_plot.png', 'plot');
    world.files.put('/root/results/processing_results.jsonl.lock-owner.json', '{}');
    world.files.put('/root/results/x.json.123-abcdef01.tmp', 'half');
    await world.manifest.offer([sampleEntry('waits')]);
    const run = start(world);
    await run.until(() => world.copy('results/processed_data_plot.png') !== null);
    await run.rest();
    expect(world.onShare()).toEqual(['data/metadata_manifest.json', 'results/processed_data_plot.png', resultsCopy]);
    expect(idsIn(world.copy('data/metadata_manifest.json'))).toEqual(['waits']);
    const writes = () => world.files.steps.filter(({ path }) => path.startsWith(remoteRoot)).map(({ path }) => path);
    const first = writes();
    expect(first.findIndex(path => path.includes('metadata_manifest'))).toBeLessThan(
      first.findIndex(path => path.includes('/results/')),
    );
    await round(run);
    await round(run);
    expect(world.calls.filter(call => call === 'stats').length).toBeGreaterThanOrEqual(6);
    expect(writes()).toEqual(first);
  });

  it('appends to growing files what is new, whole lines only', async () => {
    const world = await SyncerWorld.on();
    const sent: number[] = [];
    world.onCalled = async (call, answer) => {
      if (call === 'append') sent.push((answer as Appended).sent);
    };
    world.files.put(results, '{"a":1}\n{"b":');
    const run = start(world);
    await run.until(() => world.copy(resultsCopy) !== null);
    await run.rest();
    expect(world.copy(resultsCopy)).toBe('{"a":1}\n');
    world.files.put(results, '{"a":1}\n{"b":2}\n{"c":3}\n');
    await round(run);
    expect(world.copy(resultsCopy)).toBe('{"a":1}\n{"b":2}\n{"c":3}\n');
    expect(sent).toEqual([8, 16]);
    expect(world.notes).toEqual([]);
  });

  it('continues a copy that a stale share has shorter, and one that is longer than was remembered', async () => {
    const lines = Array.from({ length: 20 }, (_, i) => `{"line":${i}}\n`);
    const text = lines.join('');
    for (const there of [lines.slice(0, 7).join(''), text.slice(0, 45), text, '']) {
      const world = await SyncerWorld.on();
      world.files.put(results, lines.slice(0, 10).join(''));
      const run = start(world);
      await run.until(() => world.copy(resultsCopy) !== null);
      await run.rest();
      world.files.put(`${remoteRoot}/${resultsCopy}`, there);
      world.files.put(results, text);
      await round(run);
      await run.rest();
      expect(world.copy(resultsCopy)).toBe(text);
      expect(world.notes).toEqual([]);
      run.unsubscribe();
      await run.putAway();
    }
  });

  it('keeps what a copy holds and the file does not, and says so', async () => {
    const lines = Array.from({ length: 20 }, (_, i) => `{"line":${i}}\n`);
    const text = lines.join('');
    for (const there of [
      `${text}somebody wrote this\n`,
      'all of it is of somebody else, and long enough to show it\n',
    ]) {
      const world = await SyncerWorld.on();
      world.files.put(results, text);
      const run = start(world);
      await run.until(() => world.copy(resultsCopy) !== null);
      await run.rest();
      world.files.put(`${remoteRoot}/${resultsCopy}`, there);
      await round(run);
      await run.rest();
      expect(world.copy(resultsCopy)).toBe(text);
      const kept = world.onShare().filter(path => path.startsWith('results/processing_results~'));
      expect(kept).toHaveLength(1);
      expect(there.endsWith(world.copy(kept[0]!)!)).toBe(true);
      expect(world.copy(kept[0]!)!.length).toBe(there.startsWith(text) ? there.length - text.length : there.length);
      expect(world.notes).toEqual([expect.stringContaining(kept[0]!)]);
      run.unsubscribe();
      await run.putAway();
    }
  });

  it('copies again what a share that comes back as it was earlier has lost, and says what is nowhere', async () => {
    const world = await SyncerWorld.on();
    world.files.put(results, '{"a":1}\n');
    await world.offer('a');
    const run = start(world);
    await run.until(() => world.synced().length === 1);
    await run.rest();
    const earlier = world.onShare().map(path => [path, world.copy(path)!] as const);
    await world.offer('b', 'c', 'd');
    world.files.put(results, '{"a":1}\n{"b":2}\n');
    await round(run);
    await run.until(() => world.synced().length === 4);
    for (const path of world.onShare()) await world.files.remove(`${remoteRoot}/${path}`);
    for (const [path, content] of earlier) world.files.put(`${remoteRoot}/${path}`, content);
    // The ring buffer has taken the local one.
    await world.files.remove(`${day}/image_c.png`);
    await round(run);
    await run.until(() => world.copy('data/20250724/image_d.png') !== null && world.notes.length === 2);
    expect(world.copy('data/20250724/image_b.png')).toBe(imageOf('b').toString());
    expect(world.copy(resultsCopy)).toBe('{"a":1}\n{"b":2}\n');
    expect(world.notes).toEqual([expect.stringContaining('lost 2 images'), expect.stringContaining('lost 1 image')]);
    expect(run.count('alarm')).toBe(0);
    const calls = world.calls.filter(call => call === 'place').length;
    await round(run);
    expect(world.calls.filter(call => call === 'place').length).toBe(calls);
  });

  it('looks at the newest files that never change, and at all where one is lost, after an hour, and at its start', async () => {
    const world = await SyncerWorld.on();
    const names = Array.from({ length: 40 }, (_, i) => `old.${10 + i}.jsonl.gz`);
    for (const name of names) world.files.put(`/root/results/${name}`, name);
    let asked: string[] = [];
    world.onCall = async (call, request) => {
      if (call === 'stats') asked.push(...(request as string[]));
    };
    const looked = (): string[] => asked.filter(path => path.startsWith('results/')).map(path => basename(path));
    const lose = (place: number) => world.files.remove(`${remoteRoot}/results/${names[place]}`);
    const missing = (): string[] => names.filter(name => world.copy(`results/${name}`) === null);
    const run = start(world);
    await run.until(() => missing().length === 0);
    await run.rest();
    asked = [];
    await round(run);
    expect(looked()).toEqual(names.slice(8));

    await lose(0);
    await round(run);
    expect(missing()).toEqual([names[0]]);
    await lose(39);
    await round(run);
    await run.until(() => missing().length === 0);
    asked = [];
    await round(run);
    expect(looked()).toHaveLength(32);

    await lose(1);
    vi.setSystemTime(Date.now() + 3_600_000);
    await round(run);
    await run.until(() => missing().length === 0);

    run.unsubscribe();
    await run.putAway();
    await lose(2);
    const { calls } = world;
    calls.length = 0;
    await once(world);
    expect(missing()).toEqual([]);
    expect(calls.filter(call => call === 'place')).toHaveLength(1);
  });

  it('follows a growing file that was made anew', async () => {
    const world = await SyncerWorld.on();
    const table = '/root/results/communicating_results.csv';
    const copy = 'results/communicating_results.csv';
    const first = 'a,b\n1,2\n3,4\n5,6\n';
    world.files.put(table, first);
    const run = start(world);
    await run.until(() => world.copy(copy) !== null);
    await run.rest();
    for (const [i, text] of ['a,b\n1,2\n3,9\n', 'a,b\n0,2\n3,9\n5,6\n7,8\n'].entries()) {
      world.files.put(table, text);
      await round(run);
      expect(world.copy(copy)).toBe(text);
      expect(world.onShare().filter(path => path.includes('~'))).toHaveLength(i + 1);
    }
  });

  it('never replaces an image with other content: its own copy is beside it, and it says so', async () => {
    const world = await SyncerWorld.on();
    await world.offer('a');
    world.files.put(`${remoteRoot}/data/20250724/image_a.png`, 'of another experiment');
    const run = await once(world);
    expect(run.count('done')).toBe(1);
    expect(world.copy('data/20250724/image_a.png')).toBe('of another experiment');
    const sha256 = createHash('sha256').update(imageOf('a')).digest('hex');
    const beside = `data/20250724/image_a~${sha256.slice(0, 8)}.png`;
    expect(world.copy(beside)).toBe(imageOf('a').toString());
    expect(world.get('a')).toMatchObject({ image_synced: true, remote_copy: { path: beside, sha256 } });
    expect(world.notes).toEqual([expect.stringContaining(beside)]);
  });

  it('takes a copy with the same content for done', async () => {
    const world = await SyncerWorld.on();
    await world.offer('a');
    world.files.put(`${remoteRoot}/data/20250724/image_a.png`, imageOf('a'));
    const placed: Placed[] = [];
    world.onCalled = async (call, answer) => {
      if (call === 'place') placed.push(answer as Placed);
    };
    await once(world);
    expect(placed).toMatchObject([{ found: 'same', sent: 0 }]);
    expect(world.synced()).toEqual(['a']);
  });

  it('keeps the manifest of another experiment that stands on the share, and its own the next time', async () => {
    const world = await SyncerWorld.on();
    world.files.put(`${remoteRoot}/data/metadata_manifest.json`, '[]\n');
    await world.offer('a');
    await once(world);
    const kept = world.onShare().filter(path => path.includes('manifest~'));
    expect(kept.map(path => world.copy(path))).toEqual(['[]\n']);
    await world.offer('b');
    await once(world);
    expect(world.onShare().filter(path => path.includes('manifest~'))).toEqual(kept);
    expect(idsIn(world.copy('data/metadata_manifest.json'))).toEqual(['a', 'b']);
  });

  it('copies imported images too, those of each folder to a folder of its own', async () => {
    const world = await SyncerWorld.on();
    const original = (id: string, filepath: string) =>
      sampleEntry(id, {
        processing_status: 'processed',
        data_transmitted: true,
        camera_data: { ...sampleEntry(id).camera_data!, filename: 'img:1.tif', filepath, original: true },
      });
    for (const folder of ['/old/run 1/Pos0', '/old/run 2/Pos0']) world.files.put(`${folder}/img:1.tif`, `of ${folder}`);
    const run = { run_id: 'R', started: '2026-01-01T00:00:00Z', imported: ['/old'] };
    world.files.put('/root/flags/run.json', JSON.stringify(run));
    await world.manifest.offer([original('a', '/old/run 1/Pos0'), original('b', '/old/run 2/Pos0')]);
    await once(world);
    const copies = world.onShare().filter(path => path.startsWith('data/imported/'));
    expect(copies).toHaveLength(2);
    for (const path of copies) expect(path).toMatch(/^data\/imported\/Pos0~[0-9a-f]{8}\/img_1\.tif$/);
    expect(copies.map(path => world.copy(path)).sort()).toEqual(['of /old/run 1/Pos0', 'of /old/run 2/Pos0']);
    expect(world.files.content('/old/run 1/Pos0/img:1.tif')?.toString()).toBe('of /old/run 1/Pos0');
  });

  it('goes on past an image that is not here, tells it once, and tries it again at the next round', async () => {
    const world = await SyncerWorld.on();
    await world.offer('a', 'b', 'c');
    const image = world.files.content(`${day}/image_a.png`)!;
    await world.files.remove(`${day}/image_a.png`);
    const run = start(world);
    await run.until(() => world.synced().length === 2 && run.count('failed') === 1);
    expect(run.events.find(event => event.kind === 'failed')).toMatchObject({
      entryId: 'a',
      error: expect.stringContaining('image_a.png'),
    });
    await round(run);
    expect([run.count('failed'), run.count('discarded'), run.count('alarm')]).toEqual([1, 1, 0]);
    world.files.put(`${day}/image_a.png`, image);
    await round(run);
    await run.until(() => world.synced().length === 3);
    run.stop$.next();
    await run.until(() => run.complete);
    expect([world.claimed(), run.status('syncer').lost]).toEqual([[], 0]);
  });

  it('writes nothing to a folder that is not the share, says so since when, and catches up when it is back', async () => {
    const world = await SyncerWorld.on();
    await world.offer('a');
    const run = start(world);
    await run.until(() => world.synced().length === 1);
    await run.rest();
    const content = world.files.content(marker)!;
    await world.files.remove(marker);
    const before = world.onShare();
    await world.offer('b', 'c');
    await run.until(() => run.count('alarm') === 1);
    expect(run.events.at(-1)).toMatchObject({
      kind: 'alarm',
      key: 'ESHARENOTMOUNTED',
      message: expect.stringContaining('is not mounted'),
    });
    await run.until(() => run.count('alarm') === 4, 500);
    expect([world.onShare(), world.claimed(), world.synced()]).toEqual([before, [], ['a']]);
    world.files.put(marker, '{"share_id":"another"}');
    await run.until(() => run.count('alarm') === 6, 500);
    expect(world.onShare()).toEqual(before);
    expect(run.status('syncer').alarms).toEqual(['ESHARENOTMOUNTED']);
    world.files.put(marker, content);
    await run.until(() => world.synced().length === 3, 500);
    expect(run.status('syncer').alarms).toEqual([]);
  });

  it('refuses a share that is the folder of the experiment itself, and passes over one inside of what it copies', async () => {
    const itself = await SyncerWorld.on();
    await itself.offer('a');
    const refused = start(itself, { remoteRoot: '/root' });
    await refused.until(() => refused.count('alarm') === 2, 500);
    expect(refused.events.at(-1)).toMatchObject({ key: 'ESHAREITSELF', message: expect.stringContaining('/root') });
    expect(itself.synced()).toEqual([]);

    const inside = await SyncerWorld.on();
    inside.files.put(results, '{"a":1}\n');
    const run = start(inside, { remoteRoot: '/root/results/share' });
    await run.until(() => inside.files.content('/root/results/share/results/processing_results.jsonl') !== null);
    await run.rest();
    await round(run);
    await round(run);
    expect(inside.files.paths().filter(path => path.includes('share/results/share'))).toEqual([]);
  });

  it('makes the folder of the share at the first use only where its parent is there', async () => {
    const world = await SyncerWorld.on();
    await world.offer('a');
    const run = start(world, { remoteRoot: '/mnt/nowhere/phorest' });
    await run.until(() => run.count('alarm') === 1);
    expect(run.events.at(-1)).toMatchObject({ key: 'ESHAREABSENT', message: expect.stringContaining('/mnt/nowhere') });
    expect(await world.files.stat('/mnt')).toBeNull();
  });

  it.each(['EROFS', 'ENOSPC', 'EIO', 'ESTALE'])(
    'waits while the share says %s, marks nothing, and catches up',
    async code => {
      const world = await SyncerWorld.on();
      await world.offer('a', 'b');
      const run = start(world);
      await run.until(() => world.synced().length === 2);
      await world.offer('c', 'd', 'e');
      world.files.plan = ({ path }) => (path.startsWith(remoteRoot) ? { error: code } : null);
      await run.until(() => run.count('alarm') === 3, 500);
      expect([run.status('syncer').alarms, run.count('failed'), world.claimed()]).toEqual([[code], 0, []]);
      world.files.plan = () => null;
      await run.until(() => world.synced().length === 5, 500);
      expect(run.status('syncer').alarms).toEqual([]);
      expect(world.copy('data/20250724/image_e.png')).toBe(imageOf('e').toString());
    },
  );

  it('is well again without any image, once a round goes through', async () => {
    const world = await SyncerWorld.on();
    world.files.put(results, '{"a":1}\n');
    const run = start(world);
    await run.until(() => world.copy(resultsCopy) !== null);
    await run.rest();
    world.files.put(results, '{"a":1}\n{"b":2}\n');
    world.files.plan = ({ path }) => (path.startsWith(remoteRoot) ? { error: 'ENOSPC' } : null);
    await run.until(() => run.count('alarm') === 2, 500);
    world.files.plan = () => null;
    await run.until(() => run.count('well') === 1, 500);
    expect([run.status('syncer').alarms, run.status('syncer').in_flight]).toEqual([[], 0]);
    expect(world.copy(resultsCopy)).toBe('{"a":1}\n{"b":2}\n');
  });

  it('copies again what the share gave back otherwise than it was written', async () => {
    const world = await SyncerWorld.on();
    await world.offer('a');
    const flip = (path: string) => {
      const bytes = Buffer.from(world.files.content(path)!);
      bytes[3]! ^= 1;
      world.files.put(path, bytes);
    };
    let flipped = 0;
    world.files.gate = async (call, path) => {
      if (call === 'open' && path.endsWith('.part') && world.files.content(path)?.length && flipped++ === 0) flip(path);
    };
    const run = start(world);
    await run.until(() => run.count('alarm') === 1);
    expect(run.events.at(-1)).toMatchObject({ key: 'ESHAREDAMAGED' });
    await run.until(() => world.synced().length === 1, 500);
    expect(world.copy('data/20250724/image_a.png')).toBe(imageOf('a').toString());
  });

  it('gives up what hangs a few seconds after a stop, and at once when it is cut short', async () => {
    for (const how of ['stop', 'cut'] as const) {
      const world = await SyncerWorld.on();
      await world.offer('a', 'b');
      world.onCall = async call => {
        if (call === 'place') await new Promise(() => undefined);
      };
      const run = start(world);
      await run.until(() => run.status('syncer').in_flight === 2);
      await run.rest();
      if (how === 'stop') {
        run.stop$.next();
        await vi.advanceTimersByTimeAsync(2900);
        await run.rest();
        expect(run.complete).toBe(false);
        await run.until(() => run.complete, 50);
      } else run.unsubscribe();
      await run.putAway();
      expect([world.claimed(), world.open, world.synced(), vi.getTimerCount()]).toEqual([[], 0, [], 0]);
    }
  });

  it('gives the rest of a round up likewise', async () => {
    const world = await SyncerWorld.on();
    world.onCall = async call => {
      if (call === 'publish') await new Promise(() => undefined);
    };
    const run = start(world);
    await run.until(() => world.calls.includes('publish'));
    run.stop$.next();
    await run.until(() => run.complete, 500);
    expect([world.open, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it('has the last results and the final manifest on the share when upstream is done', async () => {
    const world = await SyncerWorld.on();
    world.files.put(results, '{"a":1}\n');
    await world.offer('a');
    const run = start(world);
    await run.until(() => world.synced().length === 1);
    await run.rest();
    world.files.put(results, '{"a":1}\n{"late":1}\n');
    run.settings$.complete();
    run.upstreamDone$.next();
    await run.until(() => run.complete);
    expect(world.copy(resultsCopy)).toBe('{"a":1}\n{"late":1}\n');
    expect(world.copy('data/metadata_manifest.json')).toContain('"image_synced":true');
  });

  it('copies what is new once more when it is stopped', async () => {
    const world = await SyncerWorld.on();
    world.files.put(results, '{"a":1}\n');
    const run = start(world);
    await run.until(() => world.copy(resultsCopy) !== null);
    await run.rest();
    world.files.put(results, '{"a":1}\n{"late":1}\n');
    run.stop$.next();
    await run.until(() => run.complete);
    expect([world.copy(resultsCopy), world.notes, vi.getTimerCount()]).toEqual(['{"a":1}\n{"late":1}\n', [], 0]);
  });

  it('does not wait for that longer than a few seconds, and says so', async () => {
    const world = await SyncerWorld.on();
    const run = start(world);
    await run.until(() => world.copy('data/metadata_manifest.json') !== null);
    await run.rest();
    world.onCall = async () => new Promise(() => undefined);
    run.stop$.next();
    await run.rest();
    expect(run.complete).toBe(false);
    await vi.advanceTimersByTimeAsync(3000);
    await run.until(() => run.complete);
    expect(world.notes).toEqual([expect.stringContaining('it took too long')]);
    expect([world.open, vi.getTimerCount(), run.count('alarm')]).toEqual([0, 0, 0]);
  });

  describe('growing files', () => {
    const dayMs = 86_400_000;
    const lines = Array.from({ length: 10_000 }, (_, i) => `{"line":${i}}\n`);
    const text = lines.join('');
    const altered = text.replace('"line":7}', '"line":x}');

    /** A copy that somebody has altered far before its end, so that its time tells nothing. */
    async function withAlteredCopy(settings: Partial<SyncSettings> = {}) {
      const world = await SyncerWorld.on();
      world.files.put(results, text);
      const run = start(world, settings);
      await run.until(() => world.copy(resultsCopy) === text);
      await run.rest();
      world.files.put(`${remoteRoot}/${resultsCopy}`, altered);
      const grow = async (by: string): Promise<void> => {
        const handle = await world.files.open(results, 'a');
        await handle.write(Buffer.from(by), null);
        await handle.close();
        await round(run);
      };
      await grow('{"line":"more"}\n');
      return { world, run, grow };
    }

    it('are compared at their end when they are appended to, and as a whole once a day', async () => {
      const { world, run, grow } = await withAlteredCopy();
      expect([world.copy(resultsCopy), world.notes]).toEqual([`${altered}{"line":"more"}\n`, []]);
      vi.setSystemTime(Date.now() + dayMs);
      await round(run);
      expect(world.copy(resultsCopy)).toBe(`${text}{"line":"more"}\n`);
      expect(world.notes).toEqual([expect.stringContaining('held what is not in')]);
      await grow('{"line":"last"}\n');
      expect(world.copy(resultsCopy)).toBe(`${text}{"line":"more"}\n{"line":"last"}\n`);
    });

    it('that have grown no more since they were compared are not compared again', async () => {
      const { world, run } = await withAlteredCopy();
      vi.setSystemTime(Date.now() + dayMs);
      await round(run);
      const appends = (): number => world.calls.filter(call => call === 'append').length;
      const before = appends();
      vi.setSystemTime(Date.now() + 2 * dayMs);
      await round(run);
      expect(appends()).toBe(before);
    });

    it('are not compared as a whole where what was written is trusted', async () => {
      const { world, run } = await withAlteredCopy({ trustWrite: true });
      vi.setSystemTime(Date.now() + dayMs);
      await round(run);
      expect(world.copy(resultsCopy)).toBe(`${altered}{"line":"more"}\n`);
    });

    it('that were written anew with the same length and end are followed within a day', async () => {
      const world = await SyncerWorld.on();
      world.files.put(results, text);
      const run = start(world);
      await run.until(() => world.copy(resultsCopy) === text);
      world.files.put(results, altered);
      await round(run);
      expect(world.copy(resultsCopy)).toBe(text);
      vi.setSystemTime(Date.now() + dayMs);
      await round(run);
      expect(world.copy(resultsCopy)).toBe(altered);
    });
  });

  it('goes on with the ledger of the version before, and sends nothing again', async () => {
    const world = await SyncerWorld.on();
    world.files.put(results, '{"a":1}\n');
    world.files.put('/root/results/a.json', 'first');
    const run = start(world);
    await run.until(() => world.copy('results/a.json') !== null);
    await run.rest();
    run.stop$.next();
    await run.until(() => run.complete);
    const ledger = JSON.parse(world.files.content('/root/flags/sync_state.json')!.toString());
    for (const copy of Object.values<Record<string, unknown>>(ledger.files)) {
      if (copy.kind === 'grown') {
        Object.assign(copy.growth as object, { blocks: [], tail: 'e'.repeat(64) });
        delete copy.compared;
      } else {
        const [sha256] = copy.ours as string[];
        Object.assign(copy, { sha256 });
        delete copy.ours;
      }
    }
    // The process ended right after it had put this in its place.
    const second = createHash('sha256').update('second').digest('hex');
    Object.assign(ledger.files['results/a.json'], { pending: second, local: { size: -1, mtimeMs: 0 } });
    world.files.put('/root/flags/sync_state.json', JSON.stringify(ledger));
    world.files.put(`${remoteRoot}/results/a.json`, 'second');
    world.files.put('/root/results/a.json', 'third');
    world.calls.length = 0;
    await once(world);
    expect(world.copy('results/a.json')).toBe('third');
    expect(world.onShare().filter(path => path.includes('~'))).toEqual([]);
    expect([world.notes, world.calls.filter(call => call === 'append')]).toEqual([[], []]);
  });

  it('publishes a file that changes while it is copied as it is at last, and takes nothing of it for foreign', async () => {
    const world = await SyncerWorld.on();
    await world.manifest.offer([sampleEntry('waits')]);
    const states = ['one', 'two', 'three'];
    world.files.put('/root/results/a.json', 'zero');
    world.onCalled = async (call, answer) => {
      const isIt = call === 'digest' && (answer as { size: number }).size < 10;
      if (isIt && states.length > 0) world.files.put('/root/results/a.json', states.shift()!);
    };
    const run = start(world);
    await run.until(() => states.length === 0);
    await run.rest();
    expect(world.copy('results/a.json')).toBe(null);
    await round(run);
    expect(world.copy('results/a.json')).toBe('three');
    expect([world.onShare().filter(path => path.includes('~') || path.includes('.part')), world.notes]).toEqual([
      [],
      [],
    ]);
  });

  describe('a damaged record of the share', () => {
    const record = '/root/flags/share.json';

    async function withDamagedRecord(prepare: (world: SyncerWorld) => unknown) {
      const world = await SyncerWorld.on();
      world.files.put(results, '{"a":1}\n');
      await once(world);
      world.files.put(record, '\0\0\0');
      await prepare(world);
      await world.offer('a');
      return { world, run: start(world) };
    }

    it('is made anew where the marker is that of the share that was used last, and is kept', async () => {
      const before = await SyncerWorld.on();
      await once(before);
      const { world, run } = await withDamagedRecord(() => undefined);
      await run.until(() => world.synced().length === 1);
      const share = JSON.parse(world.files.content(marker)!.toString()) as { share_id: string };
      expect(JSON.parse(world.files.content(record)!.toString()).shares[remoteRoot]).toMatchObject(share);
      const kept = world.files.paths().filter(path => path.includes('share.damaged-'));
      expect(kept.map(path => world.files.content(path)!.toString())).toEqual(['\0\0\0']);
      expect(world.notes).toEqual([expect.stringContaining(kept[0]!)]);
    });

    it.each<[string, string, (world: SyncerWorld) => unknown]>([
      ['another share stands there', 'ESHARENOTMOUNTED', world => world.files.put(marker, '{"share_id":"other"}')],
      ['the share is not mounted', 'ESHARENOTMOUNTED', world => world.files.remove(marker)],
      ['nothing says what was copied', 'ESHARERECORD', world => world.files.remove('/root/flags/sync_state.json')],
    ])('stays where %s: nothing is written there, and the alarm says what to do', async (_, key, prepare) => {
      const { world, run } = await withDamagedRecord(prepare);
      const before = world.onShare();
      await run.until(() => run.count('alarm') === 2, 500);
      const message = expect.stringMatching(/[Dd]elete/);
      expect(run.events.findLast(event => event.kind === 'alarm')).toMatchObject({ key, message });
      expect([world.onShare(), world.files.content(record)!.toString()]).toEqual([before, '\0\0\0']);
    });
  });

  it('does not take a damaged marker for its own, says what to do, and goes on once that is done', async () => {
    const world = await SyncerWorld.on();
    await world.offer('a');
    await once(world);
    world.files.put(marker, '');
    await world.offer('b');
    const run = start(world);
    await run.until(() => run.count('alarm') === 2, 500);
    expect(run.events.findLast(event => event.kind === 'alarm')).toMatchObject({
      key: 'ESHARENOTMOUNTED',
      message: expect.stringMatching(/\.phorest_share\.json is damaged.*delete flags\/share\.json/),
    });
    await world.files.remove('/root/flags/share.json');
    await run.until(() => world.synced().length === 2, 500);
    expect(world.onShare().filter(path => path.includes('.png'))).toEqual(
      ['a', 'b'].map(id => `data/20250724/image_${id}.png`),
    );
  });

  it('tells a round as what it is: no item, and of no entry', async () => {
    const world = await SyncerWorld.on();
    world.files.put(results, '{"a":1}\n');
    const run = start(world);
    await run.until(() => run.count('round') === 1);
    expect(run.events.find(event => event.kind === 'round')).toMatchObject({ stage: 'syncer', detail: { files: 2 } });
    const { done, in_flight } = run.status('syncer');
    expect([done, in_flight, run.count('claimed')]).toEqual([0, 0, 0]);
  });

  it('notes a file that it can not read, and copies the others', async () => {
    const world = await SyncerWorld.on();
    world.files.put('/root/results/a.json', 'a');
    world.files.put('/root/results/b.json', 'b');
    world.files.gate = async (call, path) => {
      if (call === 'open' && path === '/root/results/a.json') throw failure('EACCES');
    };
    const run = start(world);
    await run.until(() => world.copy('results/b.json') !== null);
    await run.rest();
    await round(run);
    expect(world.notes).toEqual([expect.stringContaining('/root/results/a.json')]);
    expect(run.count('alarm')).toBe(0);
  });

  it('releases what a process that is gone had claimed', async () => {
    const files = new FaultyFiles();
    const before = await SyncerWorld.on(files, { pid: 7 });
    await before.offer('a', 'b');
    await before.manifest.claim('syncer', 2);
    const world = await SyncerWorld.on(files, { dead: [7] });
    await once(world);
    expect(world.synced()).toEqual(['a', 'b']);
  });
});
