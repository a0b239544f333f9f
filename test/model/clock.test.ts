import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/model/clock.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** It tells the time between two looks at the system's, however long a busy machine takes for them. */
function expectNow(): void {
  const before = Date.now();
  const now = systemClock.now();
  expect(now).toBeGreaterThan(before - 5);
  expect(now).toBeLessThan(Date.now() + 5);
}

describe("the machine's clock", () => {
  it('follows when somebody sets it, and its monotonic side does not', () => {
    expectNow();
    const before = systemClock.monotonic();
    for (const at of [0, Date.UTC(2025, 6, 24, 12), Date.UTC(2025, 6, 24, 11)]) {
      vi.useFakeTimers({ toFake: ['Date'], now: at });
      expectNow();
    }
    expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(0);
    // An hour and more it was set by.
    expect(systemClock.monotonic() - before).toBeLessThan(600_000);
  });

  it('tells microseconds', () => {
    const parts = Array.from({ length: 20 }, () => systemClock.now() % 1);
    expect(parts.some(part => part > 0)).toBe(true);
  });
});
