import { type PanelView, text } from '../views/panelView.ts';
import { roiTable } from './roiTable.ts';

/** The ROIs page. */
export const roiPanel: PanelView = {
  depends: state => [state.history, state.rois, state.lastResult, state.roisPage, state.overlay],
  content: text(roiTable),
};
