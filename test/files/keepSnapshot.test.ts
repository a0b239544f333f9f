import { describe, expect, it } from 'vitest';
import { contentHash } from '../../src/files/contentHash.ts';
import { keepSnapshot, type Snapshot } from '../../src/files/keepSnapshot.ts';
import { localIso } from '../../src/model/localTime.ts';
import { atEveryCrash, FaultyFiles } from '../world/faultyFiles.ts';

const folder = '/root/backup';
const now = 1_753_364_713_000;
const stamp = (ms: number): string => localIso(ms).slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');
const config = (text: string): Snapshot => ({ stem: 'config', extension: 'toml', hash: 'c0ffee', text });

describe('keepSnapshot', () => {
  it('names it by time and hash', async () => {
    const files = new FaultyFiles();
    const path = await keepSnapshot(files, folder, config('a'), now);
    expect(path).toBe(`${folder}/config_${stamp(now)}_c0ffee.toml`);
    expect(files.content(path!)!.toString()).toBe('a');
  });

  it('keeps the same text once, and another text with the same hash beside it', async () => {
    const files = new FaultyFiles();
    await keepSnapshot(files, folder, config('a'), now);
    expect(await keepSnapshot(files, folder, config('a'), now + 60_000)).toBe(null);
    expect(await keepSnapshot(files, folder, config('b'), now)).toBe(
      `${folder}/config_${stamp(now + 1000)}_c0ffee.toml`,
    );
    expect(await keepSnapshot(files, folder, { ...config('a'), hash: 'beef' }, now)).toContain('_beef.toml');
    expect(files.paths()).toHaveLength(3);
  });

  it('is there as a whole or not at all, whenever it is cut off, and the next start keeps it', async () => {
    const start = new FaultyFiles();
    start.put(`${folder}/other.txt`, '');
    await atEveryCrash({
      start,
      context: () => ({ isKept: false }),
      work: async (files, told) => {
        await keepSnapshot(files, folder, config('some text'), now);
        told.isKept = true;
      },
      check: async (files, { isKept }) => {
        const there = (): string[] => files.paths().filter(path => path.endsWith('.toml'));
        for (const path of there()) expect(files.content(path)!.toString()).toBe('some text');
        if (isKept) expect(there()).toHaveLength(1);
        await keepSnapshot(files, folder, config('some text'), now + 5000);
        expect(there()).toHaveLength(1);
      },
    });
  });
});

describe('contentHash', () => {
  it('is twelve digits of the SHA-256', () => {
    // printf abc | sha256sum
    expect([contentHash('abc'), contentHash(Buffer.from('abc'))]).toEqual(['ba7816bf8f01', 'ba7816bf8f01']);
  });
});
