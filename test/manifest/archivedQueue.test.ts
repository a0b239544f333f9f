import { describe, expect, test } from 'vitest';
import { archiveFolder, markedSegments, readArchive } from '../../src/manifest/archive.ts';
import { isSettled } from '../../src/manifest/isSettled.ts';
import { lateOutcomesFile } from '../../src/manifest/lateOutcomes.ts';
import type { Manifest, ManifestOptions } from '../../src/manifest/manifest.ts';
import type { WorkRules } from '../../src/manifest/workRules.ts';
import type { Entry } from '../../src/model/entry.ts';
import { atEveryCrash, FaultyFiles } from '../world/faultyFiles.ts';
import { identity, ids, manifestFile, openSample, sampleEntry } from '../world/sampleManifest.ts';

const syncing: WorkRules = { compression: false, sync: true };
const names = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `e${from + i}`);
/** Analysed and reported, its image not on the share. */
const waits = (id: string): Entry => sampleEntry(id, { processing_status: 'failed' });
const copied = ({ entry_id: id }: Pick<Entry, 'entry_id'>): Partial<Entry> => ({
  image_synced: true,
  remote_copy: { path: `data/image_${id}.png`, size: 1, sha256: 'a' },
});

function disk(): FaultyFiles {
  const files = new FaultyFiles();
  files.put('/root/data/other.txt', '');
  return files;
}

function open(files: FaultyFiles, changes: Partial<ManifestOptions> = {}): Promise<Manifest> {
  const rules = changes.rules ?? (() => syncing);
  return openSample(files, {
    liveEntries: 4,
    isSettled: entry => isSettled(entry, rules()),
    rules,
    own: identity(2),
    liveness: ({ pid }) => (pid === 1 ? 'gone' : 'alive'),
    ...changes,
  });
}

/** A manifest with entries that wait for the share: so many more than stay live. */
async function away(count: number, changes: Partial<ManifestOptions> = {}) {
  const files = disk();
  const manifest = await open(files, changes);
  for (const id of names(0, count)) await manifest.offer([waits(id)]);
  await manifest.compact();
  return { files, manifest };
}

/** Claims and copies one after the other, until nothing waits. Gives the order. */
async function copyAll(manifest: Manifest): Promise<string[]> {
  const order: string[] = [];
  for (;;) {
    const claimed = await manifest.claim('syncer', 3);
    if (claimed.length === 0) return order;
    for (const entry of claimed) expect(await manifest.settle([entry], 'syncer', copied(entry))).toBe(1);
    order.push(...ids(claimed));
  }
}

async function everything(manifest: Manifest, files: FaultyFiles): Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>();
  for await (const entry of readArchive(files, manifestFile)) found.set(entry.entry_id, entry);
  for (const entry of manifest.entries()) found.set(entry.entry_id, entry);
  return found;
}

describe('while the share is away', () => {
  test('no more entries stay live than configured; all are counted, and copied in order once it is back', async () => {
    const { files, manifest } = await away(40);
    expect(manifest.size).toBeLessThanOrEqual(4);
    expect(manifest.waiting('syncer')).toBe(40);
    const again = await open(files.afterCrash('lost'));
    expect(again.waiting('syncer')).toBe(40);
    expect(await copyAll(again)).toEqual(names(0, 40));
    expect(again.waiting('syncer')).toBe(0);
  });

  test('what was copied stays so after a power cut, and its segment is marked no more', async () => {
    const { files, manifest } = await away(40);
    await copyAll(manifest);
    const left = files.afterCrash('lost');
    const again = await open(left);
    expect(await again.claim('syncer', 9)).toEqual([]);
    expect(await markedSegments(left, manifestFile)).toEqual([]);
    for (const [id, entry] of await everything(again, left)) expect(entry).toMatchObject(copied({ entry_id: id }));
  });

  test('half of it was copied when the power went: the other half is copied next, and nothing twice', async () => {
    const { files, manifest } = await away(12);
    const first = await manifest.claim('syncer', 2);
    for (const entry of first) await manifest.settle([entry], 'syncer', copied(entry));
    await manifest.claim('syncer', 2);
    const again = await open(files.afterCrash('lost'));
    expect(again.waiting('syncer')).toBe(10);
    expect(await copyAll(again)).toEqual(names(2, 12));
  });

  test('what is released, since the share failed, comes first again', async () => {
    const { manifest } = await away(12);
    const claimed = await manifest.claim('syncer', 2);
    expect(manifest.waiting('syncer')).toBe(10);
    await manifest.releaseEventually(claimed, 'syncer');
    expect(manifest.waiting('syncer')).toBe(12);
    expect(await copyAll(manifest)).toEqual(names(0, 12));
  });

  test('what can not be copied does not stand in the way of the others', async () => {
    const { files, manifest } = await away(12);
    const failing = await manifest.claim('syncer', 2);
    expect(await copyAll(manifest)).toEqual(names(2, 12));
    expect(await markedSegments(files, manifestFile)).toHaveLength(1);
    await manifest.releaseEventually(failing, 'syncer');
    expect(await copyAll(manifest)).toEqual(names(0, 2));
    expect(await markedSegments(files, manifestFile)).toEqual([]);
  });

  test('the backup moves no segment in which an image waits, and moves it afterwards', async () => {
    const { manifest } = await away(12);
    await manifest.archive.takeSettled();
    expect(await manifest.archive.movableSegments()).toEqual([]);
    await copyAll(manifest);
    const segments = await manifest.archive.movableSegments();
    expect(segments.length).toBeGreaterThan(0);
    for (const segment of segments) await manifest.archive.move(segment, '/backup');
    for await (const entry of manifest.archive.entries()) expect(entry.image_synced).toBe(true);
  });

  test('copying is switched off and on again: nothing is taken meanwhile, and nothing is forgotten', async () => {
    let rules: WorkRules = syncing;
    const { manifest } = await away(12, { rules: () => rules });
    rules = { compression: false, sync: false };
    await manifest.rulesChanged();
    expect(manifest.waiting('syncer')).toBe(0);
    expect(await manifest.claim('syncer', 9)).toEqual([]);
    rules = syncing;
    await manifest.rulesChanged();
    expect(await copyAll(manifest)).toEqual(names(0, 12));
  });

  test('compression is switched on: what had passed by then is copied as it is', async () => {
    let rules: WorkRules = syncing;
    const { manifest } = await away(12, { rules: () => rules });
    rules = { compression: true, sync: true };
    await manifest.rulesChanged();
    const left = manifest.waiting('compressor');
    expect(await copyAll(manifest)).toEqual(names(0, 12 - left));
  });

  test('an image that is set back meanwhile is analysed anew, and the copy under way says nothing of it', async () => {
    const { files, manifest } = await away(12);
    const [claimed] = await manifest.claim('syncer', 1);
    expect(await manifest.requeue([claimed!], 'pending', { restore: true })).toHaveLength(1);
    expect(await manifest.settle([claimed!], 'syncer', copied(claimed!))).toBe(0);
    expect(manifest.get('e0')).toMatchObject({ processing_status: 'pending', image_synced: false });
    await manifest.settle(await manifest.claim('processor', 1), 'processor', { processing_status: 'failed' });
    expect((await copyAll(manifest)).sort()).toEqual(names(0, 12).sort());
    expect((await everything(manifest, files)).get('e0')).toMatchObject({ attempt: 1, ...copied({ entry_id: 'e0' }) });
  });

  test('another process archives, and this one hears of it', async () => {
    const files = disk();
    const manifest = await open(files);
    const other = await open(files.twin(), { own: identity(3) });
    for (const id of names(0, 12)) await other.offer([waits(id)]);
    await other.compact();
    await manifest.catchUp();
    expect(await copyAll(manifest)).toEqual(names(0, 12));
  });

  test('a torn line in the list of what was copied costs one copy more', async () => {
    const { files, manifest } = await away(12);
    await copyAll(manifest);
    const [segment] = await manifest.archive.segments();
    const list = lateOutcomesFile(archiveFolder(manifestFile), segment!, 'syncer');
    files.put(list, files.content(list)!.subarray(0, -9));
    const synced = (await manifest.archive.segment(segment!)).map(entry => entry.image_synced);
    expect(synced.filter(Boolean)).toHaveLength(synced.length - 1);
  });
});

test('a mark whose segment is gone, and a segment that is damaged, stop nothing', async () => {
  const { files, manifest } = await away(12);
  const [segment] = await manifest.archive.segments();
  const folder = archiveFolder(manifestFile);
  files.put(`${folder}/entries.99.0a0b0c0d.syncer.5`, '');
  files.put(`${folder}/${segment}`, 'no gzip');
  const notes: string[] = [];
  const again = await open(files.afterCrash('kill'), { note: (_level, message) => notes.push(message) });
  const order = await copyAll(again);
  expect(order).toEqual(names(12 - order.length, 12));
  expect(order.length).toBeGreaterThan(2);
  expect(notes).toHaveLength(1);
  expect(notes[0]).toMatch(/can't be read.*what waits in it for the share is not copied meanwhile/);
});

test('a crash at any step of archiving and copying loses no image that waits, and no copy that was acknowledged', async () => {
  const crashes = await atEveryCrash<string[]>({
    start: disk(),
    context: () => [],
    prefixes: 2,
    work: async (files, told) => {
      const manifest = await open(files, { own: identity(1), liveness: () => 'alive' });
      await manifest.offer(names(0, 6).map(waits));
      await manifest.compact();
      for (let i = 0; i < 2; i++) {
        for (const entry of await manifest.claim('syncer', 2)) {
          if ((await manifest.settle([entry], 'syncer', copied(entry))) === 1) told.push(entry.entry_id);
        }
      }
      await manifest.close({ compact: true });
    },
    check: async (files, told) => {
      const manifest = await open(files);
      await manifest.release(manifest.orphans('syncer'), 'syncer');
      const before = await everything(manifest, files);
      for (const id of told) expect(before.get(id)).toMatchObject(copied({ entry_id: id }));
      const order = await copyAll(manifest);
      for (const id of told) expect(order).not.toContain(id);
      for (const [id, entry] of await everything(manifest, files))
        expect(entry).toMatchObject(copied({ entry_id: id }));
      // What still stands in both places when the segment is looked at is copied from one of them.
      await manifest.compact();
      expect(await copyAll(manifest)).toEqual([]);
    },
  });
  expect(crashes).toBeGreaterThan(100);
});
