import { step } from '../consoleState.ts';
import type { PanelMouse } from '../panelMouse.ts';
import { logHandlers } from './logHandlers.ts';
import { withoutChip } from './logLines.ts';
import { logRows } from './logRows.ts';
import { bottomIndex, cursorIndex, selectIndex, shownPlaces } from './logView.ts';

/**
 * A click on a filter of the title takes it away. A click selects a line of the log's page, a click on the selected one opens it. On other
 * pages it opens the log's.
 */
export const logMouse: PanelMouse = (state, { what, x, y }, panel) => {
  if (what !== 'press') return null;
  const unfiltered = y === 0 ? withoutChip(state, panel, x) : null;
  if (unfiltered) return step({ ...state, log: unfiltered });
  if (state.page !== 'log') return step({ ...state, page: 'log' });
  const rows = logRows(state);
  const places = shownPlaces(state.log);
  const bottom = bottomIndex(state.log, places, rows);
  const index = Math.max(0, bottom - rows + 1) + y - 1;
  if (y < 1 || y > rows || index > bottom) return null;
  if (index === cursorIndex(state.log, places, rows)) return logHandlers.openLine(state);
  // The window stays where it is.
  const selected = selectIndex({ ...state.log, bottom: (places[bottom] as number) + state.log.first }, index, rows);
  return step({ ...state, log: selected });
};
