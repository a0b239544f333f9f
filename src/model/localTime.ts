/** Local times as Python's `datetime.isoformat()` writes them: no zone, microseconds. */

const pad = (value: number, width: number): string => String(value).padStart(width, '0');

/** Splits milliseconds since 1970 (with fractions) into a `Date` and the microseconds within its second. */
function split(ms: number): { date: Date; micros: number } {
  const totalMicros = Math.round(ms * 1000);
  const seconds = Math.floor(totalMicros / 1e6);
  return { date: new Date(seconds * 1000), micros: totalMicros - seconds * 1e6 };
}

/** `2025-07-24T13:45:13.569672` in the machine's zone. `ms`: milliseconds since 1970 UTC, fractions kept to 1 µs. */
export function localIso(ms: number): string {
  const { date, micros } = split(ms);
  const day = `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1, 2)}-${pad(date.getDate(), 2)}`;
  const time = `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}`;
  return `${day}T${time}.${pad(micros, 6)}`;
}

/** `2025-07-24 13:45:13` in the machine's zone, as people read it. */
export const moment = (ms: number): string =>
  Number.isNaN(ms) ? 'an unknown time' : localIso(ms).slice(0, 19).replace('T', ' ');

/** `13:45:13` in the machine's zone. */
export const timeOfDay = (ms: number): string => localIso(ms).slice(11, 19);

/** `UTC`, `UTC+1`, `UTC-3:30`. @param minutes that a clock there is ahead of UTC */
export function zoneName(minutes: number): string {
  if (minutes === 0) return 'UTC';
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? '-' : '+'}${hours}${rest === 0 ? '' : `:${pad(rest, 2)}`}`;
}

/** The zone of the machine at a time, ms since 1970 UTC: {@link zoneName}. */
export const zoneHere = (ms: number): string => zoneName(-new Date(ms).getTimezoneOffset());

/** `2025-07-24T12:45:13.569672Z`. `ms` as in {@link localIso}. */
export function utcIso(ms: number): string {
  const { date, micros } = split(ms);
  return `${date.toISOString().slice(0, 19)}.${pad(micros, 6)}Z`;
}

/** What the clock at a camera showed, with all digits that a frame has of it: `2025-07-24T13:45:13.569672`. `ms` since 1970 as if it were in UTC. */
export const clockIso = (ms: number): string => utcIso(ms).slice(0, -1);

/**
 * A reader of local times in this machine's zone, in about the order in which they were taken, as milliseconds since 1970 UTC. A time within
 * the hour that comes twice in autumn is that of the two which is nearer to the time read before.
 */
export function localTimesInOrder(): (local: string) => number {
  let last = Number.NaN;
  return local => {
    const first = parseIso(local);
    const second = secondOf(first);
    last = second !== null && Math.abs(second - last) < Math.abs(first - last) ? second : first;
    return last;
  };
}

/** The second instant at which clocks here show what they show at this one; null when there is none. */
function secondOf(ms: number): number | null {
  if (Number.isNaN(ms)) return null;
  const back = (new Date(ms + 2 * 3_600_000).getTimezoneOffset() - new Date(ms).getTimezoneOffset()) * 60_000;
  return back > 0 && localIso(ms + back) === localIso(ms) ? ms + back : null;
}

/**
 * Milliseconds since 1970 UTC, with microseconds as fractions, of a time written by {@link localIso} or {@link utcIso}; NaN
 * for other text. A local time within the hour that comes twice in autumn is read as the first: where both forms are known,
 * take the UTC one.
 */
export function parseIso(text: string): number {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$/.exec(text);
  if (!match) return Number.NaN;
  const [, base, fraction, zone] = match;
  const seconds = Date.parse(`${base}${zone ?? ''}`);
  return seconds + (fraction ? Number(`0.${fraction}`) * 1000 : 0);
}
