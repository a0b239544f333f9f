import { type ConsoleState, step } from '../consoleState.ts';
import type { PanelMouse } from '../panelMouse.ts';
import { windowTop } from '../scroll.ts';
import { moveInRois, openRoi, shownRows, sortBy, turn } from './roiHandlers.ts';
import { columnAt, cursorRow, rowsAbove, tableRows } from './roiTable.ts';

/** Rows of one notch of the wheel. */
const notch = 3;

/**
 * A click on the head of a column sorts by it, and turns the order round where that is so; on a row it selects, and opens what is selected. The
 * wheel moves the cursor.
 */
export const roiMouse: PanelMouse = (state, { what, x, y }, { width }) => {
  if (what === 'wheelUp' || what === 'wheelDown') {
    let moved = state;
    for (let i = 0; i < notch; i++) moved = moveInRois(moved, what === 'wheelUp' ? 'up' : 'down');
    return step(moved);
  }
  if (what !== 'press' || state.roisPage.openedFrom !== null) return null;
  return step(y < rowsAbove ? clickHead(state, width, x) : clickRow(state, y - rowsAbove));
};

function clickHead(state: ConsoleState, width: number, x: number): ConsoleState {
  const column = columnAt(state, width, x);
  if (column === null) return state;
  const { sort, isDescending } = state.roisPage;
  return column === sort ? turn(state, { isDescending: !isDescending }) : sortBy(state, column);
}

function clickRow(state: ConsoleState, y: number): ConsoleState {
  const rows = tableRows(state);
  const row = rows[windowTop(cursorRow(rows, state.roisPage.selected), rows.length, shownRows(state)) + y];
  if (!row) return state;
  return row.label === state.roisPage.selected ? openRoi(state) : turn(state, { selected: row.label });
}
