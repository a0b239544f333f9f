import { localIso } from '../../model/localTime.ts';
import { number, shortDuration } from '../../model/quantity.ts';

const steps = ['', 'k', 'M', 'G', 'T'];

/** A count in at most `width` columns: `12,345`, or where that is too long `12.3k`. */
export function count(value: number, width: number): string {
  const whole = number(Math.round(value));
  if (whole.length <= width) return whole;
  let scaled = value;
  let step = 0;
  while (Math.abs(scaled) >= 999.5 && step < steps.length - 1) {
    scaled /= 1000;
    step++;
  }
  return `${Number(scaled.toPrecision(3))}${steps[step]}`.slice(0, width);
}

/** A rate in few columns: `0`, `0.25`, `11.8`, `1,234`. */
export const rate = (value: number): string => number(Number(value.toPrecision(value >= 100 ? 4 : 3)));

/** How long ago, in at most six columns; what is fresh is `now`, so that nothing changes while all is well. */
export const age = (ms: number): string => (ms < 10_000 ? 'now' : shortDuration(ms));

/** Time of day, with the date when it was not within the last day. */
export function clockTime(ms: number, now: number): string {
  if (!Number.isFinite(ms)) return '?';
  const text = localIso(ms);
  return Math.abs(now - ms) < 20 * 3_600_000 ? text.slice(11, 19) : text.slice(5, 16).replace('T', ' ');
}
