import { localIso, parseIso } from '../../model/localTime.ts';

export interface Range {
  low: number;
  high: number;
}

export interface Tick {
  value: number;
  text: string;
}

/** Round values within a range, about `count` of them, all with the same number of decimals. */
export function valueTicks({ low, high }: Range, count: number): Tick[] {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find(factor => factor * power >= rough) ?? 10) * power;
  const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
  const ticks: Tick[] = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) {
    const value = i * step;
    ticks.push({ value, text: i === 0 ? '0' : value.toFixed(decimals) });
  }
  return ticks;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const timeSteps = [
  ...[1, 2, 5, 10, 30].map(n => n * 1000),
  ...[1, 2, 5, 10, 15, 30].map(n => n * minute),
  ...[1, 2, 3, 6, 12].map(n => n * hour),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map(n => n * day),
];

/** Round local times within a range, at most about `count`: `13:45`, `13:45:10` or `07-24`. */
export function timeTicks({ low, high }: Range, count: number): Tick[] {
  const step = timeSteps.find(each => each >= (high - low) / Math.max(1, count)) ?? (timeSteps.at(-1) as number);
  // Counted from local midnight, so that the hours are round where people are.
  const midnight = parseIso(`${localIso(low).slice(0, 10)}T00:00:00`);
  const ticks: Tick[] = [];
  for (let i = Math.ceil((low - midnight) / step); midnight + i * step <= high; i++) {
    const value = midnight + i * step;
    const text = localIso(value);
    ticks.push({ value, text: step >= day ? text.slice(5, 10) : text.slice(11, step >= minute ? 16 : 19) });
  }
  return ticks;
}
