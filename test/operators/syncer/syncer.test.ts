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
import { day, imageOf, remoteRoot, SyncBench, syncRules, syncSettings } from '../../world/syncerWorld.ts';

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

  function start(bench: SyncBench, settings: Partial<SyncSettings> = {}) {
    const run = new StageRun<SyncSettings>({ ...syncSettings, ...settings });
    runs.push(run);
    return run.start(bench.stage(run.tools));
  }

  /** Runs till everything that waits is copied, and stops. */
  async function once(bench: SyncBench, settings: Partial<SyncSettings> = {}): Promise<StageRun<SyncSettings>> {
    const run = start(bench, settings);
    run.upstreamDone$.next();
    run.settings$.complete();
    await run.until(() => run.complete);
    await run.putAway();
    return run;
  }

  const round = (run: StageRun<SyncSettings>) =>
    vi.advanceTimersByTimeAsync(syncSettings.intervalMs).then(() => run.rest());

  it('copies each image to the folder of its day, checks it, and then settles the entry with where it is', async () => {
    const bench = await SyncBench.on();
    await bench.offer('a', 'b', 'c');
    const run = start(bench);
    await run.until(() => bench.synced().length === 3);
    for (const id of ['a', 'b', 'c']) {
      expect(bench.copy(`data/20250724/image_${id}.png`)).toBe(imageOf(id).toString());
      expect(bench.get(id)).toMatchObject({
        image_synced: true,
        remote_copy: {
          path: `data/20250724/image_${id}.png`,
          size: imageOf(id).length,
          sha256: createHash('sha256').update(imageOf(id)).digest('hex'),
        },
        claims: {},
      });
      expect(isSettled(bench.get(id), syncRules)).toBe(true);
      expect(bench.files.content(`${day}/image_${id}.png`)).toEqual(imageOf(id));
    }
    expect(bench.onShare().filter(path => path.includes('.part'))).toEqual([]);
  });

  it('takes images oldest first, no more at a time than it may', async () => {
    const bench = await SyncBench.on();
    await bench.offer('a', 'b', 'c', 'd', 'e');
    const begun: string[] = [];
    let now = 0;
    let most = 0;
    bench.onCall = async (call, request) => {
      if (call !== 'place') return;
      begun.push((request as { local: string }).local.slice(-5, -4));
      most = Math.max(most, ++now);
      await Promise.resolve();
    };
    bench.onCalled = async call => {
      if (call === 'place') now--;
    };
    const run = start(bench, { filesInFlight: 2 });
    await run.until(() => bench.synced().length === 5);
    expect([begun, most]).toEqual([['a', 'b', 'c', 'd', 'e'], 2]);
  });

  it('copies the manifest first, then the files it was told of, and what has not changed not again', async () => {
    const bench = await SyncBench.on();
    bench.files.put(results, '{"a":1}\n');
    bench.files.put('/root/results/processed_data_plot.png', 'plot');
    bench.files.put('/root/results/processing_results.jsonl.lock-owner.json', '{}');
    bench.files.put('/root/results/x.json.123-abcdef01.tmp', 'half');
    await bench.manifest.offer([sampleEntry('waits')]);
    const run = start(bench);
    await run.until(() => bench.copy('results/processed_data_plot.png') !== null);
    await run.rest();
    expect(bench.onShare()).toEqual(['data/metadata_manifest.json', 'results/processed_data_plot.png', resultsCopy]);
    expect(idsIn(bench.copy('data/metadata_manifest.json'))).toEqual(['waits']);
    const writes = () => bench.files.steps.filter(({ path }) => path.startsWith(remoteRoot)).map(({ path }) => path);
    const first = writes();
    expect(first.findIndex(path => path.includes('metadata_manifest'))).toBeLessThan(
      first.findIndex(path => path.includes('/results/')),
    );
    await round(run);
    await round(run);
    expect(bench.calls.filter(call => call === 'stats').length).toBeGreaterThanOrEqual(6);
    expect(writes()).toEqual(first);
  });

  it('appends to growing files what is new, whole lines only', async () => {
    const bench = await SyncBench.on();
    const sent: number[] = [];
    bench.onCalled = async (call, answer) => {
      if (call === 'append') sent.push((answer as Appended).sent);
    };
    bench.files.put(results, '{"a":1}\n{"b":');
    const run = start(bench);
    await run.until(() => bench.copy(resultsCopy) !== null);
    await run.rest();
    expect(bench.copy(resultsCopy)).toBe('{"a":1}\n');
    bench.files.put(results, '{"a":1}\n{"b":2}\n{"c":3}\n');
    await round(run);
    expect(bench.copy(resultsCopy)).toBe('{"a":1}\n{"b":2}\n{"c":3}\n');
    expect(sent).toEqual([8, 16]);
    expect(bench.notes).toEqual([]);
  });

  it('continues a copy that a stale share has shorter, and one that is longer than was remembered', async () => {
    const lines = Array.from({ length: 20 }, (_, i) => `{"line":${i}}\n`);
    const text = lines.join('');
    for (const there of [lines.slice(0, 7).join(''), text.slice(0, 45), text, '']) {
      const bench = await SyncBench.on();
      bench.files.put(results, lines.slice(0, 10).join(''));
      const run = start(bench);
      await run.until(() => bench.copy(resultsCopy) !== null);
      await run.rest();
      bench.files.put(`${remoteRoot}/${resultsCopy}`, there);
      bench.files.put(results, text);
      await round(run);
      await run.rest();
      expect(bench.copy(resultsCopy)).toBe(text);
      expect(bench.notes).toEqual([]);
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
      const bench = await SyncBench.on();
      bench.files.put(results, text);
      const run = start(bench);
      await run.until(() => bench.copy(resultsCopy) !== null);
      await run.rest();
      bench.files.put(`${remoteRoot}/${resultsCopy}`, there);
      await round(run);
      await run.rest();
      expect(bench.copy(resultsCopy)).toBe(text);
      const kept = bench.onShare().filter(path => path.startsWith('results/processing_results~'));
      expect(kept).toHaveLength(1);
      expect(there.endsWith(bench.copy(kept[0]!)!)).toBe(true);
      expect(bench.copy(kept[0]!)!.length).toBe(there.startsWith(text) ? there.length - text.length : there.length);
      expect(bench.notes).toEqual([expect.stringContaining(kept[0]!)]);
      run.unsubscribe();
      await run.putAway();
    }
  });

  it('copies again what a share that comes back as it was earlier has lost, and says what is nowhere', async () => {
    const bench = await SyncBench.on();
    bench.files.put(results, '{"a":1}\n');
    await bench.offer('a');
    const run = start(bench);
    await run.until(() => bench.synced().length === 1);
    await run.rest();
    const earlier = bench.onShare().map(path => [path, bench.copy(path)!] as const);
    await bench.offer('b', 'c', 'd');
    bench.files.put(results, '{"a":1}\n{"b":2}\n');
    await round(run);
    await run.until(() => bench.synced().length === 4);
    for (const path of bench.onShare()) await bench.files.remove(`${remoteRoot}/${path}`);
    for (const [path, content] of earlier) bench.files.put(`${remoteRoot}/${path}`, content);
    // The ring buffer has taken the local one.
    await bench.files.remove(`${day}/image_c.png`);
    await round(run);
    await run.until(() => bench.copy('data/20250724/image_d.png') !== null && bench.notes.length === 2);
    expect(bench.copy('data/20250724/image_b.png')).toBe(imageOf('b').toString());
    expect(bench.copy(resultsCopy)).toBe('{"a":1}\n{"b":2}\n');
    expect(bench.notes).toEqual([expect.stringContaining('lost 2 images'), expect.stringContaining('lost 1 image')]);
    expect(run.count('alarm')).toBe(0);
    const calls = bench.calls.filter(call => call === 'place').length;
    await round(run);
    expect(bench.calls.filter(call => call === 'place').length).toBe(calls);
  });

  it('looks at the newest files that never change, and at all where one is lost, after an hour, and at its start', async () => {
    const bench = await SyncBench.on();
    const names = Array.from({ length: 40 }, (_, i) => `old.${10 + i}.jsonl.gz`);
    for (const name of names) bench.files.put(`/root/results/${name}`, name);
    let asked: string[] = [];
    bench.onCall = async (call, request) => {
      if (call === 'stats') asked.push(...(request as string[]));
    };
    const looked = (): string[] => asked.filter(path => path.startsWith('results/')).map(path => basename(path));
    const lose = (place: number) => bench.files.remove(`${remoteRoot}/results/${names[place]}`);
    const missing = (): string[] => names.filter(name => bench.copy(`results/${name}`) === null);
    const run = start(bench);
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
    const { calls } = bench;
    calls.length = 0;
    await once(bench);
    expect(missing()).toEqual([]);
    expect(calls.filter(call => call === 'place')).toHaveLength(1);
  });

  it('follows a growing file that was made anew', async () => {
    const bench = await SyncBench.on();
    const table = '/root/results/communicating_results.csv';
    const copy = 'results/communicating_results.csv';
    const first = 'a,b\n1,2\n3,4\n5,6\n';
    bench.files.put(table, first);
    const run = start(bench);
    await run.until(() => bench.copy(copy) !== null);
    await run.rest();
    for (const [i, text] of ['a,b\n1,2\n3,9\n', 'a,b\n0,2\n3,9\n5,6\n7,8\n'].entries()) {
      bench.files.put(table, text);
      await round(run);
      expect(bench.copy(copy)).toBe(text);
      expect(bench.onShare().filter(path => path.includes('~'))).toHaveLength(i + 1);
    }
  });

  it('never replaces an image with other content: its own copy is beside it, and it says so', async () => {
    const bench = await SyncBench.on();
    await bench.offer('a');
    bench.files.put(`${remoteRoot}/data/20250724/image_a.png`, 'of another experiment');
    const run = await once(bench);
    expect(run.count('done')).toBe(1);
    expect(bench.copy('data/20250724/image_a.png')).toBe('of another experiment');
    const sha256 = createHash('sha256').update(imageOf('a')).digest('hex');
    const beside = `data/20250724/image_a~${sha256.slice(0, 8)}.png`;
    expect(bench.copy(beside)).toBe(imageOf('a').toString());
    expect(bench.get('a')).toMatchObject({ image_synced: true, remote_copy: { path: beside, sha256 } });
    expect(bench.notes).toEqual([expect.stringContaining(beside)]);
  });

  it('takes a copy with the same content for done', async () => {
    const bench = await SyncBench.on();
    await bench.offer('a');
    bench.files.put(`${remoteRoot}/data/20250724/image_a.png`, imageOf('a'));
    const placed: Placed[] = [];
    bench.onCalled = async (call, answer) => {
      if (call === 'place') placed.push(answer as Placed);
    };
    await once(bench);
    expect(placed).toMatchObject([{ found: 'same', sent: 0 }]);
    expect(bench.synced()).toEqual(['a']);
  });

  it('keeps the manifest of another experiment that stands on the share, and its own the next time', async () => {
    const bench = await SyncBench.on();
    bench.files.put(`${remoteRoot}/data/metadata_manifest.json`, '[]\n');
    await bench.offer('a');
    await once(bench);
    const kept = bench.onShare().filter(path => path.includes('manifest~'));
    expect(kept.map(path => bench.copy(path))).toEqual(['[]\n']);
    await bench.offer('b');
    await once(bench);
    expect(bench.onShare().filter(path => path.includes('manifest~'))).toEqual(kept);
    expect(idsIn(bench.copy('data/metadata_manifest.json'))).toEqual(['a', 'b']);
  });

  it('copies imported images too, those of each folder to a folder of its own', async () => {
    const bench = await SyncBench.on();
    const original = (id: string, filepath: string) =>
      sampleEntry(id, {
        processing_status: 'processed',
        data_transmitted: true,
        camera_data: { ...sampleEntry(id).camera_data!, filename: 'img:1.tif', filepath, original: true },
      });
    for (const folder of ['/old/run 1/Pos0', '/old/run 2/Pos0']) bench.files.put(`${folder}/img:1.tif`, `of ${folder}`);
    await bench.manifest.offer([original('a', '/old/run 1/Pos0'), original('b', '/old/run 2/Pos0')]);
    await once(bench);
    const copies = bench.onShare().filter(path => path.startsWith('data/imported/'));
    expect(copies).toHaveLength(2);
    for (const path of copies) expect(path).toMatch(/^data\/imported\/Pos0~[0-9a-f]{8}\/img_1\.tif$/);
    expect(copies.map(path => bench.copy(path)).sort()).toEqual(['of /old/run 1/Pos0', 'of /old/run 2/Pos0']);
    expect(bench.files.content('/old/run 1/Pos0/img:1.tif')?.toString()).toBe('of /old/run 1/Pos0');
  });

  it('goes on past an image that is not here, tells it once, and tries it again at the next round', async () => {
    const bench = await SyncBench.on();
    await bench.offer('a', 'b', 'c');
    const image = bench.files.content(`${day}/image_a.png`)!;
    await bench.files.remove(`${day}/image_a.png`);
    const run = start(bench);
    await run.until(() => bench.synced().length === 2 && run.count('failed') === 1);
    expect(run.events.find(event => event.kind === 'failed')).toMatchObject({
      entryId: 'a',
      error: expect.stringContaining('image_a.png'),
    });
    await round(run);
    expect([run.count('failed'), run.count('discarded'), run.count('alarm')]).toEqual([1, 1, 0]);
    bench.files.put(`${day}/image_a.png`, image);
    await round(run);
    await run.until(() => bench.synced().length === 3);
    run.stop$.next();
    await run.until(() => run.complete);
    expect([bench.claimed(), run.status('syncer').lost]).toEqual([[], 0]);
  });

  it('writes nothing to a folder that is not the share, says so since when, and catches up when it is back', async () => {
    const bench = await SyncBench.on();
    await bench.offer('a');
    const run = start(bench);
    await run.until(() => bench.synced().length === 1);
    await run.rest();
    const content = bench.files.content(marker)!;
    await bench.files.remove(marker);
    const before = bench.onShare();
    await bench.offer('b', 'c');
    await run.until(() => run.count('alarm') === 1);
    expect(run.events.at(-1)).toMatchObject({
      kind: 'alarm',
      key: 'ESHARENOTMOUNTED',
      message: expect.stringContaining('is not mounted'),
    });
    await run.until(() => run.count('alarm') === 4, 500);
    expect([bench.onShare(), bench.claimed(), bench.synced()]).toEqual([before, [], ['a']]);
    bench.files.put(marker, '{"share_id":"another"}');
    await run.until(() => run.count('alarm') === 6, 500);
    expect(bench.onShare()).toEqual(before);
    expect(run.status('syncer').alarms).toEqual(['ESHARENOTMOUNTED']);
    bench.files.put(marker, content);
    await run.until(() => bench.synced().length === 3, 500);
    expect(run.status('syncer').alarms).toEqual([]);
  });

  it('refuses a share that is the folder of the experiment itself, and passes over one inside of what it copies', async () => {
    const itself = await SyncBench.on();
    await itself.offer('a');
    const refused = start(itself, { remoteRoot: '/root' });
    await refused.until(() => refused.count('alarm') === 2, 500);
    expect(refused.events.at(-1)).toMatchObject({ key: 'ESHAREITSELF', message: expect.stringContaining('/root') });
    expect(itself.synced()).toEqual([]);

    const inside = await SyncBench.on();
    inside.files.put(results, '{"a":1}\n');
    const run = start(inside, { remoteRoot: '/root/results/share' });
    await run.until(() => inside.files.content('/root/results/share/results/processing_results.jsonl') !== null);
    await run.rest();
    await round(run);
    await round(run);
    expect(inside.files.paths().filter(path => path.includes('share/results/share'))).toEqual([]);
  });

  it('makes the folder of the share at the first use only where its parent is there', async () => {
    const bench = await SyncBench.on();
    await bench.offer('a');
    const run = start(bench, { remoteRoot: '/mnt/nowhere/phorest' });
    await run.until(() => run.count('alarm') === 1);
    expect(run.events.at(-1)).toMatchObject({ key: 'ESHAREABSENT', message: expect.stringContaining('/mnt/nowhere') });
    expect(await bench.files.stat('/mnt')).toBeNull();
  });

  it.each(['EROFS', 'ENOSPC', 'EIO', 'ESTALE'])(
    'waits while the share says %s, marks nothing, and catches up',
    async code => {
      const bench = await SyncBench.on();
      await bench.offer('a', 'b');
      const run = start(bench);
      await run.until(() => bench.synced().length === 2);
      await bench.offer('c', 'd', 'e');
      bench.files.plan = ({ path }) => (path.startsWith(remoteRoot) ? { error: code } : null);
      await run.until(() => run.count('alarm') === 3, 500);
      expect([run.status('syncer').alarms, run.count('failed'), bench.claimed()]).toEqual([[code], 0, []]);
      bench.files.plan = () => null;
      await run.until(() => bench.synced().length === 5, 500);
      expect(run.status('syncer').alarms).toEqual([]);
      expect(bench.copy('data/20250724/image_e.png')).toBe(imageOf('e').toString());
    },
  );

  it('is well again without any image, once a round goes through', async () => {
    const bench = await SyncBench.on();
    bench.files.put(results, '{"a":1}\n');
    const run = start(bench);
    await run.until(() => bench.copy(resultsCopy) !== null);
    await run.rest();
    bench.files.put(results, '{"a":1}\n{"b":2}\n');
    bench.files.plan = ({ path }) => (path.startsWith(remoteRoot) ? { error: 'ENOSPC' } : null);
    await run.until(() => run.count('alarm') === 2, 500);
    bench.files.plan = () => null;
    await run.until(() => run.count('well') === 1, 500);
    expect([run.status('syncer').alarms, run.status('syncer').in_flight]).toEqual([[], 0]);
    expect(bench.copy(resultsCopy)).toBe('{"a":1}\n{"b":2}\n');
  });

  it('copies again what the share gave back otherwise than it was written', async () => {
    const bench = await SyncBench.on();
    await bench.offer('a');
    const flip = (path: string) => {
      const bytes = Buffer.from(bench.files.content(path)!);
      bytes[3]! ^= 1;
      bench.files.put(path, bytes);
    };
    let flipped = 0;
    bench.files.gate = async (call, path) => {
      if (call === 'open' && path.endsWith('.part') && bench.files.content(path)?.length && flipped++ === 0) flip(path);
    };
    const run = start(bench);
    await run.until(() => run.count('alarm') === 1);
    expect(run.events.at(-1)).toMatchObject({ key: 'ESHAREDAMAGED' });
    await run.until(() => bench.synced().length === 1, 500);
    expect(bench.copy('data/20250724/image_a.png')).toBe(imageOf('a').toString());
  });

  it('gives up what hangs a few seconds after a stop, and at once when it is cut short', async () => {
    for (const how of ['stop', 'cut'] as const) {
      const bench = await SyncBench.on();
      await bench.offer('a', 'b');
      bench.onCall = async call => {
        if (call === 'place') await new Promise(() => undefined);
      };
      const run = start(bench);
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
      expect([bench.claimed(), bench.open, bench.synced(), vi.getTimerCount()]).toEqual([[], 0, [], 0]);
    }
  });

  it('gives the rest of a round up likewise', async () => {
    const bench = await SyncBench.on();
    bench.onCall = async call => {
      if (call === 'prepare') await new Promise(() => undefined);
    };
    const run = start(bench);
    await run.until(() => bench.calls.includes('prepare'));
    run.stop$.next();
    await run.until(() => run.complete, 500);
    expect([bench.open, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it('has the last results and the final manifest on the share when upstream is done', async () => {
    const bench = await SyncBench.on();
    bench.files.put(results, '{"a":1}\n');
    await bench.offer('a');
    const run = start(bench);
    await run.until(() => bench.synced().length === 1);
    await run.rest();
    bench.files.put(results, '{"a":1}\n{"late":1}\n');
    run.settings$.complete();
    run.upstreamDone$.next();
    await run.until(() => run.complete);
    expect(bench.copy(resultsCopy)).toBe('{"a":1}\n{"late":1}\n');
    expect(bench.copy('data/metadata_manifest.json')).toContain('"image_synced":true');
  });

  it('copies what is new once more when it is stopped', async () => {
    const bench = await SyncBench.on();
    bench.files.put(results, '{"a":1}\n');
    const run = start(bench);
    await run.until(() => bench.copy(resultsCopy) !== null);
    await run.rest();
    bench.files.put(results, '{"a":1}\n{"late":1}\n');
    run.stop$.next();
    await run.until(() => run.complete);
    expect([bench.copy(resultsCopy), bench.notes, vi.getTimerCount()]).toEqual(['{"a":1}\n{"late":1}\n', [], 0]);
  });

  it('does not wait for that longer than a few seconds, and says so', async () => {
    const bench = await SyncBench.on();
    const run = start(bench);
    await run.until(() => bench.copy('data/metadata_manifest.json') !== null);
    await run.rest();
    bench.onCall = async () => new Promise(() => undefined);
    run.stop$.next();
    await run.rest();
    expect(run.complete).toBe(false);
    await vi.advanceTimersByTimeAsync(3000);
    await run.until(() => run.complete);
    expect(bench.notes).toEqual([expect.stringContaining('it took too long')]);
    expect([bench.open, vi.getTimerCount(), run.count('alarm')]).toEqual([0, 0, 0]);
  });

  it('notes a file that it can not read, and copies the others', async () => {
    const bench = await SyncBench.on();
    bench.files.put('/root/results/a.json', 'a');
    bench.files.put('/root/results/b.json', 'b');
    bench.files.gate = async (call, path) => {
      if (call === 'open' && path === '/root/results/a.json') throw failure('EACCES');
    };
    const run = start(bench);
    await run.until(() => bench.copy('results/b.json') !== null);
    await run.rest();
    await round(run);
    expect(bench.notes).toEqual([expect.stringContaining('/root/results/a.json')]);
    expect(run.count('alarm')).toBe(0);
  });

  it('releases what a process that is gone had claimed', async () => {
    const files = new FaultyFiles();
    const before = await SyncBench.on(files, { pid: 7 });
    await before.offer('a', 'b');
    await before.manifest.claim('syncer', 2);
    const bench = await SyncBench.on(files, { dead: [7] });
    await once(bench);
    expect(bench.synced()).toEqual(['a', 'b']);
  });
});
