import type { CloseRequest, RoiHistory } from '../../model/roiHistory.ts';
import type { ConsoleState } from '../consoleState.ts';
import { layoutOf } from '../layout.ts';
import { chartTime, plotColumns, timeEnd } from './chartTime.ts';
import type { ChartTime } from './columns.ts';

/** So many samples of a column are asked for: its edges are then as sharp as it can show. */
const pointsOfColumn = 4;
/** So much more to each side, of the time that is shown: a small step needs no further look. */
const around = 0.5;

export const isChartShown = (state: ConsoleState): boolean => layoutOf(state)?.chart !== undefined;

/** What is to be read closely: the time of a chart that is held. Up to now, the history has as much as a column can show. */
export function closeRequest(state: ConsoleState): CloseRequest | null {
  const rect = layoutOf(state)?.chart;
  const { history, chart } = state;
  if (!rect || !history || chart.end === null || history.samples.length === 0) return null;
  const time = chartTime(state, history, plotColumns(rect.width));
  const span = timeEnd(time) - time.low;
  return {
    from: time.low - around * span,
    to: timeEnd(time) + around * span,
    points: pointsOfColumn * time.columns * (1 + 2 * around),
  };
}

/** The past that the chart draws: what was read closely, where it has all of the time that is shown. */
export function shownHistory({ history, chart: { close, end } }: ConsoleState, time: ChartTime): RoiHistory | null {
  const isClose = end !== null && close !== null && close.from <= time.low && close.to >= timeEnd(time);
  return isClose ? close.history : history;
}
