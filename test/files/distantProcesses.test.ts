import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DistantProcesses, distantSilenceMs } from '../../src/files/distantProcesses.ts';
import type { Liveness } from '../../src/files/processIdentity.ts';

const holder = { host: 'oldpi', boot_id: 'another boot', pid: 2968, pid_start: 77 };

describe('a process that nobody here can ask', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function prepare(told: Liveness = 'unknown') {
    const world = { sign: 'beat 0' as string | null, told };
    const distant = new DistantProcesses({
      sign: () => world.sign,
      monotonic: () => performance.now(),
      liveness: () => world.told,
    });
    return { world, distant };
  }

  it('is gone once it was seen silent for long enough by the clock of this machine, whatever its file says of the time', async () => {
    const { distant } = prepare();
    expect(distant.liveness(holder)).toBe('unknown');
    vi.advanceTimersByTime(distantSilenceMs - 1);
    expect(distant.liveness(holder)).toBe('unknown');
    vi.advanceTimersByTime(1000);
    expect(distant.liveness(holder)).toBe('gone');
  });

  it('lives as long as its status changes, and again with the next change', () => {
    const { world, distant } = prepare();
    for (let second = 0; second < 60; second++) {
      world.sign = `beat ${second}`;
      expect(distant.liveness(holder)).toBe('unknown');
      vi.advanceTimersByTime(1000);
    }
    vi.advanceTimersByTime(distantSilenceMs);
    expect(distant.liveness(holder)).toBe('gone');
    vi.advanceTimersByTime(1000);
    world.sign = 'back';
    expect(distant.liveness(holder)).toBe('unknown');
  });

  it('shows no sign of life by losing its status file', () => {
    const { world, distant } = prepare();
    distant.liveness(holder);
    vi.advanceTimersByTime(distantSilenceMs / 2);
    world.sign = null;
    distant.liveness(holder);
    vi.advanceTimersByTime(distantSilenceMs / 2 + 500);
    expect(distant.liveness(holder)).toBe('gone');
  });

  it('is waited for: till it was silent for long enough, or till it shows a sign of life', async () => {
    const { world, distant } = prepare();
    const silent = distant.untilSilent(holder);
    await vi.advanceTimersByTimeAsync(distantSilenceMs + 1000);
    expect(await silent).toBe(true);
    const other = { ...holder, pid: 2969 };
    const alive = distant.untilSilent(other);
    await vi.advanceTimersByTimeAsync(1000);
    world.sign = 'here';
    await vi.advanceTimersByTimeAsync(1000);
    expect(await alive).toBe(false);
  });

  it('is gone at once when its user says so', () => {
    const { distant } = prepare();
    distant.giveUp(holder);
    vi.advanceTimersByTime(1000);
    expect(distant.liveness(holder)).toBe('gone');
  });

  it.each(['alive', 'gone'] as const)('is not listened to where it can be asked: %s', told => {
    const { distant } = prepare(told);
    vi.advanceTimersByTime(10 * distantSilenceMs);
    expect(distant.liveness(holder)).toBe(told);
  });
});
