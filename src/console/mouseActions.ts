import type { ConsoleInput } from './consoleInput.ts';
import { type ConsoleState, type Step, step } from './consoleState.ts';
import { isInside, layoutOf } from './layout.ts';
import { logRows } from './logRows.ts';
import { scrollLog } from './logView.ts';
import { moveIn } from './moveActions.ts';
import { stagesOf } from './situation.ts';
import { stageRowsFrom } from './views/stageTable.ts';
import { tabAt } from './views/tabsLine.ts';

/** Lines of one notch of the wheel. */
const notch = 3;

/** A click chooses a page or a stage, the wheel scrolls what lies over the page or the log. */
export function useMouse(state: ConsoleState, { what, x, y }: ConsoleInput & { kind: 'mouse' }): Step {
  if (what !== 'press') {
    const up = what === 'wheelUp';
    if (!state.overlay) return step({ ...state, log: scrollLog(state.log, up ? -notch : notch, logRows(state)) });
    let scrolled = state;
    for (let i = 0; i < notch; i++) scrolled = moveIn(scrolled, up ? 'up' : 'down');
    return step(scrolled);
  }
  const places = layoutOf(state);
  if (state.overlay || !places) return step(state);
  if (places.header && y === places.header.top + places.header.height - 1) {
    const page = tabAt(state, x, places.header.width);
    return step(page ? { ...state, page } : state);
  }
  if (places.stages && isInside(places.stages, x, y)) {
    const stage = stagesOf(state)[y - places.stages.top - stageRowsFrom];
    return step(stage ? { ...state, selected: stage } : state);
  }
  return step(state);
}
