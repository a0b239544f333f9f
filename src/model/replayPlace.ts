import { clockTime } from './experimentStep.ts';
import { timeOfDayText } from './namedTime.ts';

/** A place in a recording, as a person names it. */
export type ReplayPlace =
  /** The frame with this number; the first is 1. */
  | { kind: 'frame'; number: number }
  /** So many frames on, or back. */
  | { kind: 'frames'; by: number }
  /** A share of all frames, 0 to 1. */
  | { kind: 'share'; share: number }
  /** So long on, or back, in recorded time, ms. */
  | { kind: 'time'; by: number }
  /** The first frame at or after this moment of the frames' own clock, ms since 1970 on its face. */
  | { kind: 'moment'; wallMs: number }
  /** The next frame at or after this time of day, ms since midnight. */
  | { kind: 'timeOfDay'; ms: number };

export const placeExamples = '120 (a frame), +10 or -10 (frames), 50%, 12:30, 2025-07-24T12:30, +5min or -5min';

const moment = /^(\d{4}-\d\d-\d\d)(?:[T ](\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?))?$/;
const units: Readonly<Record<string, number>> = { s: 1000, min: 60_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads a place; null for what is none. */
export function parsePlace(text: string): ReplayPlace | null {
  const word = text.trim();
  if (/^\d+$/.test(word)) return Number(word) > 0 ? { kind: 'frame', number: Number(word) } : null;
  if (/^[+-]\d+$/.test(word)) return { kind: 'frames', by: Number(word) };
  const share = /^(\d+(?:\.\d+)?) ?%$/.exec(word)?.[1];
  if (share !== undefined) return Number(share) <= 100 ? { kind: 'share', share: Number(share) / 100 } : null;
  const [, sign, amount, unit = ''] = /^([+-])(\d+(?:\.\d+)?) ?(s|min|m|h|d)$/.exec(word) ?? [];
  if (sign) return { kind: 'time', by: Number(`${sign}${amount}`) * units[unit]! };
  const ofDay = msOfDay(word);
  if (ofDay !== null) return { kind: 'timeOfDay', ms: ofDay };
  const [, day, time = '0:00'] = moment.exec(word) ?? [];
  const midnight = day === undefined ? Number.NaN : Date.parse(`${day}T00:00:00Z`);
  const since = msOfDay(time);
  // A day that does not exist (31 June) is read as one of the next month.
  if (since === null || !(midnight >= 0) || new Date(midnight).toISOString().slice(0, 10) !== day) return null;
  return { kind: 'moment', wallMs: midnight + since };
}

function msOfDay(text: string): number | null {
  const time = timeOfDayText(text);
  return time === null ? null : clockTime(`1970-01-01T${time}`);
}
