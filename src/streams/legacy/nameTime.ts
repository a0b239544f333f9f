import { calendarMs, fractionMs, type WallTime, zoneMinutesOf } from './wallTime.ts';

/**
 * `20250724_134513_569672`, `2025-07-24T13:45:13.569672+01:00`, `2025-07-24_13-45-13` and their like. Date and time each
 * keep to one separator. After the seconds 3, 6 or 9 digits are a fraction; any other number there is a counter.
 */
const pattern =
  /(?<!\d)((?:19|20)\d\d)([-_.]?)(\d\d)\2(\d\d)[-_T ]{0,2}(\d\d)([-_.:]?)(\d\d)\6(\d\d)(?:[._,-](\d{9}|\d{6}|\d{3}))?(?!\d)(Z|\+\d\d:?\d\d|-\d\d:\d\d)?/g;

/** The time that a file name carries, or null. Numbers that are no date (`20251399_…`) are passed over. */
export function nameTime(name: string): WallTime | null {
  for (const match of name.matchAll(pattern)) {
    const [, year, , month, day, hour, , minute, second, fraction, zone] = match;
    const base = calendarMs(+year, +month, +day, +hour, +minute, +second);
    if (base !== null) return { wallMs: base + fractionMs(fraction), zoneMinutes: zoneMinutesOf(zone) };
  }
  return null;
}
