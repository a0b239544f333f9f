import { describe, expect, it } from 'vitest';
import { parseIso } from '../../../src/model/localTime.ts';
import { DiskForecast } from '../../../src/sinks/status/diskForecast.ts';

const t0 = Date.UTC(2026, 10, 22, 12);
const size = 64e9;
const minute = 60_000;

/** Takes a sample a second from `from` to `to` (ms), with what `free` says; returns the last forecast. */
function follow(forecast: DiskForecast, from: number, to: number, free: (ms: number) => number) {
  let told = forecast.take({ free: free(from), size }, t0 + from);
  for (let ms = from + 1000; ms <= to; ms += 1000) told = forecast.take({ free: free(ms), size }, t0 + ms);
  return told;
}

/** Milliseconds from `now` until it is full. */
const left = (fullAt: string | null, now: number): number | null =>
  fullAt === null ? null : parseIso(fullAt) - (t0 + now);

describe('DiskForecast', () => {
  /** 1 MB a second. */
  const filling = (ms: number): number => 20e9 - ms * 1000;

  it('tells what is free at once, and nothing of the future before ten minutes have passed', () => {
    const forecast = new DiskForecast();
    expect(forecast.take({ free: 20e9, size }, t0)).toEqual({ free: 20e9, size, full_at: null });
    expect(follow(forecast, 1000, 599_000, filling).full_at).toBeNull();
    const told = follow(forecast, 600_000, 600_000, filling);
    expect(left(told.full_at, 600_000)).toBeCloseTo(filling(600_000) / 1000, -1);
  });

  it('goes by the last hour, not by what was before', () => {
    const forecast = new DiskForecast();
    const told = follow(forecast, 0, 180 * minute, ms =>
      ms < 60 * minute ? 40e9 - ms * 5000 : 40e9 - 60 * minute * 5000 - (ms - 60 * minute) * 100,
    );
    expect(left(told.full_at, 180 * minute)! / (told.free / 100)).toBeCloseTo(1, 2);
  });

  it('says nothing of a disk that stays as it is, is emptied, or would take many years', () => {
    expect(follow(new DiskForecast(), 0, 30 * minute, () => 20e9).full_at).toBeNull();
    expect(follow(new DiskForecast(), 0, 30 * minute, ms => 20e9 + ms).full_at).toBeNull();
    // The last time that a date can hold lies 270,000 years ahead.
    const huge = follow(new DiskForecast(), 0, 30 * minute, ms => 64e12 - (ms > minute ? 1 : 0));
    expect(huge.full_at).toBeNull();
  });

  it.each([
    ['back', -3600_000],
    ['ahead by years', 6 * 365 * 86_400_000],
  ])('begins anew when the clock is set %s', (_how, jump) => {
    const forecast = new DiskForecast();
    follow(forecast, 0, 20 * minute, filling);
    const begun = 20 * minute + jump;
    const free = (ms: number): number => filling(20 * minute) - (ms - begun) * 2000;
    expect(follow(forecast, begun, begun + 9 * minute, free).full_at).toBeNull();
    const told = follow(forecast, begun + 9 * minute, begun + 12 * minute, free);
    expect(left(told.full_at, begun + 12 * minute)! / (told.free / 2000)).toBeCloseTo(1, 2);
  });
});
