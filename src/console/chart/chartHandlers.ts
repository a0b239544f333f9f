import { type ConsoleState, type Step, step } from '../consoleState.ts';
import type { KeyHandlers } from '../keyBinding.ts';
import { layoutOf } from '../layout.ts';
import { say } from '../messages.ts';
import { clamp } from '../scroll.ts';
import type { Range } from '../views/ticks.ts';
import { chartData, medianName } from './chartData.ts';
import type { ChartAction } from './chartKeys.ts';
import { type ChartState, zoomOf, zooms } from './chartState.ts';
import { chartTime, liveEnd, plotColumns, timeEnd } from './chartTime.ts';
import { scaleOf } from './chartView.ts';
import { zeroAt } from './chartZero.ts';
import { shownHistory } from './closeRequest.ts';
import { type ChartTime, columnAt } from './columns.ts';
import { pickedRois } from './pickedRois.ts';

/** By how much of its height the scale of values moves or grows at a time. */
const valueStep = 0.25;

/** What the keys of the chart do. */
export const chartHandlers: KeyHandlers<ChartAction> = {
  chartRois: state => step({ ...state, overlay: { kind: 'rois', cursor: 0 } }),
  chartZoomIn: state => step(zoomAround(state, -1, state.chart.cursor)),
  chartZoomOut: state => step(zoomAround(state, 1, state.chart.cursor)),
  chartEarlier: state => pan(state, -0.5),
  chartLater: state => pan(state, 0.5),
  chartCursorBack: state => moveCursor(state, -1),
  chartCursorOn: state => moveCursor(state, 1),
  chartCursorOff: state => changed(state, { cursor: null }),
  chartBeginning: state => {
    const first = state.history?.samples[0]?.at ?? null;
    const time = shownTime(state);
    // The first frame is in the first column.
    return first === null || !time ? step(state) : step(showUntil(state, first + (time.columns - 1) * time.columnMs));
  },
  chartNow: state => changed(state, { end: null, cursor: null }),
  chartCurveAbove: state => changed(state, { focus: focusBeside(state, -1) }),
  chartCurveBelow: state => changed(state, { focus: focusBeside(state, 1) }),
  chartTaller: state => step(zoomValues(state, 1 / (1 + 2 * valueStep))),
  chartFlatter: state => step(zoomValues(state, 1 + 2 * valueStep)),
  chartHigher: state => shiftValues(state, valueStep),
  chartLower: state => shiftValues(state, -valueStep),
  chartScale: state => changed(state, { scale: state.chart.scale === 'robust' ? 'all' : 'robust' }),
  chartZero: rezero,
};

const changed = (state: ConsoleState, chart: Partial<ChartState>): Step =>
  step({ ...state, chart: { ...state.chart, ...chart } });

/** The time that the chart shows now; null without a chart or anything on it. */
export function shownTime(state: ConsoleState): ChartTime | null {
  const rect = layoutOf(state)?.chart;
  return state.history && state.history.samples.length > 0
    ? chartTime(state, state.history, plotColumns(rect?.width ?? state.columns))
    : null;
}

/** {@link zoomOf} of what the chart shows now. */
function shownZoom(state: ConsoleState): number {
  const history = state.history ?? { samples: [] };
  return zoomOf(state.chart, history, liveEnd(state, history));
}

/** Whether the chart shows all that there is: there is nothing to either side. */
export const showsAll = (state: ConsoleState): boolean => zooms[shownZoom(state)] === null;

/** The axis ends at a moment; from the last on, it goes on with the time. */
export function showUntil(state: ConsoleState, end: number): ConsoleState {
  const { history } = state;
  if (!history) return state;
  const isLive = end >= liveEnd(state, history);
  // What is held keeps its length.
  return { ...state, chart: { ...state.chart, ...(isLive ? { end: null } : { end, zoom: shownZoom(state) }) } };
}

/** Shows less or more time; what is at a moment stays where it is. @param at null: the end stays */
export function zoomAround(state: ConsoleState, by: number, at: number | null): ConsoleState {
  const before = shownTime(state);
  const zoomed = { ...state, chart: { ...state.chart, zoom: clamp(shownZoom(state) + by, 0, zooms.length - 1) } };
  const span = zooms[shownZoom(zoomed)] ?? null;
  if (span === null) return { ...zoomed, chart: { ...zoomed.chart, end: null } };
  if (!before || at === null || at < before.low || at > timeEnd(before)) return zoomed;
  const share = (timeEnd(before) - at) / (timeEnd(before) - before.low);
  return showUntil(zoomed, at + share * span);
}

function pan(state: ConsoleState, charts: number): Step {
  const time = shownTime(state);
  const first = state.history?.samples[0]?.at ?? 0;
  if (!time || showsAll(state)) return step(state);
  const span = timeEnd(time) - time.low;
  return step(showUntil(state, Math.max(first + span / 2, timeEnd(time) + charts * span)));
}

function moveCursor(state: ConsoleState, by: number): Step {
  const time = shownTime(state);
  const history = time && shownHistory(state, time);
  if (!time || !history) return step(state);
  const last = history.samples.at(-1)!;
  const { cursor } = state.chart;
  const isShown = cursor !== null && cursor >= time.low && cursor < timeEnd(time);
  const from = isShown ? cursor : Math.min(timeEnd(time) - time.columnMs / 2, last.at) - by * time.columnMs;
  // In the middle of its column: on its edge, rounding would put it into another.
  const at = time.low + (columnAt(time, from) + by + 0.5) * time.columnMs;
  const moved = { ...state, chart: { ...state.chart, cursor: at } };
  if (at >= time.low && at < timeEnd(time)) return step(moved);
  if (showsAll(state) || (by > 0 && state.chart.end === null)) return step(state);
  return step(showUntil(moved, timeEnd(time) + (by * (timeEnd(time) - time.low)) / 4));
}

/** The curves of the legend, one after the other: the median of all, then the ROIs. */
function focusBeside({ history, chart }: ConsoleState, by: number): string | null {
  const names = [medianName, ...(history ? pickedRois(history, chart.picked) : [])];
  const at = Math.max(0, names.indexOf(chart.focus ?? medianName));
  const next = names[(at + by + names.length) % names.length]!;
  return next === medianName ? null : next;
}

function shownRange(state: ConsoleState): Range | null {
  const time = shownTime(state);
  const history = time && shownHistory(state, time);
  return time && history ? scaleOf(state, chartData(history, state.chart, time)) : null;
}

/** The scale of values grows or shrinks around its middle. */
export function zoomValues(state: ConsoleState, factor: number): ConsoleState {
  const range = shownRange(state);
  if (!range) return state;
  const [middle, half] = [(range.low + range.high) / 2, ((range.high - range.low) / 2) * factor];
  // What floating point can tell apart.
  if (half < 1e-6 || half > 1e6) return state;
  return { ...state, chart: { ...state.chart, scale: { low: middle - half, high: middle + half } } };
}

function shiftValues(state: ConsoleState, by: number): Step {
  const range = shownRange(state);
  if (!range) return step(state);
  const off = by * (range.high - range.low);
  return changed(state, { scale: { low: range.low + off, high: range.high + off } });
}

/** `0`: shifts count from the chart's cursor, or from now; at the same place again, from the reference. */
function rezero(state: ConsoleState): Step {
  const { history, chart } = state;
  if (!history) return step(state);
  // The cursor is not in sight on other pages.
  const cursor = state.page === 'chart' ? chart.cursor : null;
  const isUndone = chart.zero !== null && (cursor === null || cursor === chart.zero.at);
  if (isUndone)
    return step(say({ ...state, chart: { ...chart, zero: null } }, 'info', 'shifts count from the reference'));
  const zero = zeroAt(history, cursor ?? history.samples.at(-1)!.at);
  return zero ? changed(state, { zero, scale: 'robust' }) : step(say(state, 'info', 'there is no frame so early'));
}
