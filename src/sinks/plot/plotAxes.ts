const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Steps that people count in, ms. */
const steps = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map(n => n * second),
  ...[1, 2, 5, 10, 15, 30].map(n => n * minute),
  ...[1, 2, 3, 6, 12].map(n => n * hour),
  ...[1, 2, 3, 7, 14, 28, 56, 91, 182, 364].map(n => n * day),
];
/** A Monday, from which steps of days and weeks are counted. */
const monday = Date.UTC(2024, 0, 1);

export interface TimeTick {
  /** Milliseconds since 1970. */
  at: number;
  /** Time of day, or the date where ticks are days apart. */
  label: string;
  /** `2025-08-12` where the date is new; else null. */
  date: string | null;
}

/**
 * Round moments between two times, at most `most` of them, with labels as precise as the step between them.
 * @param from,to milliseconds since 1970, read as UTC.
 */
export function timeTicks(from: number, to: number, most: number): TimeTick[] {
  const step = steps.find(length => (to - from) / length < most) ?? (steps.at(-1) as number);
  const ticks: TimeTick[] = [];
  let lastDate = '';
  for (let at = monday + Math.ceil((from - monday) / step) * step; at <= to; at += step) {
    const iso = new Date(at).toISOString();
    const date = iso.slice(0, 10);
    if (step >= day) ticks.push({ at, label: date, date: null });
    else {
      const label = iso.slice(11, step >= minute ? 16 : step >= second ? 19 : step >= 100 ? 21 : step >= 10 ? 22 : 23);
      ticks.push({ at, label, date: date === lastDate ? null : date });
    }
    lastDate = date;
  }
  return ticks;
}

export interface ValueAxis {
  min: number;
  max: number;
  /** Round numbers between them, and from each to the next; of a narrow range there may be but one. */
  ticks: number[];
  step: number;
}

/** An axis from a little below `low` to a little above `high`, with at most about `count` round ticks. */
export function valueAxis(low: number, high: number, count: number): ValueAxis {
  const middle = (low + high) / 2;
  // A constant gets a range that shows its size: 1 % of it, and no less than what a position can be measured to.
  const span = Math.max(high - low, Math.abs(middle) * 0.01, 0.1) * 1.08;
  const [min, max] = [middle - span / 2, middle + span / 2];
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find(n => n * power >= rough) ?? 10) * power;
  const first = Math.ceil(min / step);
  const ticks = Array.from({ length: Math.floor(max / step) - first + 1 }, (_, i) =>
    // Without the binary dust of a product.
    Number(((first + i) * step).toPrecision(12)),
  );
  return { min, max, ticks, step: Number(step.toPrecision(12)) };
}
