import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Schedule } from '../../../src/operators/collector/schedule.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A machine whose timers are late by so many ms each. */
function lateTimers(lateMs: number) {
  let late = 0;
  const clock = { now: () => 0, monotonic: () => performance.now() + late };
  return { clock, fall: (ms: number) => (late += ms), each: () => (late += lateMs) };
}

it('takes every interval of a thousand, though each timer is late by a hundredth of one', () => {
  const { clock, each } = lateTimers(0.5);
  const schedule = new Schedule(50, clock);
  const counts: number[] = [];
  const times: number[] = [];
  const subscription = schedule.due$.subscribe(() => {
    each();
    times.push(clock.monotonic());
    counts.push(schedule.take());
  });
  vi.advanceTimersByTime(49_000);
  subscription.unsubscribe();
  expect(counts.every(count => count === 1)).toBe(true);
  expect(counts.length).toBe(Math.floor(clock.monotonic() / 50 - times[0]! / 50) + 1);
});

it('counts the intervals that a blocked loop went past, and is in time again after them', () => {
  const { clock, fall } = lateTimers(0);
  const schedule = new Schedule(100, clock);
  const taken: [at: number, count: number][] = [];
  const subscription = schedule.due$.subscribe(() =>
    taken.push([Math.round(clock.monotonic() - start), schedule.take()]),
  );
  const start = clock.monotonic();
  vi.advanceTimersByTime(100);
  fall(350);
  vi.advanceTimersByTime(150);
  subscription.unsubscribe();
  expect(taken).toEqual([
    [0, 1],
    [100, 1],
    [550, 4],
    [600, 1],
  ]);
});

it('comes at once for an interval that nobody has taken, and not for one that was', () => {
  const { clock } = lateTimers(0);
  const schedule = new Schedule(100, clock);
  let due = 0;
  const count = () => schedule.due$.subscribe(() => due++);
  let subscription = count();
  vi.advanceTimersByTime(0);
  expect(due).toBe(1);
  subscription.unsubscribe();
  subscription = count();
  vi.advanceTimersByTime(0);
  expect(due).toBe(2);
  subscription.unsubscribe();
  expect([schedule.take(), schedule.take()]).toEqual([1, 0]);
  subscription = count();
  vi.advanceTimersByTime(99);
  expect(due).toBe(2);
  vi.advanceTimersByTime(1);
  expect(due).toBe(3);
  subscription.unsubscribe();
});
