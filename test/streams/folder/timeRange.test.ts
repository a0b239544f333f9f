import { expect, it } from 'vitest';
import { timeRangeWithin } from '../../../src/streams/folder/timeRange.ts';

const at = (text: string): number => Date.parse(`${text}Z`);
const [first, last] = [at('2025-07-24T20:10:30'), at('2025-07-25T08:00:00')];

it.each([
  ['21:00', '22:30', '2025-07-24T21:00', '2025-07-24T22:31'],
  ['20:10', undefined, '2025-07-24T20:10', undefined],
  ['2:00', '6:00:10', '2025-07-25T02:00', '2025-07-25T06:00:11'],
  // Before all images, and never again: all of them.
  ['19:00', undefined, '2025-07-24T19:00', undefined],
  [undefined, '2:00', undefined, '2025-07-25T02:01'],
  ['2025-07-25T01:00', '3:00', '2025-07-25T01:00', '2025-07-25T03:01'],
])('images of a night from %s to %s, as times of day', (from, to, begins, ends) => {
  expect(timeRangeWithin(from, to, first, last)).toEqual({
    from: begins === undefined ? Number.NEGATIVE_INFINITY : at(`${begins}:00`),
    end: ends === undefined ? Number.POSITIVE_INFINITY : at(ends.length > 16 ? ends : `${ends}:00`),
  });
});

it('a time of day of images that tell no time before they are read asks for the day', () => {
  expect(() => timeRangeWithin('20:00', undefined, Number.NaN, Number.NaN)).toThrow(/write the day too/);
  expect(() => timeRangeWithin('25:00', undefined, first, last)).toThrow(/no date or time/);
});
