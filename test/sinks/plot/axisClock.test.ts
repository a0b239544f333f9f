import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { axisClock } from '../../../src/sinks/plot/plotData.ts';
import { seriesClock } from '../../../src/sinks/series/seriesClock.ts';
import { sampleResult } from '../sampleResult.ts';

const minute = 60_000;
/** 27 October 2024 in Berlin: 02:00 to 03:00 comes twice. In the order in which frames were taken. */
const autumn = ['01:40', '02:00', '02:20', '02:40', '02:00', '02:20', '02:40', '03:00'].map(
  time => `2024-10-27T${time}:00.000000`,
);
const steps = (places: readonly number[]): number[] => places.slice(1).map((place, i) => (place - places[i]!) / minute);

/** Where results stand, by what they say of their times. */
function begin(): (local: string, utc: string | null | undefined) => number {
  const [clock, place] = [seriesClock(), axisClock()];
  return (timestamp, utc) => {
    const { image_timestamp_utc: _known, ...line } = sampleResult({ timestamp });
    return place(clock(utc === undefined ? line : { ...line, image_timestamp_utc: utc }));
  };
}

describe('the axis of the live plot', () => {
  let zone: string | undefined;
  beforeEach(() => {
    zone = process.env.TZ;
    process.env.TZ = 'Europe/Berlin';
  });
  afterEach(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });

  const utcOf = (i: number): string =>
    `${new Date(Date.UTC(2024, 9, 26, 23, 40) + i * 20 * minute).toISOString().slice(0, 19)}Z`;

  it('does not fold at the hour that comes twice, when the results tell UTC', () => {
    const place = begin();
    const places = autumn.map((local, i) => place(local, utcOf(i)));
    expect(new Date(places[0]!).toISOString()).toBe('2024-10-27T01:40:00.000Z');
    expect(steps(places)).toEqual(Array(7).fill(20));
  });

  it('does not fold where results of an earlier version tell no UTC, and both agree', () => {
    const place = begin();
    const places = autumn.map((local, i) => place(local, i % 3 === 2 ? utcOf(i) : undefined));
    expect(steps(places)).toEqual(Array(7).fill(20));
  });

  it('has no gap at the hour that is missing in spring', () => {
    const place = begin();
    const places = ['2025-03-30T01:50:00', '2025-03-30T03:10:00'].map(local => place(local, undefined));
    expect(steps(places)).toEqual([20]);
  });

  it('shows the times of images from another zone, or from none, as they are', () => {
    const place = begin();
    for (const utc of ['2025-07-24T23:45:13Z', null]) {
      expect(new Date(place('2025-07-24T13:45:13', utc)).toISOString()).toBe('2025-07-24T13:45:13.000Z');
    }
    expect(new Date(place('2025-07-24T13:45:14', undefined)).toISOString()).toBe('2025-07-24T13:45:14.000Z');
  });
});
