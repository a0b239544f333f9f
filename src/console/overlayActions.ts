import { pickedRois } from './chart/pickedRois.ts';
import type { ConsoleTool } from './consoleHost.ts';
import { type ConsoleState, type Overlay, type Step, step } from './consoleState.ts';
import { logRows } from './log/logRows.ts';
import { findLine, sourcesOf } from './log/logView.ts';
import { say } from './messages.ts';
import { openForm } from './replay/replayForm.ts';
import { goTo } from './replay/replayHandlers.ts';
import { takeRoiFilter } from './rois/roiHandlers.ts';

/** So long may a typed line be. */
const longestLine = 1000;

export const closeOverlay = (state: ConsoleState): ConsoleState => ({ ...state, overlay: null });

/** The question is answered; what it was about is up to the caller. */
export const confirm = closeOverlay;

/** Text for a line that is being typed; null when none is, or the key types nothing. */
export function typeText(state: ConsoleState, text: string): ConsoleState | null {
  const overlay = typedOverlay(state);
  if (!overlay || !/^[^\p{Cc}]+$/u.test(text)) return null;
  // What is typed takes the place of a value that is offered.
  const before = 'isOffered' in overlay && overlay.isOffered ? '' : overlay.text;
  return withText(state, overlay, (before + text).slice(0, longestLine));
}

export function eraseLetter(state: ConsoleState): ConsoleState {
  const overlay = typedOverlay(state);
  return overlay ? withText(state, overlay, [...overlay.text].slice(0, -1).join('')) : state;
}

export function eraseLine(state: ConsoleState): ConsoleState {
  const overlay = typedOverlay(state);
  return overlay ? withText(state, overlay, '') : state;
}

type TypedOverlay = Extract<
  Overlay,
  { kind: 'search' | 'arguments' | 'roiFilter' | 'palette' | 'setting' | 'goTo' | 'replayForm' }
>;

function typedOverlay({ overlay }: ConsoleState): TypedOverlay | null {
  switch (overlay?.kind) {
    case 'search':
    case 'arguments':
    case 'roiFilter':
    case 'palette':
    case 'setting':
    case 'goTo':
    case 'replayForm':
      return overlay;
    default:
      return null;
  }
}

function withText(state: ConsoleState, overlay: TypedOverlay, text: string): ConsoleState {
  switch (overlay.kind) {
    case 'palette':
      // Another text finds other items: the first is the best.
      return { ...state, overlay: { ...overlay, text, cursor: 0 } };
    case 'setting':
      return { ...state, overlay: { ...overlay, text, isOffered: false } };
    case 'replayForm':
      return { ...state, overlay: { ...overlay, text, isOffered: false } };
    default:
      return { ...state, overlay: { ...overlay, text } };
  }
}

export function toggleRoi(state: ConsoleState): ConsoleState {
  const { overlay, history } = state;
  const label = overlay?.kind === 'rois' ? history?.labels[overlay.cursor] : undefined;
  if (label === undefined || !history) return state;
  const picked = pickedRois(history, state.chart.picked);
  const next = picked.includes(label) ? picked.filter(each => each !== label) : [...picked, label];
  return { ...state, chart: { ...state.chart, picked: history.labels.filter(each => next.includes(each)) } };
}

export function fewOrNoRois(state: ConsoleState): ConsoleState {
  const { history, chart } = state;
  if (!history) return state;
  return { ...state, chart: { ...chart, picked: pickedRois(history, chart.picked).length > 0 ? [] : null } };
}

/** The form of a replay; of any other tool the line for its arguments. */
export function openTool(state: ConsoleState, tool: ConsoleTool): ConsoleState {
  if (tool.name === 'replay' && state.replay.canBegin) return openForm(state);
  return { ...state, overlay: { kind: 'arguments', tool, text: tool.offered ?? '', top: 0 } };
}

/** Enter: closes the ROI list, opens a tool, runs it, searches. */
export function takeItem(state: ConsoleState): Step {
  const { overlay } = state;
  switch (overlay?.kind) {
    case 'tools': {
      const tool = state.tools[overlay.cursor];
      return step(tool ? openTool(state, tool) : closeOverlay(state));
    }
    case 'arguments':
      return runTool(state, overlay);
    case 'search':
      return step(overlay.keeps ? keepWords(state, overlay.text) : search(state, overlay.text));
    case 'sources': {
      // The first item is all of them.
      const source = sourcesOf(state.log.lines)[overlay.cursor - 1]?.source ?? null;
      return step({ ...closeOverlay(state), log: { ...state.log, source } });
    }
    case 'goTo':
      return goTo(state, overlay.text);
    case 'roiFilter':
      return step(takeRoiFilter(state, overlay.text));
    default:
      return step(closeOverlay(state));
  }
}

function runTool(state: ConsoleState, { tool, text }: Overlay & { kind: 'arguments' }): Step {
  const typed = splitWords(text);
  if (!typed) return step(say(state, 'error', `a quote is not closed in: ${text}`));
  if (state.tool?.code === null) return step(say(state, 'error', `${state.tool.title} still runs: one tool at a time`));
  const words = [tool.name, ...typed];
  const run = { title: [tool.name, text.trim()].join(' ').trim(), lines: [], dropped: 0, code: null };
  return step({ ...state, tool: run, overlay: { kind: 'output', bottom: null } }, { do: 'tool', words });
}

const keepWords = (state: ConsoleState, words: string): ConsoleState => ({
  ...closeOverlay(state),
  log: { ...state.log, words },
});

function search(state: ConsoleState, words: string): ConsoleState {
  const sought = { ...state, overlay: null, log: { ...state.log, search: words } };
  if (words === '') return sought;
  const height = logRows(sought);
  const log = findLine(sought.log, 'older', 'here', height) ?? findLine(sought.log, 'newer', 'here', height);
  return log ? { ...sought, log } : say(sought, 'info', `no line has "${words}"`);
}

/**
 * Words of a typed line, as a shell would take them apart: spaces separate, quotes and backslashes keep. Nothing else has a
 * meaning, and no shell ever sees it.
 * @returns null when a quote is not closed
 */
export function splitWords(text: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let i = 0; i < text.length; i++) {
    const sign = text[i] as string;
    if (quote !== null) {
      if (sign === quote) quote = null;
      else if (sign === '\\' && quote === '"' && (text[i + 1] === '"' || text[i + 1] === '\\'))
        word += text[++i] as string;
      else word += sign;
    } else if (sign === '"' || sign === "'") {
      quote = sign;
      word ??= '';
    } else if (sign === '\\' && i + 1 < text.length) {
      word = (word ?? '') + text[++i];
    } else if (sign === ' ') {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? '') + sign;
    }
  }
  if (quote !== null) return null;
  if (word !== null) words.push(word);
  return words;
}
