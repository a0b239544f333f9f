import { moveInAlarms, moveInCauses } from './alarms/alarmHandlers.ts';
import type { ConsoleState } from './consoleState.ts';
import { moveExperiments } from './experiments/experimentHandlers.ts';
import { fullLines } from './log/fullLine.ts';
import { moveLog } from './log/logHandlers.ts';
import { sourcesOf } from './log/logView.ts';
import { innerWidth, overlayRect } from './overlayRect.ts';
import type { PageName } from './pages.ts';
import { movePalette } from './palette/paletteHandlers.ts';
import { moveInRois } from './rois/roiHandlers.ts';
import { clamp, type Move, moveBy } from './scroll.ts';
import { moveInSettings } from './settings/settingsHandlers.ts';
import { selectedStage, stagesOf } from './situation.ts';
import { helpLines } from './views/helpLines.ts';

/** Moves what the keys move: the open list or pane, else what the page has. */
export function moveIn(state: ConsoleState, move: Move): ConsoleState {
  if (state.overlay) return moveOverlay(state, move);
  return (pageMoves[state.page] ?? moveLog)(state, move);
}

type PageMove = (state: ConsoleState, move: Move) => ConsoleState;

/** What moves on a page that is not the log's: each part brings its own. */
const pageMoves: Partial<Record<PageName, PageMove>> = {
  settings: moveInSettings,
  alarms: moveInAlarms,
  overview: (state, move) =>
    move === 'up' || move === 'down' ? selectBeside(state, move === 'up' ? -1 : 1) : moveLog(state, move),
  ROIs: moveInRois,
  experiments: moveExperiments,
};

function selectBeside(state: ConsoleState, by: number): ConsoleState {
  const stages = stagesOf(state);
  const at = stages.indexOf(selectedStage(state) as (typeof stages)[number]);
  return { ...state, selected: stages[clamp(at + by, 0, Math.max(0, stages.length - 1))] ?? null };
}

function moveOverlay(state: ConsoleState, move: Move): ConsoleState {
  const { overlay } = state;
  const height = overlayRect(state).height - 2;
  const by = moveBy(move, height);
  switch (overlay?.kind) {
    case 'rois':
      return {
        ...state,
        overlay: {
          ...overlay,
          cursor: clamp(overlay.cursor + by, 0, Math.max(0, (state.history?.labels.length ?? 1) - 1)),
        },
      };
    case 'tools':
      return {
        ...state,
        overlay: { ...overlay, cursor: clamp(overlay.cursor + by, 0, Math.max(0, state.tools.length - 1)) },
      };
    case 'palette':
      return movePalette(state, by);
    case 'alarm':
      return { ...state, overlay: { ...overlay, cursor: moveInCauses(state, overlay.cursor, by) } };
    case 'sources':
      return {
        ...state,
        overlay: { ...overlay, cursor: clamp(overlay.cursor + by, 0, sourcesOf(state.log.lines).length) },
      };
    case 'line': {
      const lines = fullLines(overlay.line, innerWidth(state), state.drawing).length;
      return { ...state, overlay: { ...overlay, top: clamp(overlay.top + by, 0, Math.max(0, lines - height)) } };
    }
    case 'help':
      return {
        ...state,
        overlay: {
          ...overlay,
          top: clamp(overlay.top + by, 0, Math.max(0, helpLines(innerWidth(state), state.drawing).length - height)),
        },
      };
    case 'arguments':
      return {
        ...state,
        overlay: { ...overlay, top: clamp(overlay.top + by, 0, Math.max(0, overlay.tool.help.length - (height - 2))) },
      };
    case 'output':
      return { ...state, overlay: { ...overlay, bottom: scrollOutput(state, overlay.bottom, by, height) } };
    default:
      return state;
  }
}

/** Number of the last line shown, counted from the first ever; null: the end is followed. */
function scrollOutput({ tool }: ConsoleState, bottom: number | null, by: number, height: number): number | null {
  if (!tool) return null;
  const end = tool.dropped + tool.lines.length - 1;
  const to = clamp((bottom ?? end) + by, Math.min(end, tool.dropped + height - 1), end);
  return to >= end ? null : to;
}
