import type { LogLine } from '../../model/logLine.ts';
import { type ConsoleState, type Step, step } from '../consoleState.ts';
import type { KeyHandlers } from '../keyBinding.ts';
import { say } from '../messages.ts';
import { type Move, moveBy } from '../scroll.ts';
import { fullText, lineText } from './fullLine.ts';
import type { LogAction } from './logKeys.ts';
import { logRows } from './logRows.ts';
import { findLine, nextLevel, scrollLog, selectBy, selectedLine } from './logView.ts';

export const logHandlers: KeyHandlers<LogAction> = {
  filter: state => step({ ...state, log: { ...state.log, level: nextLevel(state.log.level) } }),
  sources: state => step({ ...state, overlay: { kind: 'sources', cursor: 0 } }),
  keepWords: state => step({ ...state, overlay: { kind: 'search', text: state.log.words, keeps: true } }),
  search: state => step({ ...state, overlay: { kind: 'search', text: state.log.search } }),
  older: state => find(state, 'older'),
  newer: state => find(state, 'newer'),
  openLine: state => {
    const line = selectedLine(state.log, logRows(state));
    return step(line ? { ...state, overlay: { kind: 'line', line, top: 0 } } : say(state, 'info', 'no line is shown'));
  },
  copyLine: state => {
    const { overlay } = state;
    if (overlay?.kind === 'line') return copying(state, fullText(overlay.line), overlay.line);
    const line = selectedLine(state.log, logRows(state));
    return line ? copying(state, lineText(line), line) : step(say(state, 'info', 'no line is shown'));
  },
};

function copying(state: ConsoleState, text: string, { text: words }: LogLine): Step {
  const begin = words.length > 40 ? `${words.slice(0, 40)}…` : words;
  const what = `the line "${begin}"`;
  return step(state, { do: 'copy', text, what });
}

/** Up and down select a line on the page of the log; elsewhere the log is scrolled. */
export function moveLog(state: ConsoleState, move: Move): ConsoleState {
  const rows = logRows(state);
  const by = moveBy(move, rows);
  if (state.page === 'log' && (move === 'up' || move === 'down' || move === 'top'))
    return { ...state, log: selectBy(state.log, by, rows) };
  return { ...state, log: { ...scrollLog(state.log, by, rows), cursor: null } };
}

function find(state: ConsoleState, towards: 'older' | 'newer'): Step {
  if (state.log.search === '') return step(say(state, 'info', 'nothing is searched for yet: press /'));
  const log = findLine(state.log, towards, 'next', logRows(state));
  return step(log ? { ...state, log } : say(state, 'info', `no ${towards} line has "${state.log.search}"`));
}

/** Without search, and without filters where nothing was searched for; null where there is nothing to take away. */
export function withoutFilters({ log }: Pick<ConsoleState, 'log'>): ConsoleState['log'] | null {
  if (log.search !== '') return { ...log, search: '' };
  if (log.source === null && log.words === '' && log.level === 'info') return null;
  return { ...log, source: null, words: '', level: 'info' };
}
