import { expect, it } from 'vitest';
import { createThrottle } from '../../src/share/throttle.ts';

function still() {
  let now = 0;
  return {
    now: () => now,
    wait: async (ms: number) => {
      now += ms;
    },
  };
}

it('lets so many bytes a second pass over all who ask, and tells those who wait', async () => {
  const time = still();
  const throttle = createThrottle(1000, time);
  let told = 0;
  for (let i = 0; i < 10; i++) await throttle.take(500, () => told++);
  // The first passes at once, and the link is taken for what the last one needs.
  expect(time.now()).toBe(4500);
  await throttle.take(5000, () => told++);
  const before = told;
  await throttle.take(1, () => told++);
  expect([time.now(), told - before]).toEqual([10_000, 5]);
});

it('does not save up what was not used', async () => {
  const time = still();
  const throttle = createThrottle(1000, time);
  await time.wait(60_000);
  await throttle.take(1000, () => undefined);
  await throttle.take(1000, () => undefined);
  expect(time.now()).toBe(61_000);
});

it('moves small pieces on a slow link, and waits for nothing without a limit', async () => {
  const time = still();
  expect([1000, 40_000, 100_000_000].map(rate => createThrottle(rate, time).chunkBytes)).toEqual([
    4096,
    10_000,
    1 << 20,
  ]);
  await createThrottle(0, time).take(1e9, () => undefined);
  expect(time.now()).toBe(0);
});
