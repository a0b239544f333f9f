import { expect, test } from 'vitest';
import { journalPath, listJournals } from '../../src/manifest/journal.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';
import { ids, manifestFile, openSample, sampleEntry } from '../world/sampleManifest.ts';

test('a long journal whose header was damaged is opened, with all that it says', async () => {
  const files = new FaultyFiles();
  files.put('/root/data/20250724/other.txt', '');
  const names = Array.from({ length: 1660 }, (_, i) => `E${i}`);
  const first = await openSample(files);
  await first.offer(names.slice(0, 1500).map(id => sampleEntry(id)));
  await first.close({ compact: true });
  const second = await openSample(files);
  await second.offer(names.slice(1500).map(id => sampleEntry(id)));
  await second.close({ compact: false });
  const [number = 0] = (await listJournals(files, manifestFile)).slice(-1);
  const newest = journalPath(manifestFile, number);
  expect(files.content(newest)!.length).toBeGreaterThan(65_536);
  const damaged = Buffer.from(files.content(newest)!);
  damaged[5] = 0x21;
  files.put(newest, damaged);
  for (let i = 0; i < 3; i++) {
    const manifest = await openSample(files);
    expect(ids(manifest.entries())).toEqual(names);
    await manifest.close({ compact: i === 1 });
  }
});
