import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Files, nodeFiles } from '../../src/files/files.ts';
import { wrapFiles } from '../../src/files/wrapFiles.ts';
import { ArchiveError } from '../../src/manifest/archiveError.ts';
import { isSettled } from '../../src/manifest/isSettled.ts';
import { Manifest } from '../../src/manifest/manifest.ts';
import { readEntries } from '../../src/manifest/readEntries.ts';
import type { Entry } from '../../src/model/entry.ts';
import { atAppend } from '../world/atAppend.ts';
import { archive, BackupWorld, backupFolder, movedList, settled } from '../world/backupWorld.ts';
import { atEveryCrash, FaultyFiles } from '../world/faultyFiles.ts';
import { identity, ids, manifestFile, openSample, sampleEntry, sampleOptions } from '../world/sampleManifest.ts';

const range = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `e${from + i}`);

async function moveAll(manifest: Manifest, folder = backupFolder): Promise<number> {
  const segments = await manifest.archive.movableSegments();
  for (const segment of segments) await manifest.archive.move(segment, folder);
  return segments.length;
}

async function readAll(files: Files): Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>();
  for await (const { entries } of readEntries(sampleOptions(files))) {
    for (const entry of entries) {
      expect(found.has(entry.entry_id), `${entry.entry_id} came twice`).toBe(false);
      found.set(entry.entry_id, entry);
    }
  }
  return found;
}

/** A root with a pending, a claimed, a failed and some settled entries. */
async function begun(files = new FaultyFiles()): Promise<BackupWorld> {
  const world = await BackupWorld.on(files);
  const { manifest } = world;
  await manifest.offer([sampleEntry('waits'), sampleEntry('held'), ...range(0, 3).map(id => settled(id))]);
  await manifest.offer([sampleEntry('bad', { processing_status: 'failed' })]);
  await manifest.offer([sampleEntry('unreported', { processing_status: 'processed' })]);
  await manifest.claim('communicator', 1);
  return world;
}

describe('archiveSettled', () => {
  test('takes every settled entry, whatever their number, and never one that waits or is claimed', async () => {
    const world = await begun();
    expect(await world.manifest.archive.takeSettled()).toBe(4);
    expect(world.live()).toEqual(['waits', 'held', 'unreported']);
    expect(await world.archived()).toEqual(['e0', 'e1', 'e2', 'bad']);
    expect(await world.manifest.archive.takeSettled()).toBe(0);
    expect(world.segments()).toHaveLength(1);
  });

  test('leaves what waits for compression or for its copy', async () => {
    for (const rules of [
      { compression: true, sync: false },
      { compression: false, sync: true },
    ]) {
      const world = await BackupWorld.on(new FaultyFiles(), {
        rules: () => rules,
        isSettled: entry => isSettled(entry, rules),
      });
      await world.manifest.offer([settled('a'), settled('b', { compression_attempted: true, image_synced: true })]);
      expect(await world.manifest.archive.takeSettled()).toBe(1);
      expect(world.live()).toEqual(['a']);
    }
  });

  test('writes nothing when nothing is settled', async () => {
    const world = await BackupWorld.on();
    await world.manifest.offer([sampleEntry('a')]);
    const steps = world.files.steps.length;
    expect(await world.manifest.archive.takeSettled()).toBe(0);
    expect(world.files.steps.length).toBe(steps);
  });
});

describe('moveSegment', () => {
  test('leaves a segment in the folder alone, named by the time of its newest entry, and readers read it there', async () => {
    const world = await begun();
    await world.manifest.archive.takeSettled();
    const [segment] = world.segments();
    const moved = await world.manifest.archive.move(segment!, backupFolder);
    expect(world.segments()).toEqual([]);
    expect(world.backups()).toEqual([`metadata_manifest_20250724_134513_${segment}`]);
    expect(moved).toEqual({
      path: `${backupFolder}/${world.backups()[0]}`,
      entries: 4,
      bytes: world.files.content(moved.path)!.length,
    });
    expect(gunzipSync(world.files.content(moved.path)!).toString().split('\n')).toHaveLength(5);
    expect(await world.archived()).toEqual(['e0', 'e1', 'e2', 'bad']);
    expect(await world.manifest.archive.segments()).toEqual([segment]);
    expect(ids(await world.manifest.archive.segment(segment!))).toEqual(['e0', 'e1', 'e2', 'bad']);
    expect([...(await readAll(world.files)).keys()].sort()).toEqual(
      ['waits', 'held', 'unreported', 'e0', 'e1', 'e2', 'bad'].sort(),
    );
  });

  test('numbers go on, so that what is archived later counts', async () => {
    const world = await BackupWorld.on();
    await world.offerSegments(['a', 'b']);
    await moveAll(world.manifest);
    const [entry] = await world.manifest.archive.segment((await world.manifest.archive.segments())[0]!);
    expect(await world.manifest.requeue([entry!], 'skip', { restore: true })).toHaveLength(1);
    await world.manifest.archive.takeSettled();
    expect(world.segments()).toEqual([expect.stringMatching(/^entries\.3\./)]);
    await moveAll(world.manifest);
    const found = await readAll(world.files);
    expect([found.size, found.get('a')!.processing_status]).toEqual([2, 'skip']);
  });

  test('a list that is shortened in the instant of its new line gets none, and the segment stays until the next time', async () => {
    const files = new FaultyFiles();
    const handled = atAppend(files, movedList, () => files.put(movedList, ''));
    const world = await BackupWorld.on(files, {}, () => handled);
    await world.offerSegments(['a', 'b']);
    const [first, second] = (await world.manifest.archive.movableSegments()) as [string, string];
    await world.manifest.archive.move(first, backupFolder);
    const list = files.content(movedList)!;
    handled.arm();
    await expect(world.manifest.archive.move(second, backupFolder)).rejects.toThrow('moved.jsonl was moved away');
    expect(files.content(movedList)).toHaveLength(0);
    files.put(movedList, list);
    await world.manifest.archive.move(second, backupFolder);
    expect([...(await readAll(files)).keys()].sort()).toEqual(['a', 'b']);
  });

  test('an entry is brought back from there by a requeue, analysed again, and goes there again', async () => {
    const world = await BackupWorld.on();
    await world.offerSegments(['a']);
    await moveAll(world.manifest);
    const [entry] = await world.manifest.archive.segment((await world.manifest.archive.segments())[0]!);
    await world.manifest.requeue([entry!], 'pending', { restore: true });
    expect((await readAll(world.files)).get('a')!.processing_status).toBe('pending');
    const claimed = await world.manifest.claim('processor', 1);
    await world.manifest.settle(claimed, 'processor', { processing_status: 'failed' });
    await world.manifest.archive.takeSettled();
    await moveAll(world.manifest);
    expect(world.backups()).toHaveLength(2);
    expect((await readAll(world.files)).get('a')).toMatchObject({ processing_status: 'failed', attempt: 1 });
  });

  test('a reader that began before, and one that keeps its list, go on over the move', async () => {
    const world = await BackupWorld.on();
    await world.offerSegments(['a', 'b', 'c']);
    const names = await world.manifest.archive.segments();
    const reading = world.manifest.archive.entries();
    expect((await reading.next()).value).toMatchObject({ entry_id: 'a' });
    await moveAll(world.manifest);
    expect((await reading.next()).value).toMatchObject({ entry_id: 'b' });
    expect((await reading.next()).value).toMatchObject({ entry_id: 'c' });
    expect(await world.manifest.archive.segments()).toEqual(names);
    await world.offerSegments(['d']);
    await moveAll(world.manifest);
    expect((await world.manifest.archive.segments()).slice(0, 3)).toEqual(names);
    expect(await world.archived()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('the list is valid where the whole experiment was copied elsewhere', async () => {
    const world = await begun();
    await world.manifest.archive.takeSettled();
    await moveAll(world.manifest);
    const elsewhere = new FaultyFiles();
    for (const path of world.files.paths()) elsewhere.put(`/copy${path}`, world.files.content(path)!);
    const found: string[] = [];
    const options = { ...sampleOptions(elsewhere), file: `/copy${manifestFile}` };
    for await (const { entries } of readEntries(options)) found.push(...ids(entries));
    expect(found).toHaveLength(7);
  });

  test('a folder on another disk, and one that was changed, are both remembered', async () => {
    const world = await BackupWorld.on();
    await world.offerSegments(['a', 'b', 'c']);
    const { files } = world;
    const disks: Files = {
      ...passedOn(files),
      rename: async (from, to) => {
        if (from.startsWith('/mnt/usb/') !== to.startsWith('/mnt/usb/'))
          throw Object.assign(new Error(), { code: 'EXDEV' });
        return files.rename(from, to);
      },
    };
    const manifest = await openSample(disks);
    for (const [i, segment] of (await manifest.archive.movableSegments()).entries())
      await manifest.archive.move(segment, ['/mnt/usb/backup', backupFolder, '/mnt/usb/backup'][i]!);
    expect(world.segments()).toEqual([]);
    expect(await world.archived()).toEqual(['a', 'b', 'c']);
  });

  test('to another disk, with real files', async () => {
    const root = mkdtempSync(join(tmpdir(), 'phorest-backup-'));
    const memory = '/dev/shm';
    const folder = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'phorest-backup-'));
    try {
      const options = { ...sampleOptions(nodeFiles), file: join(root, 'data', 'metadata_manifest.json') };
      await nodeFiles.makeFolder(join(root, 'data'));
      const manifest = await Manifest.open(options);
      await manifest.offer(range(0, 200).map(id => settled(id)));
      expect(await manifest.archive.takeSettled()).toBe(200);
      expect(await moveAll(manifest, folder)).toBe(1);
      await manifest.close({ compact: true });
      expect(readdirSync(join(root, 'data', 'metadata_manifest_archive'))).toEqual(['moved.jsonl']);
      expect(readdirSync(folder)).toEqual([expect.stringMatching(/\.jsonl\.gz$/)]);
      const found: string[] = [];
      for await (const { entries } of readEntries(options)) found.push(...ids(entries));
      expect(found.sort()).toEqual(range(0, 200).sort());
    } finally {
      for (const path of [root, folder]) rmSync(path, { recursive: true });
    }
  });

  test('a damaged segment stays where it is', async () => {
    const world = await BackupWorld.on();
    await world.offerSegments(['a']);
    const [segment] = world.segments();
    const bytes = Buffer.from(world.files.content(`${archive}/${segment}`)!);
    bytes[20]! ^= 1;
    world.files.put(`${archive}/${segment}`, bytes);
    await expect(world.manifest.archive.move(segment!, backupFolder)).rejects.toThrow(ArchiveError);
    expect([world.segments(), world.backups()]).toEqual([[segment], []]);
  });

  test('a copy that does not hold what was written is removed, and the segment stays', async () => {
    const world = await BackupWorld.on();
    await world.offerSegments(['a']);
    const [segment] = world.segments();
    const { files } = world;
    const lying: Files = {
      ...passedOn(files),
      open: async (path, flags) => {
        const file = await files.open(path, flags);
        const isCopy = path.startsWith(backupFolder) && flags.startsWith('w');
        if (!isCopy) return file;
        return { ...file, write: (data, position) => file.write(Buffer.alloc(data.length), position) };
      },
    };
    const manifest = await openSample(lying);
    await expect(manifest.archive.move(segment!, backupFolder)).rejects.toMatchObject({ code: 'EIO' });
    expect([world.segments(), world.backups()]).toEqual([[segment], []]);
  });

  test('a folder without what was moved there is not used, and what is missing there is said to be missing', async () => {
    const world = await BackupWorld.on();
    await world.offerSegments(['a']);
    await moveAll(world.manifest);
    const path = `${backupFolder}/${world.backups()[0]}`;
    const bytes = world.files.content(path)!;
    await world.files.remove(path);
    await world.offerSegments(['b']);
    await expect(moveAll(world.manifest)).rejects.toThrow(/is its disk mounted/);
    await expect(moveAll(world.manifest)).rejects.toMatchObject({ code: 'ENOENT' });
    expect([world.segments().length, world.backups()]).toEqual([1, []]);
    const failure = await readAll(world.files).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ArchiveError);
    expect(failure).toMatchObject({ path, message: expect.stringContaining('is its disk mounted') });
    world.files.put(path, bytes);
    await moveAll(world.manifest);
    expect([...(await readAll(world.files)).keys()].sort()).toEqual(['a', 'b']);
  });

  test('a line of the list that is damaged is said, and never passed over; a torn last one counts as absent', async () => {
    const world = await BackupWorld.on();
    await world.offerSegments(['a', 'b']);
    await moveAll(world.manifest);
    const text = world.files.content(movedList)!.toString();
    const line = text.slice(0, text.indexOf('\n'));
    const prefixes = Array.from({ length: line.length + 1 }, (_, length) => line.slice(0, length));
    for (const torn of [...prefixes, '\0\0\0\0', '\0\0\0"}\n']) {
      world.files.put(movedList, text + torn);
      expect((await readAll(world.files)).size).toBe(2);
    }
    world.files.put(movedList, `${text}{"segm`);
    await world.offerSegments(['c']);
    await moveAll(world.manifest);
    expect(world.moved()).toHaveLength(3);
    const good = world.files.content(movedList)!.toString();
    for (const bad of [good.replace('segment', 'segmint'), good.replace('"file":"', '"file":"../../'), `${good}x\n`]) {
      world.files.put(movedList, bad);
      await expect(readAll(world.files)).rejects.toThrow(ArchiveError);
    }
    // What the manifest archives meanwhile has the next number all the same.
    await world.offerSegments(['d']);
    expect(world.segments()).toEqual([expect.stringMatching(/^entries\.4\./)]);
  });

  test('costs the same however many were moved before', async () => {
    const world = await BackupWorld.on();
    await world.offerSegments(['a']);
    await moveAll(world.manifest);
    const cost = async (id: string): Promise<{ steps: number; read: number }> => {
      const steps = world.files.steps.length;
      const watched = counting(world.files);
      const manifest = await openSample(watched.files);
      await manifest.offer([settled(id)]);
      await manifest.archive.takeSettled();
      await moveAll(manifest);
      return { steps: world.files.steps.length - steps, read: watched.read() };
    };
    const early = await cost('b');
    const line = world.files.content(movedList)!.toString().split('\n')[0]!;
    const lines = Array.from({ length: 20_000 }, (_, i) => line.replaceAll('entries.1.', `entries.${i + 3}.`));
    world.files.put(movedList, `${lines.join('\n')}\n`);
    for (const text of lines.slice(-1)) {
      const { file } = JSON.parse(text) as { file: string };
      world.files.put(`${backupFolder}/${file}`, 'there');
    }
    const late = await cost('c');
    expect(late.steps).toBe(early.steps);
    expect(late.read).toBeLessThan(early.read + 4 * 65_536);
    expect(world.files.content(movedList)!.length).toBeGreaterThan(2_000_000);
  });
});

describe('a crash at every step', () => {
  interface Told {
    added: string[];
  }

  const begin: readonly string[] = ['waits', 'a', 'b', 'c'];

  /** One segment is in the backup, and one that the manifest made by itself waits. */
  async function prepared(): Promise<FaultyFiles> {
    const files = new FaultyFiles();
    files.put('/root/data/other.txt', '');
    const manifest = await openSample(files, { liveEntries: 1 });
    await manifest.offer([sampleEntry('waits'), settled('a')]);
    await manifest.archive.takeSettled();
    await moveAll(manifest);
    await manifest.offer([settled('b'), settled('c')]);
    await manifest.catchUp();
    expect(await manifest.archive.movableSegments()).toHaveLength(1);
    return files.afterCrash('kill');
  }

  async function work(files: FaultyFiles, told: Told): Promise<void> {
    const manifest = await openSample(files, { writer: 'first' });
    await manifest.archive.takeSettled();
    await moveAll(manifest);
    await manifest.offer([settled('d')]);
    told.added.push('d');
    const [first] = await manifest.archive.segments();
    const [a] = await manifest.archive.segment(first!);
    await manifest.requeue([a!], 'skip', { restore: true });
    await manifest.archive.takeSettled();
    await moveAll(manifest);
  }

  async function sound(files: FaultyFiles, { added }: Told): Promise<void> {
    const before = await readAll(files);
    expect([...before.keys()]).toEqual(expect.arrayContaining(added));
    const manifest = await openSample(files, { own: identity(2) });
    await manifest.archive.takeSettled();
    await moveAll(manifest);
    const after = await readAll(files);
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    expect(after.get('waits')?.processing_status).toBe(before.get('waits')?.processing_status);
    for (const [id, entry] of before) expect(after.get(id)!.rev, id).toBeGreaterThanOrEqual(entry.rev);
    expect(ids(manifest.entries())).toEqual(['waits']);
    // In one place: nothing is left in the archive's folder, and each file of the backup is one that the list names.
    expect(await manifest.archive.movableSegments()).toEqual([]);
    const backups = files.paths().filter(path => path.startsWith(`${backupFolder}/`) && !path.endsWith('.tmp'));
    const list = files.content(movedList)?.toString() ?? '';
    for (const path of backups) expect(list).toContain(path.slice(backupFolder.length + 1));
  }

  test('leaves every entry in a place that readers know, once, and the next round finishes', async () => {
    const crashes = await atEveryCrash<Told>({
      start: await prepared(),
      context: () => ({ added: [...begin] }),
      work,
      check: sound,
      prefixes: 3,
    });
    expect(crashes).toBeGreaterThan(300);
  });

  test.each(['ENOSPC', 'EIO'])('an error %s at any step is told, loses nothing, and is made up for', async code => {
    const start = await prepared();
    const whole = start.afterCrash('kill');
    await work(whole, { added: [...begin] });
    for (const { index, path } of whole.steps) {
      if (!path.startsWith(backupFolder) && path !== movedList && !path.startsWith(`${archive}/entries`)) continue;
      const files = start.afterCrash('kill');
      const told: Told = { added: [...begin] };
      files.plan = step => (step.index === index ? { error: code } : null);
      await work(files, told).catch((error: unknown) => expect(error).toMatchObject({ code }));
      files.plan = () => null;
      await sound(files.afterCrash('kill'), told);
    }
  });
});

/** The same, to have some of it replaced. */
const passedOn = (files: Files): Files => wrapFiles(files, (_call, run) => run());

/** Counts the bytes that are read. */
function counting(files: Files): { files: Files; read: () => number } {
  let read = 0;
  return {
    read: () => read,
    files: wrapFiles(
      files,
      (_call, run) => run(),
      file => ({
        ...file,
        read: async (into, position) => {
          const length = await file.read(into, position);
          read += length;
          return length;
        },
      }),
    ),
  };
}
