import { expect, it } from 'vitest';
import { fullTime, timeOfDayText } from '../../src/model/namedTime.ts';

it.each([
  ['9:05', '09:05'],
  [' 12:30:05.5', '12:30:05.5'],
  ['00:00', '00:00'],
  ['24:00', null],
  ['12:60', null],
  ['12', null],
  ['2026-11-28T12:30', null],
])('%j as a time of day is %j', (text, read) => expect(timeOfDayText(text)).toBe(read));

it('a time of day is the last such: of today, or of yesterday where it is still to come today', () => {
  const now = new Date(2026, 2, 1, 1, 6).getTime();
  expect(fullTime('1:05', now)).toBe('2026-03-01T01:05');
  expect(fullTime('01:06:00', now)).toBe('2026-03-01T01:06:00');
  expect(fullTime('23:58', now)).toBe('2026-02-28T23:58');
  expect(fullTime('2027-01-01', now)).toBe('2027-01-01');
});
