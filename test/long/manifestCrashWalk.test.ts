import { expect, test } from 'vitest';
import { crashWalk } from '../manifest/crashWalk.ts';

test('a crash at any step and every prefix of every write loses nothing', async ({ annotate }) => {
  const { crashes, points } = await crashWalk(Number.POSITIVE_INFINITY);
  await annotate(`${crashes} crashes at ${points} steps`);
  expect(crashes).toBeGreaterThan(10_000);
});
