import { type ConsoleState, type Step, step } from '../consoleState.ts';
import type { KeyHandlers } from '../keyBinding.ts';
import { clamp } from '../scroll.ts';
import type { ChartAction } from './chartKeys.ts';
import { zooms } from './chartState.ts';

/** What the keys of the chart do. */
export const chartHandlers: KeyHandlers<ChartAction> = {
  rois: state => step({ ...state, overlay: { kind: 'rois', cursor: 0 } }),
  zoomIn: state => zoomBy(state, -1),
  zoomOut: state => zoomBy(state, 1),
};

function zoomBy(state: ConsoleState, by: number): Step {
  return step({ ...state, chart: { ...state.chart, zoom: clamp(state.chart.zoom + by, 0, zooms.length - 1) } });
}
