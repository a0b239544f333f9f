import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RoiHistory } from '../../../src/model/roiHistory.ts';
import { roiHistory$ } from '../../../src/streams/console/roiHistory.ts';
import { sampleOf } from '../../console/sampleConsole.ts';

const history = (at: number): RoiHistory => ({
  labels: ['a'],
  baseline: Float64Array.of(1),
  samples: [sampleOf({ at })],
  flagNames: [],
});

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

function begin(look: () => Promise<RoiHistory | null>) {
  const told: (number | string)[] = [];
  const clock = { now: () => Date.now(), monotonic: () => Date.now() };
  const subscription = roiHistory$({ look, onError: ({ message }) => told.push(message) }, { clock }).subscribe(
    ({ samples }) => told.push(samples[0]!.at),
  );
  return { told, stop: () => subscription.unsubscribe() };
}

it('the history is told at once, and then once a second what is new', async () => {
  const { told, stop } = begin(async () => (Date.now() % 3_000 === 0 ? history(Date.now()) : null));
  await vi.advanceTimersByTimeAsync(9_500);
  expect(told).toEqual([0, 3_000, 6_000, 9_000]);
  stop();
  expect(vi.getTimerCount()).toBe(0);
});

it('following the history takes a hundredth of the time, however long a look takes; the first is none of many', async () => {
  let looks = 0;
  const { stop } = begin(async () => {
    looks++;
    await new Promise(resolve => setTimeout(resolve, 50));
    return history(Date.now());
  });
  await vi.advanceTimersByTimeAsync(1_200);
  expect(looks).toBe(2);
  await vi.advanceTimersByTimeAsync(50_000);
  expect(looks).toBe(11);
  stop();
});

it('a history that can not be read is told once for each reason, and read again', async () => {
  const reasons = ['EIO', 'EIO', 'EACCES', null, 'EIO'];
  const { told, stop } = begin(async () => {
    const reason = reasons.shift();
    if (reason) throw new Error(reason);
    return history(Date.now());
  });
  await vi.advanceTimersByTimeAsync(5_500);
  expect(told).toEqual(['EIO', 'EACCES', 3_000, 'EIO', 5_000]);
  stop();
});
