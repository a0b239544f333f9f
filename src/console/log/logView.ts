import type { EventLevel } from '../../model/event.ts';
import type { LogLine } from '../../model/logLine.ts';

/** So many lines are kept. */
export const keptLines = 2000;

/** Lowest level that is shown, in the order in which the filter key goes round. */
const logFilters = ['info', 'warning', 'error', 'debug'] as const satisfies readonly EventLevel[];

/** What is seen of the log, and where. */
export interface LogView {
  lines: readonly LogLine[];
  /** Number of `lines[0]`, counted from the first line ever: places stay true while old lines are dropped. */
  first: number;
  level: EventLevel;
  /** What is searched for; empty: nothing. */
  search: string;
  /** Number of the last line shown; null: the end is followed. */
  bottom: number | null;
}

export const emptyLog: LogView = { lines: [], first: 0, level: 'info', search: '', bottom: null };

const weight: Record<EventLevel, number> = { debug: 0, info: 1, warning: 2, error: 3 };

export function appendLines(log: LogView, lines: readonly LogLine[]): LogView {
  if (lines.length === 0) return log;
  const all = lines.length >= keptLines ? lines.slice(-keptLines) : [...log.lines, ...lines].slice(-keptLines);
  const first = log.first + log.lines.length + lines.length - all.length;
  return { ...log, lines: all, first };
}

/** The places in `lines` that the level lets through, ascending. */
export function shownPlaces({ lines, level }: Pick<LogView, 'lines' | 'level'>): number[] {
  const places: number[] = [];
  for (let i = 0; i < lines.length; i++) if (weight[(lines[i] as LogLine).level] >= weight[level]) places.push(i);
  return places;
}

/** Index into `places` of the last line that the window shows; it shows as many as there are before the first is passed. */
export function bottomIndex(
  { first, bottom }: Pick<LogView, 'first' | 'bottom'>,
  places: readonly number[],
  height: number,
): number {
  const end = places.length - 1;
  if (bottom === null) return end;
  let at = end;
  while (at >= 0 && (places[at] as number) + first > bottom) at--;
  return Math.min(end, Math.max(at, height - 1));
}

/** Moves the window by `by` lines; at the end it follows again. */
export function scrollLog(log: LogView, by: number, height: number): LogView {
  const places = shownPlaces(log);
  const end = places.length - 1;
  const at = Math.max(Math.min(height - 1, end), bottomIndex(log, places, height) + by);
  return { ...log, bottom: at >= end ? null : (places[at] as number) + log.first };
}

export const nextLevel = (level: EventLevel): EventLevel =>
  logFilters[(logFilters.indexOf(level) + 1) % logFilters.length] as EventLevel;

/** Whether a line has the words, whatever their case. */
export function matches({ source, text }: Pick<LogLine, 'source' | 'text'>, search: string): boolean {
  return search !== '' && `${source}: ${text}`.toLowerCase().includes(search.toLowerCase());
}

/**
 * Moves to the next line that has the words: towards older ones or newer ones from the last line shown (which itself
 * counts with `from` = `here`).
 * @returns null when there is none.
 */
export function findLine(
  log: LogView,
  towards: 'older' | 'newer',
  from: 'here' | 'next',
  height: number,
): LogView | null {
  const places = shownPlaces(log);
  const by = towards === 'older' ? -1 : 1;
  let at = bottomIndex(log, places, height) + (from === 'here' ? 0 : by);
  for (; at >= 0 && at < places.length; at += by) {
    const place = places[at] as number;
    if (matches(log.lines[place] as LogLine, log.search)) return { ...log, bottom: place + log.first };
  }
  return null;
}
