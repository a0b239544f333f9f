import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { useStillTime } from '../world/eventRun.ts';
import { syncCrashWalk } from './syncCrashWalk.ts';

beforeEach(useStillTime);
afterEach(() => vi.useRealTimers());

it('loses and doubles nothing when machine and share stop at any step of copying', async () => {
  expect(await syncCrashWalk({ ids: ['a'], prefixes: 2, kinds: ['kill', 'lost', 'vfat'] })).toBeGreaterThan(100);
});
