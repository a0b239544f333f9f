import { chartMouse } from './chart/chartMouse.ts';
import type { MouseInput } from './consoleInput.ts';
import { type ConsoleState, type Step, step } from './consoleState.ts';
import { frameMouse } from './frame/frameMouse.ts';
import { isInside, layoutOf, type PanelName, type Rect } from './layout.ts';
import { logMouse } from './log/logMouse.ts';
import { logRows } from './log/logRows.ts';
import { scrollLog } from './log/logView.ts';
import { moveIn } from './moveActions.ts';
import type { PanelMouse } from './panelMouse.ts';
import { roiMouse } from './rois/roiMouse.ts';
import { stagesOf } from './situation.ts';
import { stageRowsFrom } from './views/stageTable.ts';
import { tabAt } from './views/tabsLine.ts';

/** Lines of one notch of the wheel. */
const notch = 3;

/** What the mouse does in a panel: each part brings its own. */
const panelMouse: Partial<Record<PanelName, PanelMouse>> = {
  header: (state, { what, x, y }, { width, height }) => {
    const page = what === 'press' && y === height - 1 ? tabAt(state, x, width) : null;
    return page ? step({ ...state, page }) : null;
  },
  stages: (state, { what, y }) => {
    const stage = what === 'press' ? stagesOf(state)[y - stageRowsFrom] : undefined;
    return stage ? step({ ...state, selected: stage }) : null;
  },
  chart: chartMouse,
  ROIs: roiMouse,
  log: logMouse,
  frame: frameMouse,
};

/** What lies over the page has the mouse, then the panel below the pointer; a wheel that neither turns scrolls the log. */
export function useMouse(state: ConsoleState, input: MouseInput): Step {
  const { what, x, y } = input;
  const isWheel = what === 'wheelUp' || what === 'wheelDown';
  if (state.overlay) return step(isWheel ? wheelOverlay(state, what) : state);
  for (const [name, rect] of Object.entries(layoutOf(state) ?? {}) as [PanelName, Rect][]) {
    if (!isInside(rect, x, y)) continue;
    const taken = panelMouse[name]?.(state, { ...input, x: x - rect.left, y: y - rect.top }, rect);
    if (taken) return taken;
  }
  return step(
    isWheel ? { ...state, log: scrollLog(state.log, what === 'wheelUp' ? -notch : notch, logRows(state)) } : state,
  );
}

function wheelOverlay(state: ConsoleState, what: 'wheelUp' | 'wheelDown'): ConsoleState {
  let scrolled = state;
  for (let i = 0; i < notch; i++) scrolled = moveIn(scrolled, what === 'wheelUp' ? 'up' : 'down');
  return scrolled;
}
