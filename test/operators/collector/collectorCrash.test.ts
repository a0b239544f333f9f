import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { useStillTime } from '../../world/eventRun.ts';
import { collectCrashWalk } from './collectorCrashWalk.ts';

beforeEach(useStillTime);
afterEach(() => {
  vi.useRealTimers();
});

it('a crash of the collector at any step leaves no entry without its image, and nothing told is gone', async () => {
  expect(await collectCrashWalk('collector', 2, ['kill', 'lost', 'vfat'])).toBeGreaterThan(50);
});

it('a crash of brightfield at any step leaves no entry without its image, and nothing told is gone', async () => {
  expect(await collectCrashWalk('brightfield', 1, ['kill', 'vfat'])).toBeGreaterThan(30);
});
