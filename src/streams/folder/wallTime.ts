import type { Instant, TimestampSource } from '../../model/frame.ts';
import { utcIso } from '../../model/localTime.ts';

/**
 * A time as clocks on the wall showed it, with its zone when that was written down. Images of a folder carry local times;
 * turning them into instants would need a zone that most of them lack, so the two are kept apart.
 */
export interface WallTime {
  /** Milliseconds (whole microseconds as fractions) since 1970-01-01T00:00 on that clock. */
  wallMs: number;
  /** Minutes east of UTC; null when unknown. */
  zoneMinutes: number | null;
}

const wallPattern =
  /^\s*(\d{4})[-:/](\d\d)[-:/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?\s*$/;

/** Whole microseconds, so that adding them to a date rounds to the microsecond that was meant. */
const toMicroseconds = (ms: number): number => Math.round(ms * 1000) / 1000;

/** Milliseconds of a calendar date and time, or null when there is no such date (month 13, 31 June, hour 24). */
export function calendarMs(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | null {
  // A leap second is written 60 by some cameras; it belongs to the minute that it ends.
  if (hour > 23 || minute > 59 || second > 60) return null;
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(Date.UTC(year, month - 1, day));
  const exists = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists ? ms : null;
}

/** Minutes east of UTC of `Z`, `+0100` or `+01:00`; null for anything else. */
export function zoneMinutesOf(zone: string | undefined): number | null {
  if (zone === undefined) return null;
  if (zone === 'Z') return 0;
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(zone.trim());
  if (!match) return null;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === '-' ? -minutes : minutes;
}

/** Milliseconds of a decimal fraction of a second given by its digits, to the microsecond. */
export const fractionMs = (digits: string | undefined): number =>
  digits ? toMicroseconds(Number(`0.${digits}`) * 1000) : 0;

/** Reads `2025-08-12 13:45:00.352 +0100`, ISO 8601 and EXIF's `2025:08:12 13:45:00`; null for other text. */
export function parseWallTime(text: string): WallTime | null {
  const match = wallPattern.exec(text);
  if (!match) return parseLocaleTime(text);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const base = calendarMs(year, month, day, hour, minute, second);
  return base === null ? null : { wallMs: base + fractionMs(match[7]), zoneMinutes: zoneMinutesOf(match[8]) };
}

/** `8/19/2025 1:02:00 PM`, as Java writes it in the USA; `19.08.2025 13:02:00` in Europe. */
const localePattern =
  /^\s*(\d\d?)([/.])(\d\d?)\2(\d{4}|\d\d),?\s+(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:\s*([AP])\.?M\.?)?\s*(Z|[+-]\d\d:?\d\d)?\s*$/i;

function parseLocaleTime(text: string): WallTime | null {
  const match = localePattern.exec(text);
  if (!match) return null;
  const [a, , b, y, h, minute, second = 0] = match.slice(1, 8).map(Number) as number[];
  const half = match[9]?.toUpperCase();
  // Months come first with a slash, unless there is no such month.
  const isMonthFirst = match[2] === '/' && (a as number) <= 12;
  const [month, day] = (isMonthFirst ? [a, b] : [b, a]) as [number, number];
  const year = (y as number) < 100 ? 2000 + (y as number) : (y as number);
  if (half !== undefined && ((h as number) < 1 || (h as number) > 12)) return null;
  const hour = half === undefined ? (h as number) : ((h as number) % 12) + (half === 'P' ? 12 : 0);
  const base = calendarMs(year, month, day, hour, minute as number, Number.isNaN(second) ? 0 : second);
  return base === null ? null : { wallMs: base + fractionMs(match[8]), zoneMinutes: zoneMinutesOf(match[10]) };
}

/** The same time a while later, `ms` rounded to the microsecond. */
export const later = (time: WallTime, ms: number): WallTime => ({ ...time, wallMs: time.wallMs + toMicroseconds(ms) });

/** An instant of this machine's clock (milliseconds since 1970 UTC) as its wall shows it. */
export function wallTimeOf(epochMs: number): WallTime {
  const zoneMinutes = -new Date(epochMs).getTimezoneOffset();
  return { wallMs: toMicroseconds(epochMs + zoneMinutes * 60_000), zoneMinutes };
}

/** Milliseconds from `a` to `b`: between instants where both zones are known, else between the clocks' faces. */
export function elapsedBetween(a: WallTime, b: WallTime): number {
  const zones = a.zoneMinutes !== null && b.zoneMinutes !== null ? (a.zoneMinutes - b.zoneMinutes) * 60_000 : 0;
  return b.wallMs - a.wallMs + zones;
}

/** The two forms that the manifest keeps. */
export function instantOf(time: WallTime, source: TimestampSource): Instant {
  return {
    local: utcIso(time.wallMs).slice(0, -1),
    utc: time.zoneMinutes === null ? null : utcIso(time.wallMs - time.zoneMinutes * 60_000),
    source,
  };
}
