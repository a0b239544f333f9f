import type { CloseHistory, RoiHistory } from '../../model/roiHistory.ts';
import type { RunMark } from '../../model/runMark.ts';
import type { Range } from '../views/ticks.ts';

const minute = 60_000;
const hour = 60 * minute;

/** How much of the past the chart shows, ms, narrowest first; null: all of it. */
export const zooms = [
  10_000,
  minute,
  5 * minute,
  10 * minute,
  30 * minute,
  hour,
  3 * hour,
  6 * hour,
  12 * hour,
  24 * hour,
  72 * hour,
  7 * 24 * hour,
  null,
] as const;

/** What is shown until somebody zooms: the shortest that has all of a young run, and the longest. */
const youngest = zooms.indexOf(5 * minute);
const grown = zooms.indexOf(hour);

/**
 * Index into {@link zooms} of what the chart shows: what somebody has chosen, else the shortest that holds the run, at most an hour. A run that
 * went on after an hour's rest is a young one.
 * @param live where the axis ends when it goes on, ms since 1970 UTC
 */
export function zoomOf({ zoom }: ChartState, { samples }: Pick<RoiHistory, 'samples'>, live: number): number {
  if (zoom !== null) return zoom;
  const begin = samples.findIndex(({ at }) => at >= live - hour);
  const isYoung = begin >= 0 && (begin === 0 || samples.length - begin > 1);
  const lasted = isYoung ? live - (samples[begin]?.at ?? live) : hour;
  const found = zooms.findIndex((span, i) => i >= youngest && span !== null && span >= lasted);
  return Math.min(found, grown);
}

/** As people read them. */
export const zoomTitles = [
  '10 s',
  '1 min',
  '5 min',
  '10 min',
  '30 min',
  '1 h',
  '3 h',
  '6 h',
  '12 h',
  '24 h',
  '3 days',
  '7 days',
  'all',
] as const satisfies Record<number, string> & { length: (typeof zooms)['length'] };

/** From where shifts are counted instead of from the reference. */
export interface ChartZero {
  /** The moment, ms since 1970 UTC. */
  at: number;
  labels: readonly string[];
  /** What is 0 of each ROI, in the order of `labels`, pixels; NaN where it had no value then. */
  values: Float64Array;
  /** The same of the median of all. */
  median: number;
}

/** What of the console's state is the chart's own. */
export interface ChartState {
  /** ROIs of the chart; null: a handful spread over the manifest. */
  picked: readonly string[] | null;
  /** Index into {@link zooms}; null: nobody has zoomed, and it follows the run while that is young ({@link zoomOf}). */
  zoom: number | null;
  /** Where the time axis ends, ms since 1970 UTC; null: now, and it goes on. */
  end: number | null;
  /** The moment that is read, ms since 1970 UTC; null: the last that there is. */
  cursor: number | null;
  /** The curve that is read; null: the median of all. */
  focus: string | null;
  /** `robust` leaves outliers out, `all` shows them, a range is what somebody has chosen. */
  scale: 'robust' | 'all' | Range;
  /** Null: zero is that of the reference. */
  zero: ChartZero | null;
  marks: readonly RunMark[];
  /** What was read for a part of the past that is looked at closely. */
  close: CloseHistory | null;
  /** Where a drag of the mouse began, and the end of the axis then. */
  drag: { x: number; end: number } | null;
}

export const initialChart: ChartState = {
  picked: null,
  zoom: null,
  end: null,
  cursor: null,
  focus: null,
  scale: 'robust',
  zero: null,
  marks: [],
  close: null,
  drag: null,
};
