import { describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/manifest/manifest.ts';
import type { Entry } from '../../src/model/entry.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';
import { identity, ids, manifestFile, openSample, sampleEntry } from '../world/sampleManifest.ts';
import { StealableLock } from './stealableLock.ts';

interface Running {
  files: FaultyFiles;
  manifest: Manifest;
  /** A second process. */
  other: Manifest;
  notes: string[];
}

/** Two processes on three entries, the first processed; all of it published. */
async function running(): Promise<Running> {
  const files = new FaultyFiles();
  files.put('/root/data/other.txt', '');
  const notes: string[] = [];
  const lock = new StealableLock();
  const note = (_level: string, message: string) => notes.push(message);
  const manifest = await openSample(files, { note, exclusive: lock.exclusive() });
  await manifest.offer(['a', 'b', 'c'].map(id => sampleEntry(id)));
  await manifest.settle(await manifest.claim('processor', 1), 'processor', { processing_status: 'processed' });
  await manifest.compact();
  const other = await openSample(files.twin(), { own: identity(2), exclusive: lock.exclusive(), writer: 'other' });
  return { files, manifest, other, notes };
}

const published = (files: FaultyFiles): Entry[] => JSON.parse(files.content(manifestFile)!.toString()) as Entry[];

/** As an editor saves that replaces the file. */
const save = (files: FaultyFiles, entries: unknown): void => files.put(manifestFile, JSON.stringify(entries, null, 2));

async function agree({ files, manifest, other }: Running): Promise<Entry[]> {
  await Promise.all([manifest.catchUp(), other.catchUp()]);
  await Promise.all([manifest.catchUp(), other.catchUp()]);
  const entries = [...manifest.entries()];
  expect([...other.entries()]).toEqual(entries);
  expect([...(await openSample(files.afterCrash('lost'))).entries()]).toEqual(entries);
  return entries;
}

describe('an edit by hand while the pipeline runs', () => {
  test('counts for every process: an image set back is claimed again, one set to skip is not', async () => {
    const world = await running();
    const [a, b, c] = published(world.files);
    save(world.files, [{ ...a, processing_status: 'pending' }, { ...b, processing_status: 'skip', remark: 'dust' }, c]);
    await world.other.catchUp();
    const entries = await agree(world);
    expect(entries[1]).toMatchObject({ processing_status: 'skip', remark: 'dust' });
    expect(ids(await world.manifest.claim('processor', 9))).toEqual(['a', 'c']);
  });

  test('in place, by an editor that has not finished, waits for the end of it', async () => {
    const world = await running();
    const [a, b, c] = published(world.files);
    const text = Buffer.from(JSON.stringify([{ ...a, remark: 'slow' }, b, c]));
    const file = await world.files.twin().open(manifestFile, 'w');
    await file.write(text.subarray(0, 700), 0);
    await world.manifest.catchUp();
    expect(world.manifest.get('a')?.remark).toBeUndefined();
    await file.write(text.subarray(700), 700);
    await file.sync();
    expect((await agree(world))[0].remark).toBe('slow');
  });

  test('that breaks the file is refused with the place, changes nothing, and is kept when the file is replaced', async () => {
    const world = await running();
    const before = [...world.manifest.entries()];
    world.files.put(manifestFile, '[{"entry_id":"a",]');
    await world.manifest.catchUp();
    expect(world.notes.at(-1)).toMatch(/was edited and can't be read: entry 0: .*mend it and save again/);
    expect([...world.manifest.entries()]).toEqual(before);
    await world.manifest.offer([sampleEntry('d')]);
    await world.manifest.compact();
    const copy = world.files.paths().find(path => path.includes('metadata_manifest.edited-'));
    expect(world.files.content(copy!)?.toString()).toBe('[{"entry_id":"a",]');
    expect(ids(published(world.files) as Entry[])).toEqual(['a', 'b', 'c', 'd']);
  });

  test('that breaks the file keeps a process that can not rebuild it from starting, which says what to do and changes nothing', async () => {
    const world = await running();
    world.files.put(manifestFile, `[${JSON.stringify(published(world.files)[0])},`);
    const before = world.files.content(manifestFile);
    await expect(openSample(world.files.twin())).rejects.toThrow(
      /metadata_manifest\.json can't be read: the array is not closed.*rebuilds it/,
    );
    expect(world.files.content(manifestFile)).toEqual(before);
  });

  test('that leaves entries out deletes nothing', async () => {
    const world = await running();
    save(world.files, published(world.files).slice(2));
    await world.manifest.catchUp();
    await world.manifest.compact();
    expect(ids(await agree(world))).toEqual(['a', 'b', 'c']);
  });

  test('may add an image, with an id or without', async () => {
    const world = await running();
    const { entry_id: _id, rev: _rev, claims: _claims, ...raw } = sampleEntry('new');
    save(world.files, [
      ...published(world.files),
      raw,
      { entry_timestamp_iso: 't', entry_id: 'own', camera_data: null },
    ]);
    const entries = await agree(world);
    expect(entries).toHaveLength(5);
    expect(entries[3]).toMatchObject({ rev: 1, processing_status: 'pending', entry_id: expect.stringMatching(/^i-/) });
    expect(entries[4].entry_id).toBe('own');
  });

  test('cannot touch revisions, attempts and claims', async () => {
    const world = await running();
    await world.manifest.claim('processor', 1);
    await world.manifest.compact();
    await world.other.catchUp();
    save(
      world.files,
      published(world.files).map(entry => ({ ...entry, claims: {}, attempt: 9, remark: 'x' })),
    );
    const [a, b] = await agree(world);
    expect(a).toMatchObject({ attempt: 1, remark: 'x' });
    expect(b.claims.processor?.pid).toBe(1);
  });

  test('of an older copy is not taken where the image has changed since; the copy is kept and the file put right', async () => {
    const world = await running();
    const old = published(world.files);
    await world.manifest.settle(await world.manifest.claim('processor', 1), 'processor', {
      processing_status: 'processed',
    });
    await world.manifest.compact();
    save(
      world.files,
      old.map(entry => ({ ...entry, remark: 'late' })),
    );
    await world.manifest.catchUp();
    const [a, b] = await agree(world);
    expect(a.remark).toBe('late');
    expect(b).toMatchObject({ processing_status: 'processed' });
    expect(b.remark).toBeUndefined();
    expect(world.notes.join('\n')).toMatch(/1 entry is from an older copy/);
    expect(world.files.paths().some(path => path.includes('.edited-'))).toBe(true);
  });

  test('that nobody has noticed when the file is compacted counts all the same', async () => {
    const world = await running();
    const [a, b, c] = published(world.files);
    save(world.files, [a, b, { ...c, remark: 'just in time' }]);
    await world.manifest.offer([sampleEntry('d')]);
    await world.manifest.compact();
    expect((await agree(world))[2].remark).toBe('just in time');
  });

  test('on a full disk is taken when there is room again', async () => {
    const world = await running();
    const [a, b, c] = published(world.files);
    save(world.files, [a, { ...b, remark: 'kept' }, c]);
    world.files.plan = step => (step.kind === 'write' ? { error: 'ENOSPC' } : null);
    await expect(world.manifest.catchUp()).rejects.toMatchObject({ code: 'ENOSPC' });
    world.files.plan = () => null;
    expect((await agree(world))[1].remark).toBe('kept');
  });
});

describe('an edit by hand', () => {
  test('while a second process starts counts for the one that runs, too', async () => {
    const world = await running();
    const [a, b, c] = published(world.files);
    save(world.files, [{ ...a, remark: 'between' }, b, c]);
    const third = await openSample(world.files.twin(), { own: identity(3) });
    expect(third.get('a')?.remark).toBe('between');
    expect((await agree(world))[0].remark).toBe('between');
  });

  test('while nobody runs counts from the next start', async () => {
    const world = await running();
    await world.manifest.close({ compact: true });
    const disk = world.files.afterCrash('lost');
    save(disk, [
      ...published(disk).map(entry => ({ ...entry, processing_status: 'pending' })),
      { entry_timestamp_iso: 't' },
    ]);
    const next = await openSample(disk);
    expect(ids(await next.claim('processor', 9))).toEqual(['a', 'b', 'c']);
    expect(next.size).toBe(4);
  });
});
