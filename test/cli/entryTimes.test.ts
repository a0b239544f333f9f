import { expect, it } from 'vitest';
import { entryTimes } from '../../src/cli/requeueSelection.ts';
import { sampleEntry } from '../world/sampleManifest.ts';

/** Local 13:45:13.569672, UTC 12:45:13.569672. */
const entry = sampleEntry('a');

it.each<[string | undefined, string | undefined, boolean]>([
  [undefined, undefined, true],
  ['2025-07-24', '2025-07-24', true],
  ['2025-07-25', undefined, false],
  ['2025-07-24T13:45', '2025-07-24T13:45', true],
  ['2025-07-24T13:45:13.569672', undefined, true],
  ['2025-07-24T13:45:13.569673', undefined, false],
  [undefined, '2025-07-24T13:45:13.569671', false],
  ['2025-07-24T12:45Z', '2025-07-24T12:45Z', true],
  ['2025-07-24T14:45+02:00', '2025-07-24 14:45:13+0200', true],
  [undefined, '2025-07-24T13:44+01:00', false],
  ['2025-07-24T13:00', '2025-07-24T12:45:14Z', true],
])('an image is from %s to %s: %s', (from, to, expected) => {
  expect(entryTimes(from, to)(entry)).toBe(expected);
});

it('of an entry without UTC time a zoned bound takes the local time of this machine', () => {
  const local = { ...entry, timestamp_utc: null };
  const zone = -new Date('2025-07-24T13:45:00').getTimezoneOffset();
  const at = new Date(Date.UTC(2025, 6, 24, 13, 45) - zone * 60_000).toISOString().slice(0, 16);
  expect(entryTimes(`${at}Z`, `${at}Z`)(local)).toBe(true);
});
