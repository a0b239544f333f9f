import type { PanelMouse } from '../panelMouse.ts';
import { chartHandlers } from './chartHandlers.ts';

/** The wheel zooms in time. */
export const chartMouse: PanelMouse = (state, { what }) => {
  if (what === 'wheelUp') return chartHandlers.zoomIn(state);
  return what === 'wheelDown' ? chartHandlers.zoomOut(state) : null;
};
