import { parseIso } from '../../model/localTime.ts';
import type { RoiHistory } from '../../model/roiHistory.ts';
import type { ConsoleState } from '../consoleState.ts';
import { zoomOf, zooms } from './chartState.ts';
import type { ChartTime } from './columns.ts';

/** Columns for the numbers at the left, with the axis; and for letters at the right end of the curves. */
export const gutter = 9;
const margin = 2;

/** Columns of the plot in a panel. */
export const plotColumns = (panelWidth: number): number => Math.max(1, panelWidth - gutter - margin);

/** The shortest time that is drawn, ms. */
const shortest = 1_000;

/**
 * Where the axis ends when it goes on: now while a pipeline should be at work, so that a stall is a gap that grows; where none runs, or the frames
 * are recorded ones of a replay, after the last frame.
 */
export function liveEnd(
  { reading, now }: Pick<ConsoleState, 'reading' | 'now'>,
  { samples }: Pick<RoiHistory, 'samples'>,
): number {
  const last = samples.at(-1);
  if (!last) return now;
  const end = last.at + (last.lasted ?? 0);
  const isWatched = reading !== null && !['none', 'stopped'].includes(reading.connection);
  const isRecorded = reading?.status ? end < parseIso(reading.status.started) : false;
  return isWatched && !isRecorded ? Math.max(now, end) : end;
}

/** The time that the chart shows. Columns begin at multiples of their length, so that what is whole stays what it is. */
export function chartTime(state: ConsoleState, history: RoiHistory, columns: number): ChartTime {
  const { end } = state.chart;
  const first = history.samples[0]?.at ?? state.now;
  const live = liveEnd(state, history);
  const span = zooms[zoomOf(state.chart, history, live)] ?? null;
  if (span === null) {
    const columnMs = Math.max(shortest, live - first) / columns;
    // The last moment is in the last column, not behind it.
    return { low: first, columnMs: columnMs * (1 + 1e-9), columns };
  }
  const columnMs = span / columns;
  return { low: (Math.floor((end ?? live) / columnMs) + 1 - columns) * columnMs, columnMs, columns };
}

export const timeEnd = ({ low, columnMs, columns }: ChartTime): number => low + columnMs * columns;
