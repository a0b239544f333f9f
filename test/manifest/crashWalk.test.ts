import { expect, test } from 'vitest';
import { crashWalk } from './crashWalk.ts';

test('a crash at any step, kill or power cut, loses nothing acknowledged and leaves nothing stuck', async ({
  annotate,
}) => {
  const { crashes, points } = await crashWalk(3);
  await annotate(`${crashes} crashes at ${points} steps`);
  expect(points).toBeGreaterThan(60);
});
