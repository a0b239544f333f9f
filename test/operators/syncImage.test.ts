import { expect, it } from 'vitest';
import { syncImage } from '../../src/operators/syncImage.ts';
import type { Share } from '../../src/share/share.ts';
import { sampleEntry } from '../manifest/sampleManifest.ts';
import { FaultyFiles } from '../storage/faultyFiles.ts';

it('an empty image is not copied to the share, and never counts as copied', async () => {
  const files = new FaultyFiles();
  files.put('/root/data/20250724/image_a.png', '');
  const calls: string[] = [];
  const share = { call: async (call: string) => calls.push(call) } as unknown as Share;
  const copied = syncImage(
    sampleEntry('a'),
    { dataFolder: '/root/data', trustWrite: false },
    { share, files },
    new AbortController().signal,
  );
  await expect(copied).rejects.toThrow(/image_a\.png is empty/);
  expect(calls).toEqual([]);
});
