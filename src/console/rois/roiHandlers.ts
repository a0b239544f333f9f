import { type ConsoleState, step } from '../consoleState.ts';
import type { KeyHandlers } from '../keyBinding.ts';
import { layoutOf } from '../layout.ts';
import { acknowledge } from '../messages.ts';
import { clamp, type Move, moveBy } from '../scroll.ts';
import { roiFilter } from './roiFilter.ts';
import type { RoiAction } from './roiKeys.ts';
import { allRoiRows } from './roiRows.ts';
import { type RoiColumn, type RoiRow, type RoisPage, roiColumns } from './roisPage.ts';
import { cursorRow, rowsAbove, tableRows } from './roiTable.ts';

export const turn = (state: ConsoleState, over: Partial<RoisPage>): ConsoleState => ({
  ...state,
  roisPage: { ...state.roisPage, ...over },
});

/** What the keys of the ROIs page do. */
export const roiHandlers: KeyHandlers<RoiAction> = {
  filterRois: state => step({ ...state, overlay: { kind: 'roiFilter', text: state.roisPage.filter } }),
  // An error message is in sight, and goes first.
  unfilterRois: state => step(state.messages.length > 0 ? acknowledge(state) : turn(state, { filter: '' })),
  sortRois: state => {
    const { sort } = state.roisPage;
    const isKnown = (column: RoiColumn): boolean =>
      state.qualities.size > 0 || (column !== 'noise' && column !== 'quality');
    const columns = roiColumns.filter(isKnown);
    return step(sortBy(state, columns[(columns.indexOf(sort) + 1) % columns.length] as RoiColumn));
  },
  reverseRois: state => step(turn(state, { isDescending: !state.roisPage.isDescending })),
  openRoi: state => step(openRoi(state)),
  closeRoi: state => step(turn({ ...state, page: state.roisPage.openedFrom ?? 'ROIs' }, { openedFrom: null })),
  nextRoi: state => step(selectBeside(state, 1)),
  previousRoi: state => step(selectBeside(state, -1)),
  moreOfRoi: state => step(turn(state, { part: state.roisPage.part + 1 })),
  lessOfRoi: state => step(turn(state, { part: state.roisPage.part - 1 })),
};

/** Numbers come with the greatest first, names with the first. */
export function sortBy(state: ConsoleState, sort: RoiColumn): ConsoleState {
  return turn(state, { sort, isDescending: sort !== 'label' });
}

export function openRoi(state: ConsoleState): ConsoleState {
  const rows = rowsAround(state);
  const row = rows[cursorRow(rows, state.roisPage.selected)];
  if (!row) return state;
  return turn({ ...state, page: 'ROIs' }, { selected: row.label, openedFrom: state.page === 'chip' ? 'chip' : 'ROIs' });
}

/** Those of the table; where the chip is shown, all. */
const rowsAround = (state: ConsoleState): readonly RoiRow[] =>
  state.page === 'chip' || state.roisPage.openedFrom === 'chip' ? allRoiRows(state) : tableRows(state);

function selectBeside(state: ConsoleState, by: number): ConsoleState {
  const rows = rowsAround(state);
  const to = clamp(cursorRow(rows, state.roisPage.selected) + by, 0, Math.max(0, rows.length - 1));
  return turn(state, { selected: rows[to]?.label ?? null });
}

/** Rows of the table that are on the screen. */
export const shownRows = (state: ConsoleState): number => Math.max(1, (layoutOf(state)?.ROIs?.height ?? 3) - rowsAbove);

/** Moves the cursor of the table. */
export const moveInRois = (state: ConsoleState, move: Move): ConsoleState =>
  selectBeside(state, moveBy(move, shownRows(state)));

/** The filter that was typed is kept; one that is not understood stays on its line, where it says so. */
export function takeRoiFilter(state: ConsoleState, filter: string): ConsoleState {
  if (roiFilter(filter).trouble) return state;
  return turn({ ...state, overlay: null }, { filter: filter.trim() });
}
