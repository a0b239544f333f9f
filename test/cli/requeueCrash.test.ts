import { expect, it } from 'vitest';
import { readSegment } from '../../src/manifest/archive.ts';
import type { Manifest } from '../../src/manifest/manifest.ts';
import type { Entry } from '../../src/model/entry.ts';
import { atEveryCrash, FaultyFiles } from '../world/faultyFiles.ts';
import { manifestFile, openSample, sampleEntry } from '../world/sampleManifest.ts';

const names = ['a', 'b', 'c', 'd', 'e'];

/** Five failed entries, of which the older ones are archived. */
async function archivedEntries(): Promise<FaultyFiles> {
  const files = new FaultyFiles();
  files.put('/root/data/other.txt', '');
  const manifest = await openSample(files, { liveEntries: 2, writer: 'first' });
  await manifest.offer(names.map(name => sampleEntry(name, { processing_status: 'failed' })));
  await manifest.close({ compact: true });
  return files.afterCrash('lost');
}

/** As the command does it: archived entries from their segment, then live ones. */
async function requeueAll(manifest: Manifest, files: FaultyFiles, done: Set<string>): Promise<void> {
  const live = [...manifest.entries()];
  for (const segment of await manifest.archive.segments()) {
    const entries = await readSegment(files, manifestFile, segment);
    for (const { entry_id: id } of await manifest.requeue(entries, 'pending', { restore: true })) done.add(id);
  }
  for (const { entry_id: id } of await manifest.requeue(live, 'pending', { restore: false })) done.add(id);
}

it('a crash at any write of a requeue leaves each entry once, as it was or set back', async () => {
  const start = await archivedEntries();
  const whole = new Set<string>();
  await requeueAll(await openSample(start.afterCrash('kill'), { liveEntries: 2 }), start.afterCrash('kill'), whole);
  expect([...whole].sort()).toEqual(names);

  const crashes = await atEveryCrash<Set<string>>({
    start,
    context: () => new Set(),
    prefixes: 3,
    work: async (files, done) => {
      const manifest = await openSample(files, { liveEntries: 2, writer: 'second' });
      await requeueAll(manifest, files, done);
      await manifest.close({ compact: true });
    },
    check: async (files, done) => {
      const manifest = await openSample(files, { liveEntries: 2, writer: 'third' });
      const found = new Map<string, Entry>();
      for await (const entry of manifest.archive.entries()) found.set(entry.entry_id, entry);
      const live = [...manifest.entries()];
      expect(new Set(live.map(({ entry_id: id }) => id)).size).toBe(live.length);
      for (const entry of live) found.set(entry.entry_id, entry);
      expect([...found.keys()].sort()).toEqual(names);
      for (const { entry_id: id, processing_status: status } of found.values())
        expect(done.has(id) ? ['pending'] : ['pending', 'failed']).toContain(status);
      // What is set back is taken up, once.
      const pending = [...found.values()].filter(({ processing_status: status }) => status === 'pending');
      expect(await manifest.claim('processor', 10)).toHaveLength(pending.length);
      await manifest.close({ compact: false });
    },
  });
  expect(crashes).toBeGreaterThan(50);
});
