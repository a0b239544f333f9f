import { InvalidArgumentError } from 'commander';

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/** `30s`, `10m`, `1.5h`: as ms. @throws InvalidArgumentError for what is no time, or less than a second */
export function readDuration(text: string): number {
  const [, value, unit = ''] = /^(\d+(?:\.\d+)?)\s*(s|m|min|h)$/.exec(text.trim()) ?? [];
  const ms = Number(value) * (units[unit] ?? Number.NaN);
  if (ms >= 1000 && ms <= 2 ** 31 - 1) return ms;
  throw new InvalidArgumentError('Give a time such as 30s, 10m or 2h.');
}
