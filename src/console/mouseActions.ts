import { alarmMouse } from './alarms/alarmMouse.ts';
import { chartMouse } from './chart/chartMouse.ts';
import { chipMouse } from './chip/chipPanel.ts';
import type { MouseInput } from './consoleInput.ts';
import { type ConsoleState, type Overlay, type Step, step } from './consoleState.ts';
import { experimentMouse } from './experiments/experimentHandlers.ts';
import { frameMouse } from './frame/frameMouse.ts';
import { keyHandlers, pressKey } from './keyActions.ts';
import { isInside, layoutOf, type PanelName, type Rect } from './layout.ts';
import { logMouse } from './log/logMouse.ts';
import { logRows } from './log/logRows.ts';
import { scrollLog, sourcesOf } from './log/logView.ts';
import { moveIn } from './moveActions.ts';
import { overlayRect } from './overlayRect.ts';
import { foundItems } from './palette/paletteItems.ts';
import { paletteRowsFrom } from './palette/paletteLines.ts';
import type { PanelMouse } from './panelMouse.ts';
import { replayMouse } from './replay/replayPanel.ts';
import { roiMouse } from './rois/roiMouse.ts';
import { windowTop } from './scroll.ts';
import { stagesOf } from './situation.ts';
import { footerKeyAt } from './views/footerLine.ts';
import { lineText } from './views/line.ts';
import { overlayView } from './views/overlayView.ts';
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
  replay: replayMouse,
  chart: chartMouse,
  chip: chipMouse,
  ROIs: roiMouse,
  log: logMouse,
  alarms: alarmMouse,
  experiments: experimentMouse,
  frame: frameMouse,
  message: (state, { what }) => (what === 'press' ? keyHandlers.dismiss(state) : null),
};

/** What lies over the page has the mouse, then the panel below the pointer; a wheel that neither turns scrolls the log. */
export function useMouse(state: ConsoleState, input: MouseInput): Step {
  const { what, x, y } = input;
  const isWheel = what === 'wheelUp' || what === 'wheelDown';
  const places = layoutOf(state);
  if (!places) return step(state);
  const key =
    what === 'press' && places.footer && isInside(places.footer, x, y) ? footerKeyAt(state, x, state.columns) : null;
  if (key !== null) return pressKey(state, key, '');
  if (state.overlay)
    return isWheel ? step(wheelOverlay(state, what)) : what === 'press' ? pressOverlay(state, x, y) : step(state);
  for (const [name, rect] of Object.entries(places) as [PanelName, Rect][]) {
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

/** A click on an item takes it, beside what lies over the page closes it. */
function pressOverlay(state: ConsoleState, x: number, y: number): Step {
  const rect = overlayRect(state);
  if (!isInside(rect, x, y)) return keyHandlers.close(state);
  const row = y - rect.top - 1;
  const height = rect.height - 2;
  const { overlay } = state;
  switch (overlay?.kind) {
    case 'rois':
      return onItem(state, overlay, row, state.history?.labels.length ?? 0, height, keyHandlers.toggle);
    case 'tools':
      return onItem(state, overlay, row, state.tools.length, height, keyHandlers.choose);
    case 'sources':
      return onItem(state, overlay, row, sourcesOf(state.log.lines).length + 1, height, keyHandlers.choose);
    case 'palette': {
      const count = foundItems(state, overlay.text).length;
      return onItem(state, overlay, row - paletteRowsFrom, count, height - paletteRowsFrom, keyHandlers.perform);
    }
    case 'question': {
      const answer = answerAt(state, x - rect.left, row + 1);
      return answer ? keyHandlers[answer](state) : step(state);
    }
    default:
      return step(state);
  }
}

/** Words of the answers to a question, as they are shown. */
const answers = [
  ['y yes', 'yes'],
  ['y stop', 'yes'],
  ['b in the background', 'background'],
  ['n no', 'no'],
  ['n stay', 'no'],
] as const;

/** The answer to a question whose words are at a place of its frame. */
function answerAt(state: ConsoleState, column: number, row: number): 'yes' | 'background' | 'no' | null {
  const text = lineText(overlayView(state)?.lines[row] ?? []);
  if (!/ y (yes|stop) {3}/.test(text)) return null;
  const found = answers.find(([words]) => {
    const from = text.lastIndexOf(words);
    return from >= 0 && column >= from && column < from + words.length;
  });
  return found?.[1] ?? null;
}

/** Of a list that scrolls to its cursor. */
function onItem(
  state: ConsoleState,
  overlay: Extract<Overlay, { cursor: number }>,
  row: number,
  count: number,
  height: number,
  take: (state: ConsoleState) => Step,
): Step {
  const cursor = windowTop(overlay.cursor, count, height) + row;
  if (row < 0 || row >= height || cursor >= count) return step(state);
  return take({ ...state, overlay: { ...overlay, cursor } });
}
