import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { syncCrashWalk } from '../share/syncCrashWalk.ts';
import { useStillTime } from '../world/eventRun.ts';
import { crashKinds } from '../world/faultyFiles.ts';

beforeEach(useStillTime);
afterEach(() => vi.useRealTimers());

it('loses and doubles nothing when machine and share stop at any step of copying, after parts of any write', async ({
  annotate,
}) => {
  const crashes = await syncCrashWalk({ ids: ['a', 'b'], prefixes: 100, kinds: crashKinds });
  await annotate(`${crashes} crashes`);
  expect(crashes).toBeGreaterThan(5_000);
});
