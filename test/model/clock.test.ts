import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/model/clock.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe("the machine's clock", () => {
  it('follows when somebody sets it, and its monotonic side does not', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(5);
    const before = systemClock.monotonic();
    for (const at of [0, Date.UTC(2025, 6, 24, 12), Date.UTC(2025, 6, 24, 11)]) {
      vi.useFakeTimers({ toFake: ['Date'], now: at });
      expect(Math.abs(systemClock.now() - at)).toBeLessThan(5);
    }
    expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(0);
    expect(systemClock.monotonic() - before).toBeLessThan(1000);
  });

  it('tells microseconds', () => {
    const parts = Array.from({ length: 20 }, () => systemClock.now() % 1);
    expect(parts.some(part => part > 0)).toBe(true);
  });
});
