import { type PanelView, text } from '../views/panelView.ts';
import { openedRoi, roiDetail } from './roiDetail.ts';
import { roiTable } from './roiTable.ts';

/** The ROIs page: all of them in a table, or one that was opened. */
export const roiPanel: PanelView = {
  depends: state => [
    state.history,
    state.rois,
    state.chips,
    state.lastResult,
    state.chart.zero,
    state.roisPage,
    state.overlay,
    state.roiLook,
    state.drawing,
  ],
  content: text((state, width, height) => (openedRoi(state) === null ? roiTable : roiDetail)(state, width, height)),
};
