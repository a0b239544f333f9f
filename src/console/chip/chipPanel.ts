import { step } from '../consoleState.ts';
import type { PanelMouse } from '../panelMouse.ts';
import { openRoi, turn } from '../rois/roiHandlers.ts';
import { type PanelView, text } from '../views/panelView.ts';
import { chipLines, roiAt } from './chipLines.ts';

/** The chip, on its page and on a large overview. */
export const chipPanel: PanelView = {
  depends: state => [
    state.history,
    state.rois,
    state.chips,
    state.lastResult,
    state.chart.zero,
    state.roisPage,
    state.page,
  ],
  content: text(chipLines),
};

/** On the chip's page a click puts the cursor on a ROI, and opens the one that it is on. */
export const chipMouse: PanelMouse = (state, { what, x, y }, { width, height }) => {
  if (what !== 'press' || state.page !== 'chip') return null;
  const place = roiAt(state, width, height, x, y);
  const label = place === null ? undefined : state.rois?.rois[place]?.label;
  if (label === undefined) return null;
  return step(label === state.roisPage.selected ? openRoi(state) : turn(state, { selected: label }));
};
