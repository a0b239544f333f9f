import { describe, expect, test } from 'vitest';
import { listJournals } from '../../src/manifest/journal.ts';
import type { ManifestOptions } from '../../src/manifest/manifest.ts';
import type { Entry } from '../../src/model/entry.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';
import { identity, ids, manifestFile, openSample, sampleEntry } from '../world/sampleManifest.ts';

async function open(changes: Partial<ManifestOptions> = {}) {
  const files = new FaultyFiles();
  files.put('/root/data/other.txt', '');
  const notes: string[] = [];
  const note = (_level: string, message: string): number => notes.push(message);
  const manifest = await openSample(files, { note, ...changes });
  await manifest.offer([sampleEntry('a')]);
  return { files, manifest, notes };
}

const published = (files: FaultyFiles): Entry[] => JSON.parse(files.content(manifestFile)!.toString()) as Entry[];

/** Begins a compaction and holds it where the snapshot is being written, until `goOn`. */
async function heldCompaction({ files, manifest }: Pick<Awaited<ReturnType<typeof open>>, 'files' | 'manifest'>) {
  let goOn = (): void => undefined;
  const isHeld = new Promise<void>(resolve => {
    files.gate = (call, path) => {
      if (call !== 'write' || !path.endsWith('.tmp')) return Promise.resolve();
      files.gate = null;
      resolve();
      return new Promise(go => {
        goOn = go;
      });
    };
  });
  const compacted = manifest.compact();
  await isHeld;
  return {
    goOn: () => {
      goOn();
      return compacted;
    },
  };
}

/** Entries as they are found after a power cut. */
async function afterCut(files: FaultyFiles): Promise<Entry[]> {
  return [...(await openSample(files.afterCrash('lost'))).entries()];
}

describe('while a snapshot is being written', () => {
  test('images are offered, claimed and settled; no change waits for it, and none is lost', async () => {
    const it = await open();
    const { goOn } = await heldCompaction(it);
    await it.manifest.offer([sampleEntry('b')]);
    const [claimed] = await it.manifest.claim('processor', 1);
    expect(await it.manifest.settle([claimed!], 'processor', { processing_status: 'failed' })).toBe(1);
    const cut = await afterCut(it.files);
    expect(ids(cut)).toEqual(['a', 'b']);
    await goOn();
    expect(published(it.files)).toMatchObject([{ entry_id: 'a', processing_status: 'pending' }]);
    expect(await afterCut(it.files)).toEqual(cut);
    const reader = await openSample(it.files.twin(), { own: identity(2) });
    expect([...reader.entries()]).toEqual([...it.manifest.entries()]);
    await it.manifest.compact();
    expect(published(it.files)).toMatchObject([{ processing_status: 'failed' }, { entry_id: 'b' }]);
    expect(it.notes).toEqual([]);
  });

  test('an entry changes: what a person then edits in the snapshot is what differs from the snapshot, and no more', async () => {
    const it = await open();
    const { goOn } = await heldCompaction(it);
    await it.manifest.claim('processor', 1);
    await goOn();
    it.files.put(manifestFile, JSON.stringify(published(it.files).map(entry => ({ ...entry, remark: 'by hand' }))));
    await it.manifest.catchUp();
    expect(it.manifest.get('a')).toMatchObject({ remark: 'by hand', processing_status: 'processing', attempt: 1 });
    expect(it.manifest.get('a')?.claims.processor).toBeDefined();
    expect(it.notes).toHaveLength(1);
  });

  test('an edit that somebody saves then counts, and stands in the file', async () => {
    const it = await open();
    await it.manifest.compact();
    await it.manifest.offer([sampleEntry('b')]);
    const { goOn } = await heldCompaction(it);
    it.files.put(
      manifestFile,
      JSON.stringify(published(it.files).map(entry => ({ ...entry, remark: 'just in time' }))),
    );
    await goOn();
    expect(published(it.files)).toMatchObject([{ entry_id: 'a', remark: 'just in time' }, { entry_id: 'b' }]);
    expect(it.manifest.get('a')?.remark).toBe('just in time');
  });

  test('a commit fails to become durable: the compaction begins again, and nothing that it said is acknowledged', async () => {
    const it = await open();
    const { goOn } = await heldCompaction(it);
    it.files.plan = step => {
      if (step.kind !== 'sync') return null;
      it.files.plan = () => null;
      return { error: 'EIO' };
    };
    await expect(it.manifest.offer([sampleEntry('b')])).rejects.toMatchObject({ code: 'EIO' });
    await goOn();
    await it.manifest.offer([sampleEntry('c')]);
    expect(it.notes).toEqual([]);
    expect(ids(await afterCut(it.files))).toEqual(expect.arrayContaining(['a', 'c']));
  });

  test('another process compacts too: the later one counts, and the first gives up without a word', async () => {
    const it = await open();
    const other = await openSample(it.files.twin(), { own: identity(2) });
    const { goOn } = await heldCompaction(it);
    await other.offer([sampleEntry('b')]);
    await other.compact();
    const snapshot = it.files.content(manifestFile);
    await goOn();
    expect(it.files.content(manifestFile)).toEqual(snapshot);
    expect(ids(published(it.files))).toEqual(['a', 'b']);
    expect(it.files.paths().filter(path => path.endsWith('.tmp'))).toEqual([]);
    expect(ids(await afterCut(it.files))).toEqual(['a', 'b']);
    expect(it.notes).toEqual([]);
  });

  test('the program is cut short: the snapshot is left, and nothing else', async () => {
    const it = await open();
    const before = it.files.content(manifestFile);
    const { goOn } = await heldCompaction(it);
    const closed = it.manifest.close({ compact: false });
    await expect(goOn()).rejects.toThrow('aborted');
    await closed;
    expect(it.files.content(manifestFile)).toEqual(before);
    expect(it.files.paths().filter(path => path.endsWith('.tmp'))).toEqual([]);
    expect(it.notes).toEqual([]);
    expect(ids(await afterCut(it.files))).toEqual(['a']);
  });
});

test('a manifest that grows slowly is compacted only when its journal has outgrown a quarter of it', async () => {
  const { files, manifest } = await open();
  await manifest.offer(Array.from({ length: 60 }, (_, i) => sampleEntry(`e${i}`)));
  await manifest.compact();
  const [begun] = await listJournals(files, manifestFile).then(numbers => numbers.slice(-1));
  const size = files.content(manifestFile)!.length;
  for (let written = 0; written < size / 4; ) {
    await manifest.compactIfDue();
    expect(ids(published(files))).toHaveLength(61);
    await manifest.offer([sampleEntry(`late${written}`)]);
    written = files.content(`/root/data/metadata_manifest.journal.${begun}.jsonl`)!.length;
  }
  await manifest.compactIfDue();
  expect(published(files).length).toBeGreaterThan(70);
});
