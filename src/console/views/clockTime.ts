import { localIso } from '../../model/localTime.ts';

/** Time of day, with the date when it was not within the last day. */
export function clockTime(ms: number, now: number): string {
  if (!Number.isFinite(ms)) return '?';
  const text = localIso(ms);
  return Math.abs(now - ms) < 20 * 3_600_000 ? text.slice(11, 19) : text.slice(5, 16).replace('T', ' ');
}
