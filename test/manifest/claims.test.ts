import { describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/manifest/manifest.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';
import { identity, ids, manifestFile, openSample, sampleEntry } from '../world/sampleManifest.ts';
import { StealableLock } from './stealableLock.ts';

async function withEntries(count: number, changes = {}): Promise<{ files: FaultyFiles; manifest: Manifest }> {
  const files = new FaultyFiles();
  files.put('/root/data/other.txt', '');
  const manifest = await openSample(files, changes);
  await manifest.offer(Array.from({ length: count }, (_, i) => sampleEntry(`e${i}`)));
  return { files, manifest };
}

const processed = { processing_status: 'processed' as const };

describe('a claim', () => {
  test('takes what waits in order of collection, with place and attempt, and no more than there is', async () => {
    const { manifest } = await withEntries(3);
    const [first] = await manifest.claim('processor', 1, { place: { segment: 2, length: 77 } });
    expect(first).toMatchObject({ entry_id: 'e0', processing_status: 'processing', attempt: 1 });
    expect(first.claims.processor).toMatchObject({ ...identity(1), segment: 2, length: 77 });
    expect(ids(await manifest.claim('processor', 9))).toEqual(['e1', 'e2']);
    expect(await manifest.claim('processor', 9)).toEqual([]);
    expect(manifest.inFlight('processor')).toBe(3);
  });

  test('is given to one of two that ask at the same moment', async () => {
    const { manifest } = await withEntries(10);
    const taken = await Promise.all(Array.from({ length: 6 }, () => manifest.claim('processor', 2)));
    expect(ids(taken.flat()).sort()).toEqual(Array.from({ length: 10 }, (_, i) => `e${i}`));
  });

  test('ends with its outcome, and the next stage takes over', async () => {
    const { manifest } = await withEntries(1);
    expect(manifest.waiting('communicator')).toBe(0);
    expect(await manifest.settle(await manifest.claim('processor', 1), 'processor', processed)).toBe(1);
    expect(manifest.get('e0')).toMatchObject({ ...processed, claims: {} });
    expect(ids(await manifest.claim('communicator', 1))).toEqual(['e0']);
  });

  test('released leaves the entry as it was, but for the attempt', async () => {
    const { manifest } = await withEntries(2);
    const claimed = await manifest.claim('processor', 1);
    expect(await manifest.release(claimed, 'processor', { worker_deaths: 1 })).toBe(1);
    expect(manifest.get('e0')).toMatchObject({
      processing_status: 'pending',
      claims: {},
      attempt: 1,
      worker_deaths: 1,
    });
    expect(ids(await manifest.claim('processor', 1))).toEqual(['e0']);
  });

  test('that was released and taken by another makes a late outcome void', async () => {
    const { manifest } = await withEntries(1);
    const late = await manifest.claim('processor', 1);
    await manifest.release(late, 'processor');
    const second = await manifest.claim('processor', 1);
    expect(await manifest.settle(late, 'processor', { processing_status: 'failed' })).toBe(0);
    expect(await manifest.settle(second, 'processor', processed)).toBe(1);
    expect(await manifest.settle(second, 'processor', { processing_status: 'failed' })).toBe(0);
    expect(manifest.get('e0')).toMatchObject({ processing_status: 'processed', attempt: 2 });
  });

  test('of a report ends although the image was set back meanwhile, and its outcome is void', async () => {
    const { manifest, files } = await withEntries(1);
    await manifest.settle(await manifest.claim('processor', 1), 'processor', processed);
    const reporting = await manifest.claim('communicator', 1);
    await manifest.compact();
    const [entry] = JSON.parse(files.content(manifestFile)!.toString());
    files.put(manifestFile, JSON.stringify([{ ...entry, processing_status: 'pending' }]));
    await manifest.catchUp();
    await manifest.claim('processor', 1);
    expect(await manifest.settle(reporting, 'communicator', { data_transmitted: true })).toBe(0);
    expect(manifest.get('e0')).toMatchObject({ data_transmitted: false, processing_status: 'processing' });
    expect(manifest.inFlight('communicator')).toBe(0);
  });

  test('of a process that is gone is an orphan; of one that nobody here can judge it is not', async () => {
    const { manifest, files } = await withEntries(2);
    await manifest.claim('processor', 1);
    const other = await openSample(files.twin(), { own: identity(2) });
    await other.claim('processor', 1);
    const third = await openSample(files.twin(), { liveness: ({ pid }) => (pid === 1 ? 'gone' : 'unknown') });
    expect(ids(third.orphans('processor'))).toEqual(['e0']);
    expect(await third.release(third.orphans('processor'), 'processor')).toBe(1);
    expect(ids(await third.claim('processor', 9))).toEqual(['e0']);
  });

  test('behind another stage stops where that one works, for a minute and no longer', async () => {
    let now = 1_753_364_713_000;
    const { manifest } = await withEntries(3, { clock: { now: () => now, monotonic: () => now } });
    const claimed = await manifest.claim('processor', 3);
    await manifest.settle([claimed[0], claimed[2]], 'processor', processed);
    expect(ids(await manifest.claim('communicator', 9, { behind: 'processor' }))).toEqual(['e0']);
    expect(await manifest.claim('communicator', 9, { behind: 'processor' })).toEqual([]);
    now += 61_000;
    expect(ids(await manifest.claim('communicator', 9, { behind: 'processor' }))).toEqual(['e2']);
  });
});

describe('a commit', () => {
  test('takes all that was asked for at one moment: one write and one fsync', async () => {
    const { manifest, files } = await withEntries(0);
    const before = files.steps.length;
    await Promise.all(Array.from({ length: 100 }, (_, i) => manifest.offer([sampleEntry(`n${i}`)])));
    expect(files.steps.slice(before).map(step => step.kind)).toEqual(['write', 'sync']);
    expect(manifest.size).toBe(100);
  });

  test('comes for who asks at any moment after another was acknowledged', async () => {
    const { manifest } = await withEntries(0);
    for (let ticks = 0; ticks < 60; ticks++) {
      await manifest.offer([sampleEntry(`a${ticks}`)]);
      for (let i = 0; i < ticks; i++) await Promise.resolve();
      await manifest.offer([sampleEntry(`b${ticks}`)]);
    }
    expect(manifest.size).toBe(120);
  });

  test('that the disk refused is taken back, and what it may have claimed is released', async () => {
    const { manifest, files } = await withEntries(2);
    files.plan = step => (step.kind === 'sync' ? { error: 'EIO' } : null);
    await expect(manifest.claim('processor', 1)).rejects.toMatchObject({ code: 'EIO' });
    await expect(manifest.claim('processor', 1)).rejects.toMatchObject({ code: 'EIO' });
    files.plan = () => null;
    expect(ids(await manifest.claim('processor', 9))).toEqual(['e0', 'e1']);
    expect(ids((await openSample(files.afterCrash('lost'))).entries())).toEqual(['e0', 'e1']);
  });

  test('after a failed fsync rests on nothing in that journal: a snapshot comes first', async () => {
    const { manifest, files } = await withEntries(1);
    files.plan = step => (step.kind === 'sync' ? { error: 'EIO' } : null);
    await expect(manifest.offer([sampleEntry('x')])).rejects.toMatchObject({ code: 'EIO' });
    files.plan = () => null;
    const failed = files.steps.at(-1)!.path;
    const before = files.steps.length;
    await manifest.offer([sampleEntry('y')]);
    const writes = files.steps.slice(before).filter(({ kind }) => kind === 'write' || kind === 'rename');
    expect(writes.map(({ path }) => path)).not.toContain(failed);
    expect(writes.findIndex(({ kind }) => kind === 'rename')).toBeLessThan(writes.length - 1);
    expect(ids((await openSample(files.afterCrash('lost'))).entries())).toContain('y');
  });

  test('fails whole on a full disk, names the file, and goes on when there is room', async () => {
    const { manifest, files } = await withEntries(1);
    files.plan = step => (step.kind === 'write' ? { short: 30 } : null);
    await expect(manifest.offer([sampleEntry('x')])).rejects.toThrow(/journal\.\d+\.jsonl: only 30 of \d+ bytes/);
    expect(manifest.get('x')).toBeUndefined();
    files.plan = () => null;
    await manifest.offer([sampleEntry('x')]);
    expect(ids((await openSample(files.afterCrash('lost'))).entries())).toEqual(['e0', 'x']);
  });

  test('of a writer whose lock was stolen while it slept counts only where nobody was faster', async () => {
    const lock = new StealableLock();
    const { manifest, files } = await withEntries(1, { exclusive: lock.exclusive() });
    const other = await openSample(files.twin(), { exclusive: lock.exclusive(), own: identity(2) });
    let wake = (): void => undefined;
    const asleep = new Promise<void>(resolve => {
      files.gate = call => {
        if (call !== 'write') return Promise.resolve();
        files.gate = null;
        resolve();
        return new Promise(go => {
          wake = go;
        });
      };
    });
    const sleeper = manifest.claim('processor', 1);
    await asleep;
    lock.steal();
    const [mine] = await other.claim('processor', 1);
    expect(mine.entry_id).toBe('e0');
    wake();
    expect(await sleeper).toEqual([]);
    expect(await other.settle([mine], 'processor', processed)).toBe(1);
  });

  test('is refused after closing', async () => {
    const { manifest } = await withEntries(0);
    await manifest.close({ compact: false });
    await expect(manifest.offer([sampleEntry('late')])).rejects.toThrow(`${manifestFile} is closed`);
  });

  test('closing on a full disk is no error, and loses nothing', async () => {
    const notes: string[] = [];
    const { manifest, files } = await withEntries(2, { note: (_: string, message: string) => notes.push(message) });
    files.plan = step => (step.kind === 'write' ? { error: 'ENOSPC' } : null);
    await manifest.close({ compact: true });
    expect(notes.join()).toMatch(/the compaction at the end failed: ENOSPC/);
    expect(ids((await openSample(files.afterCrash('lost'))).entries())).toEqual(['e0', 'e1']);
  });
});

describe('two processes on one manifest', () => {
  test.each(['open', 'write', 'sync', 'rename', 'syncFolder', 'remove', 'list'])(
    'a compaction that was suspended before any %s, and goes on after others have compacted, puts nothing old over the new',
    async operation => {
      for (let nth = 0; nth < 8; nth++) {
        const lock = new StealableLock();
        const { manifest, files } = await withEntries(1, { exclusive: lock.exclusive() });
        const other = await openSample(files.twin(), { exclusive: lock.exclusive(), own: identity(2) });
        let wake = (): void => undefined;
        let left = nth;
        const compacting = new Promise<void>(resolve => {
          files.gate = call => {
            if (call !== operation || left-- > 0) return Promise.resolve();
            files.gate = null;
            lock.steal();
            resolve();
            return new Promise(go => {
              wake = go;
            });
          };
          const finish = (): void => {
            files.gate = null;
            resolve();
          };
          void manifest.compact().then(finish, finish);
        });
        await compacting;
        for (const id of ['x', 'y', 'z']) {
          await other.offer([sampleEntry(id)]);
          await other.compact();
        }
        wake();
        await manifest.catchUp();
        await other.catchUp();
        expect(ids(manifest.entries())).toEqual(['e0', 'x', 'y', 'z']);
        expect(ids((await openSample(files.afterCrash('lost'))).entries())).toEqual(['e0', 'x', 'y', 'z']);
      }
    },
  );

  test('each hears of the changes of both, in the order in which they count', async () => {
    const { manifest, files } = await withEntries(0);
    const other = await openSample(files.twin(), { own: identity(2) });
    const heard: string[][] = [[], []];
    for (const [i, one] of [manifest, other].entries())
      one.changes$.subscribe(change => {
        if ('op' in change) heard[i].push(`${change.op} ${change.id}`);
      });
    await manifest.offer([sampleEntry('a')]);
    const claimed = await other.claim('processor', 1);
    await other.catchUp();
    const [taken] = await other.claim('processor', 1);
    await manifest.offer([sampleEntry('b')]);
    await other.settle([taken], 'processor', processed);
    await Promise.all([manifest.catchUp(), other.catchUp()]);
    expect(claimed).toEqual([]);
    expect(heard[0]).toEqual(['add a', 'claim a', 'add b', 'settle a']);
    expect(heard[1]).toEqual(heard[0]);
    expect([...other.entries()]).toEqual([...manifest.entries()]);
  });

  test('what one builds on lines that another did not live to sync survives a power cut', async () => {
    const { files, manifest } = await withEntries(0);
    files.plan = step => (step.kind === 'sync' ? { stop: true, applied: 0 } : null);
    await expect(manifest.offer([sampleEntry('unsynced')])).rejects.toThrow();
    const next = files.twin();
    const heir = await openSample(next, { own: identity(2) });
    next.plan = step => (step.path.endsWith('.tmp') ? { error: 'ENOSPC' } : null);
    await expect(heir.compact()).rejects.toMatchObject({ code: 'ENOSPC' });
    const [claimed] = await heir.claim('processor', 1);
    expect(await heir.settle([claimed], 'processor', processed)).toBe(1);
    const after = await openSample(next.afterCrash('lost'));
    expect(after.get('unsynced')).toMatchObject(processed);
  });

  test('one that finds its journals gone reads anew and says so', async () => {
    const { manifest, files } = await withEntries(1);
    const other = await openSample(files.twin());
    const heard: unknown[] = [];
    other.changes$.subscribe(change => heard.push(change));
    for (const id of ['x', 'y', 'z', 'u']) {
      await manifest.offer([sampleEntry(id)]);
      await manifest.compact();
    }
    await other.catchUp();
    expect(heard).toEqual([{ reloaded: true }]);
    expect(ids(other.entries())).toEqual(['e0', 'x', 'y', 'z', 'u']);
  });
});
