import { gapIntervals } from '../../model/gaps.ts';
import type { RoiSample } from '../../model/roiHistory.ts';

/** The time that a chart shows, cut into columns of one length. */
export interface ChartTime {
  /** Where the first column begins, ms since 1970 UTC. */
  low: number;
  /** Length of a column, ms. */
  columnMs: number;
  columns: number;
}

/** What one column stands for. */
export interface Column {
  frames: number;
  /** Lowest, median and highest of the frames' values. */
  low: number;
  median: number;
  high: number;
  /** Flags of any of them. */
  flags: number;
  /** Mean standard error; NaN where there is none. */
  uncertainty: number;
  /** The first and the last moment that it is known of, ms. */
  first: number;
  last: number;
  /** The frames went on without a gap since the column before that has any. */
  joined: boolean;
}

/** What is drawn of a sample; a value that is NaN is not known. */
export interface Reading {
  low: number;
  median: number;
  high: number;
  flags: number;
  uncertainty: number;
}

/** A sample of several frames that lasted so many times as long as its neighbours has a gap within. */
const longSample = 1.5;
/** So many samples to each side tell what interval is usual here. */
const reach = 4;

export const columnAt = ({ low, columnMs }: ChartTime, at: number): number => Math.floor((at - low) / columnMs);

/** Since when, and how long, each sample lasted, and which interval from frame to frame is usual there. */
export interface Span {
  first: number;
  last: number;
  intervalMs: number;
}

/** @param samples in order of time. */
export function spansOf(samples: readonly RoiSample[]): Span[] {
  const intervals = samples.map(({ at, frames }, i) => {
    const next = samples[i + 1];
    return next ? (next.at - at) / frames : Number.POSITIVE_INFINITY;
  });
  const usual = (i: number): number => {
    const near = intervals
      .slice(Math.max(0, i - reach), i + reach + 1)
      .filter(Number.isFinite)
      .sort((a, b) => a - b);
    return near[near.length >> 1] ?? Number.POSITIVE_INFINITY;
  };
  return samples.map(({ at, frames, lasted }, i) => {
    const intervalMs = usual(i);
    const most = frames > 1 ? Math.min(intervals[i]!, intervalMs) * (frames - 1) : 0;
    return { first: at, last: at + (lasted ?? (Number.isFinite(most) ? most : 0)), intervalMs };
  });
}

/** The columns of one curve; null where a column has no frame with a value. */
export function columnsOf(
  samples: readonly RoiSample[],
  spans: readonly Span[],
  time: ChartTime,
  read: (sample: RoiSample) => Reading,
): (Column | null)[] {
  const columns: (Column | null)[] = new Array(time.columns).fill(null);
  /** Medians of what shares a column, with the frames that they stand for. */
  let parts: [value: number, frames: number][] = [];
  let at = -1;
  let before: Column | null = null;
  let beforeInterval = 0;
  const close = (): void => {
    const column = columns[at];
    if (column) {
      column.median = weightedMedian(parts);
      before = column;
    }
    parts = [];
  };
  const add = (index: number, reading: Reading, span: Span, share: number): void => {
    if (index < 0 || index >= time.columns) return;
    if (index !== at) close();
    at = index;
    const { low, median, high, flags, uncertainty } = reading;
    const from = Math.max(span.first, time.low + index * time.columnMs);
    const to = Math.max(from, Math.min(span.last, time.low + (index + 1) * time.columnMs));
    const column = columns[index];
    parts.push([median, share]);
    if (!column) {
      const joined = before !== null && from - before.last <= gapIntervals * Math.max(span.intervalMs, beforeInterval);
      columns[index] = { frames: share, low, median, high, flags, uncertainty, first: from, last: to, joined };
    } else {
      column.uncertainty =
        (column.uncertainty * column.frames + uncertainty * share) / (column.frames + share) || column.uncertainty;
      column.frames += share;
      column.low = Math.min(column.low, low);
      column.high = Math.max(column.high, high);
      column.flags |= flags;
      column.last = Math.max(column.last, to);
    }
    beforeInterval = span.intervalMs;
  };

  for (const [i, sample] of samples.entries()) {
    const span = spans[i]!;
    const reading = read(sample);
    if (!Number.isFinite(reading.median)) continue;
    const [from, to] = [columnAt(time, span.first), columnAt(time, span.last)];
    const isWhole = span.last - span.first <= longSample * sample.frames * span.intervalMs;
    if (from === to) add(from, reading, span, sample.frames);
    else if (isWhole) for (let k = from; k <= to; k++) add(k, reading, span, sample.frames / (to - from + 1));
    else {
      add(from, reading, { ...span, last: span.first }, sample.frames / 2);
      add(to, reading, { ...span, first: span.last }, sample.frames / 2);
    }
  }
  close();
  return columns;
}

/** Half of the frames are not above it, and half not below. */
function weightedMedian(parts: [value: number, frames: number][]): number {
  if (parts.length === 1) return parts[0]![0];
  parts.sort(([a], [b]) => a - b);
  const half = parts.reduce((sum, [, frames]) => sum + frames, 0) / 2;
  let sum = 0;
  for (const [i, [value, frames]] of parts.entries()) {
    sum += frames;
    if (Math.abs(sum - half) < 1e-9 * half && parts[i + 1]) return (value + parts[i + 1]![0]) / 2;
    if (sum > half) return value;
  }
  return Number.NaN;
}
