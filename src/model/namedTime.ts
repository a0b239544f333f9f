import { localIso } from './localTime.ts';

/** `9:05` or `12:30:05.5`, as a full time has it behind its T; null for what is no time of day. */
export function timeOfDayText(text: string): string | null {
  const [, hours = '', rest = ''] = /^(\d{1,2})(:\d\d(?::\d\d(?:\.\d{1,6})?)?)$/.exec(text.trim()) ?? [];
  const time = `${hours.padStart(2, '0')}${rest}`;
  return /^(?:[01]\d|2[0-3])(?::[0-5]\d){1,2}(?:\.\d+)?$/.test(time) ? time : null;
}

const dayMs = 86_400_000;

/**
 * A time of day in full: today's, or yesterday's where today's is still to come. Other text is given back as it is.
 * @param now ms since 1970 UTC
 */
export function fullTime(text: string, now: number): string {
  const time = timeOfDayText(text);
  if (time === null) return text;
  const today = localIso(now);
  const isToCome = time > today.slice(11);
  return `${isToCome ? localIso(Date.parse(`${today.slice(0, 10)}T12:00:00`) - dayMs).slice(0, 10) : today.slice(0, 10)}T${time}`;
}
