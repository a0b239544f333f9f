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
