import { describe, expect, test } from 'vitest';
import { archiveFolder, readArchive } from '../../src/manifest/archive.ts';
import { EntryLog } from '../../src/manifest/entryLog.ts';
import type { Entry } from '../../src/model/entry.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';
import { ids, manifestFile, openSample, sampleEntry, sampleOptions } from '../world/sampleManifest.ts';

const skipped = (id: string, set: Partial<Entry> = {}): Entry => sampleEntry(id, { processing_status: 'skip', ...set });
const names = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `e${from + i}`);

function emptyDisk(): FaultyFiles {
  const files = new FaultyFiles();
  files.put('/root/data/other.txt', '');
  return files;
}

async function archived(files: FaultyFiles): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of readArchive(files, manifestFile)) entries.push(entry);
  return entries;
}

describe('the archive', () => {
  test('takes the oldest settled entries when there are too many, and never one that is not settled', async () => {
    const files = emptyDisk();
    const manifest = await openSample(files, { liveEntries: 8 });
    await manifest.offer([sampleEntry('waits'), ...names(0, 8).map(id => skipped(id))]);
    expect(await archived(files)).toEqual([]);
    await manifest.offer([skipped('e8')]);
    await manifest.catchUp();
    expect(ids(await archived(files))).toEqual(names(0, 3));
    expect(ids(manifest.entries())).toEqual(['waits', ...names(3, 9)]);
    const again = await openSample(files.afterCrash('lost'), { liveEntries: 8 });
    expect(ids(again.entries())).toEqual(['waits', ...names(3, 9)]);
  });

  test('is told to the other process', async () => {
    const files = emptyDisk();
    const manifest = await openSample(files, { liveEntries: 2 });
    const other = await openSample(files.twin(), { liveEntries: 2 });
    const heard: string[] = [];
    other.changes$.subscribe(change => 'op' in change && heard.push(`${change.op} ${change.id}`));
    await manifest.offer(names(0, 3).map(id => skipped(id)));
    await manifest.catchUp();
    await other.catchUp();
    expect(heard).toEqual(['add e0', 'add e1', 'add e2', 'archive e0', 'archive e1']);
    expect(ids(other.entries())).toEqual(['e2']);
  });

  test('an entry that is in both is the live one, whatever the archive says', async () => {
    const files = emptyDisk();
    const manifest = await openSample(files, { liveEntries: 2 });
    // The crash between the segment and its lines.
    let fault = true;
    files.plan = step => {
      if (!fault || step.kind !== 'rename' || !step.path.startsWith(archiveFolder(manifestFile))) return null;
      fault = false;
      return { error: 'EIO', applied: 1 };
    };
    await manifest.offer(names(0, 3).map(id => skipped(id)));
    await manifest.catchUp();
    expect(ids(await archived(files))).toEqual(['e0', 'e1']);
    expect(ids(manifest.entries())).toEqual(names(0, 3));
    await manifest.compact();
    expect(ids(manifest.entries())).toEqual(['e2']);
    expect(new Set(ids(await archived(files)))).toEqual(new Set(['e0', 'e1']));
  });

  test('two writers that take the same number never replace each other', async () => {
    const files = emptyDisk();
    const { writeSegment } = await import('../../src/manifest/archive.ts');
    const late = files.twin();
    let wake = (): void => undefined;
    const asleep = new Promise<void>(resolve => {
      late.gate = call => {
        if (call !== 'rename') return Promise.resolve();
        resolve();
        return new Promise(go => {
          wake = go;
        });
      };
    });
    const first = writeSegment(late, manifestFile, [skipped('a')]);
    await asleep;
    await writeSegment(files, manifestFile, [skipped('b')]);
    wake();
    await first;
    expect(ids(await archived(files)).sort()).toEqual(['a', 'b']);
  });

  test('gives an entry back, with its history, and it lives on', async () => {
    const files = emptyDisk();
    const log = await EntryLog.open(sampleOptions(files, { liveEntries: 2 }));
    await log.transact(draft => names(0, 3).map(id => draft.change(id, 'add', skipped(id, { remark: `of ${id}` }))));
    await log.catchUp();
    expect(log.live.get('e0')).toBeUndefined();
    const [entry] = await archived(files);
    const set = { ...entry, processing_status: 'pending' as const };
    await log.transact(draft => draft.change('e0', 'restore', set));
    expect(log.live.get('e0')).toMatchObject({ remark: 'of e0', rev: entry.rev + 1 });
    await expect(log.transact(draft => draft.change('e0', 'restore', set))).rejects.toThrow(/restore of entry e0/);
    await log.transact(draft => draft.change('e0', 'requeue', { remark: 'again' }));
    await log.compact();
    const reopened = await openSample(files.afterCrash('lost'), { liveEntries: 2 });
    expect(reopened.get('e0')).toMatchObject({ remark: 'again', rev: entry.rev + 2 });
    expect(ids(await reopened.claim('processor', 9))).toEqual(['e0']);
  });

  test('a segment that cannot be read is named', async () => {
    const files = emptyDisk();
    files.put(`${archiveFolder(manifestFile)}/entries.1.00000000.jsonl.gz`, 'no gzip');
    await expect(archived(files)).rejects.toThrow(/entries\.1\.00000000\.jsonl\.gz can't be read as an archive/);
  });
});

describe('a long manifest that was never ours', () => {
  const python = (count: number, status: string) =>
    Array.from({ length: count }, (_, i) => ({
      entry_timestamp_iso: `2025-07-24T13:45:${i}`,
      camera_data: { type: 'image', filename: `i${i}.tif`, filepath: '/old', timestamp_iso: `t${i}` },
      processing_status: i % 1000 === 0 ? 'pending' : status,
    }));

  test('is shortened while it is read: the older settled entries go to the archive', async () => {
    const files = emptyDisk();
    files.put(manifestFile, JSON.stringify(python(12_000, 'failed'), null, 4));
    const manifest = await openSample(files, { liveEntries: 100 });
    expect(manifest.waiting('processor')).toBe(12);
    expect(manifest.size).toBeLessThanOrEqual(112);
    const all = [...ids(await archived(files)), ...ids(manifest.entries())];
    expect(new Set(all).size).toBe(12_000);
    expect(all).toHaveLength(12_000);
  });

  test('loses nothing when it is interrupted at any file operation', async () => {
    const start = emptyDisk();
    start.put(manifestFile, JSON.stringify(python(5_200, 'failed')));
    const whole = start.afterCrash('kill');
    await openSample(whole, { liveEntries: 50 });
    for (let at = 0; at < whole.steps.length; at += 3) {
      const files = start.afterCrash('kill');
      files.plan = step => (step.index === at ? { stop: true, applied: 0 } : null);
      await openSample(files, { liveEntries: 50 }).catch(() => undefined);
      expect(files.stopped).toBe(true);
      const left = files.afterCrash('lost');
      const manifest = await openSample(left, { liveEntries: 50 });
      expect(new Set([...ids(await archived(left)), ...ids(manifest.entries())]).size).toBe(5_200);
    }
  });
});
