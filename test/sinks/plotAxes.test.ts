import { describe, expect, it } from 'vitest';
import { gapsBefore } from '../../src/model/gaps.ts';
import { timeTicks, valueAxis } from '../../src/sinks/plot/plotAxes.ts';
import { gradualColour, maxDistinct, trackColour } from '../../src/sinks/plot/plotColours.ts';
import { trackLines } from '../../src/sinks/plot/trackLines.ts';

const t0 = Date.UTC(2025, 7, 12, 13, 45, 0, 352);
const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;

describe('timeTicks', () => {
  it.each([
    ['8 frames in a second', second, ['13:45:00.4', '13:45:00.6', '13:45:00.8', '13:45:01.0', '13:45:01.2']],
    ['a minute', 60 * second, ['13:45:15', '13:45:30', '13:45:45', '13:46:00']],
    ['an hour', hour, ['14:00', '14:15', '14:30', '14:45']],
    ['a day', day, ['18:00', '00:00', '06:00', '12:00']],
    ['three weeks', 21 * day, ['2025-08-18', '2025-08-25', '2025-09-01']],
  ])('%s', (_, span, labels) => {
    expect(timeTicks(t0, t0 + span, 6).map(({ label }) => label)).toEqual(labels);
  });

  it('shows the date at the first tick and where it changes', () => {
    const dates = timeTicks(t0, t0 + day, 6).map(({ date }) => date);
    expect(dates).toEqual(['2025-08-12', '2025-08-13', null, null]);
  });

  it('never gives more than asked for, from a millisecond to years', () => {
    for (let span = 1; span < 3000 * day; span *= 1.7) {
      const ticks = timeTicks(t0, t0 + span, 10);
      expect(ticks.length).toBeLessThanOrEqual(10);
      expect(ticks.length).toBeGreaterThanOrEqual(span < 10 ? 0 : 2);
      for (const { at } of ticks) expect(at >= t0 && at <= t0 + span).toBe(true);
    }
  });
});

describe('valueAxis', () => {
  it('leaves a little room and has round ticks', () => {
    const { min, max, ticks } = valueAxis(60, 120, 7);
    expect(min).toBeCloseTo(57.6);
    expect(max).toBeCloseTo(122.4);
    expect(ticks).toEqual([60, 70, 80, 90, 100, 110, 120]);
  });

  it('shows a constant in a range that is neither empty nor magnified noise', () => {
    const { min, max, ticks } = valueAxis(73.2, 73.2, 7);
    expect(max - min).toBeGreaterThan(0.5);
    expect(ticks.length).toBeGreaterThan(2);
  });
});

describe('trackLines', () => {
  it('breaks at missing values and at gaps', () => {
    const times = Float64Array.from([0, 1, 2, 3, 4, 100, 101, 102]);
    const values = [1, 2, Number.NaN, 4, 5, 6, 7, 8];
    const gaps = gapsBefore(times, () => 1);
    expect(trackLines(times, values, gaps)).toEqual([
      [
        [0, 1],
        [1, 2],
      ],
      [
        [3, 4],
        [4, 5],
      ],
      [
        [100, 6],
        [101, 7],
        [102, 8],
      ],
    ]);
  });
});

describe('plot colours', () => {
  it('are all different for a few, and even in lightness for many', () => {
    const few = Array.from({ length: maxDistinct }, (_, i) => trackColour(i, maxDistinct));
    expect(new Set(few).size).toBe(maxDistinct);
    const lightness = (colour: string): number =>
      [0.2126, 0.7152, 0.0722].reduce(
        (sum, share, i) => sum + share * Number.parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16),
        0,
      );
    const many = Array.from({ length: 644 }, (_, i) => lightness(trackColour(i, 644)));
    for (let i = 1; i < many.length; i++) expect(many[i]).toBeGreaterThanOrEqual((many[i - 1] as number) - 1);
    expect(gradualColour(0)).toBe('#440154');
  });
});
