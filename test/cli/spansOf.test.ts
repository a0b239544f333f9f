import { describe, expect, it } from 'vitest';
import { quantitySettings } from '../../src/cli/readFigures.ts';
import { spansOf } from '../../src/cli/showQuantities.ts';
import { defaultConfig } from '../../src/config/defaultConfig.ts';
import { timeRange } from '../../src/streams/folder/timeRange.ts';

describe('times of --step and --zero, as those of --from and --to', () => {
  it.each(['2026-11-29', '2026-11-29T00:39', '2026-11-29 00:39:10'])('the end %s counts whole', to => {
    const [span] = spansOf('--zero', ['2026-11-28T14:00', to], 1);
    expect(span).toEqual(timeRange('2026-11-28T14:00', to));
    expect(span!.end).toBeGreaterThan(timeRange(to, undefined).from);
  });

  it.each([
    ['three of four', ['14:00', '14:10', '14:20'], /3 times are given; it takes 4 times/],
    ['a window that ends before it begins', ['14:10', '14:00', '14:20', '14:30'], /later than to .*14:00; it takes 4/],
    [
      'windows that overlap in a minute',
      ['14:00', '14:10', '14:10:30', '14:30'],
      /14:10:30 is not later than .*14:10,/,
    ],
    ['no time', ['14:00', 'noon', '14:20', '14:30'], /--step: .*noon.* is no date or time/],
  ])('%s: said, with what it takes', (_, times, message) => {
    const texts = times.map(time => (time === 'noon' ? time : `2026-11-28T${time}`));
    expect(() => spansOf('--step', texts, 2)).toThrow(message);
  });

  it('one window may end in the minute before the next begins', () => {
    const texts = ['14:00', '14:09', '14:10', '14:19'].map(time => `2026-11-28T${time}`);
    const [before, after] = spansOf('--step', texts, 2);
    expect(before!.end).toBe(after!.from);
  });

  it('zero_to that a person wrote counts whole; what `zero` wrote is the moment itself', () => {
    const end = (zero_to: string): number | undefined => {
      const config = defaultConfig();
      const Quantities = { ...config.Quantities, zero_from: '2026-11-28T14:00', zero_to };
      return quantitySettings({ ...config, Quantities }).zero?.end;
    };
    expect(end('2026-11-28T14:20')).toBe(Date.UTC(2026, 10, 28, 14, 21));
    expect(end('2026-11-28')).toBe(Date.UTC(2026, 10, 29));
    expect(end('2026-11-28T14:21:00.000')).toBe(Date.UTC(2026, 10, 28, 14, 21));
  });
});
