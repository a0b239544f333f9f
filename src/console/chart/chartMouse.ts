import { type ConsoleState, step } from '../consoleState.ts';
import type { PanelMouse } from '../panelMouse.ts';
import { shownTime, showsAll, showUntil, zoomAround, zoomValues } from './chartHandlers.ts';
import { gutter, timeEnd } from './chartTime.ts';

/** What one notch of the wheel makes of the height of the values. */
const notch = 1.25;

/** A click puts the cursor, a drag moves the chart in time; the wheel zooms in time, over the numbers in value. */
export const chartMouse: PanelMouse = (state, { what, x }) => {
  const time = shownTime(state);
  if (!time) return null;
  const at = time.low + (x - gutter + 0.5) * time.columnMs;
  const isInPlot = x >= gutter && x < gutter + time.columns;
  switch (what) {
    case 'wheelUp':
    case 'wheelDown': {
      const isIn = what === 'wheelUp';
      if (!isInPlot) return step(zoomValues(state, isIn ? 1 / notch : notch));
      return step(zoomAround(state, isIn ? -1 : 1, at));
    }
    case 'press':
      return isInPlot ? step(withChart(state, { cursor: at, drag: { x, end: timeEnd(time) } })) : null;
    case 'drag': {
      const { drag } = state.chart;
      if (!drag || x === drag.x || showsAll(state)) return null;
      return step(showUntil(withChart(state, { cursor: null }), drag.end - (x - drag.x) * time.columnMs));
    }
    case 'release':
      return step(withChart(state, { drag: null }));
  }
};

const withChart = (state: ConsoleState, chart: Partial<ConsoleState['chart']>): ConsoleState => ({
  ...state,
  chart: { ...state.chart, ...chart },
});
