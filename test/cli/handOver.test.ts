import { describe, expect, it, vi } from 'vitest';
import { gapWords, HandOver, handOverMs } from '../../src/cli/handOver.ts';
import type { PipelineEvent } from '../../src/model/event.ts';

const noon = Date.UTC(2026, 10, 22, 12);
const frame = (at: number): PipelineEvent => ({ kind: 'done', stage: 'collector', at }) as PipelineEvent;

describe('the moment at which a pipeline is handed over', () => {
  it('is at once while the next frame is far away', () => {
    vi.useFakeTimers();
    const handOver = new HandOver();
    handOver.take(frame(noon));
    const told = vi.fn();
    handOver.moment$(300_000, noon + 10_000).subscribe(told);
    vi.advanceTimersByTime(1);
    expect(told).toHaveBeenCalledOnce();
    vi.useRealTimers();
  });

  it('is right after the next frame when that is near, and not for ever', () => {
    vi.useFakeTimers();
    const handOver = new HandOver();
    handOver.take(frame(noon));
    const told = vi.fn();
    handOver.moment$(handOverMs, noon + 1_000).subscribe(told);
    vi.advanceTimersByTime(5_000);
    expect(told).not.toHaveBeenCalled();
    handOver.take(frame(noon + 8_000));
    expect(told).toHaveBeenCalledOnce();
    const never = vi.fn();
    handOver.moment$(handOverMs, noon + 9_000).subscribe(never);
    vi.advanceTimersByTime(20_000);
    expect(never).toHaveBeenCalledOnce();
    vi.useRealTimers();
  });
});

describe('what a hand-over has cost', () => {
  it.each([
    [noon, noon + 3_100, 5_000, 'no frame was missed'],
    [noon, noon + 5_400, 5_000, 'no frame was missed'],
    [noon, noon + 10_300, 5_000, '1 frame that would have been due'],
    [noon, noon + 4_000, 1_000, '3 frames that would have been due'],
  ])('is said in frames: last %i, next %i, every %i ms', (last, next, every, words) => {
    expect(gapWords(last, next, every)).toContain(words);
  });

  it('is said also when no frame has come yet', () => {
    expect(gapWords(noon, null, 5_000)).toContain('still to come');
    expect(gapWords(null, null, 5_000)).toContain('no frame had been taken');
  });
});
