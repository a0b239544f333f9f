import { expect, test } from 'vitest';
import { FaultyFiles } from '../world/faultyFiles.ts';
import { type Cost, waitingSoak } from './waitingSoak.ts';

test('images that wait for the share cost the same each, however many wait, and no more entries stay live than configured', async () => {
  const files = new FaultyFiles();
  files.put('/root/data/other.txt', '');
  const soak = await waitingSoak(files, { count: 10_000, liveEntries: 400 });
  expect(soak.maxLive).toBeLessThan(600);
  expect(soak).toMatchObject({ copied: 10_000, inOrder: true, left: 0 });
  for (const costs of [soak.away, soak.copying]) {
    const all = (cost: Cost): number => cost.written + cost.read;
    expect(costs).toHaveLength(10);
    // The last ones that are copied are live.
    expect(all(costs[8]!)).toBeLessThan(1.2 * all(costs[1]!));
  }
});
