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
  /** Filters: lowest level, who speaks (null: everybody), words (empty: any). A line must pass all of them. */
  level: EventLevel;
  source: string | null;
  words: string;
  /** What is searched for; empty: nothing. */
  search: string;
  /** Number of the last line shown; null: the end is followed. */
  bottom: number | null;
  /** Number of the selected line; null: the last one shown. */
  cursor: number | null;
}

export const emptyLog: LogView = {
  lines: [],
  first: 0,
  level: 'info',
  source: null,
  words: '',
  search: '',
  bottom: null,
  cursor: null,
};

const weight: Record<EventLevel, number> = { debug: 0, info: 1, warning: 2, error: 3 };

export function appendLines(log: LogView, lines: readonly LogLine[]): LogView {
  if (lines.length === 0) return log;
  const all = lines.length >= keptLines ? lines.slice(-keptLines) : [...log.lines, ...lines].slice(-keptLines);
  const first = log.first + log.lines.length + lines.length - all.length;
  return { ...log, lines: all, first };
}

/** The places in `lines` that the filters let through, ascending. */
export function shownPlaces({ lines, level, source, words }: LogView): number[] {
  const places: number[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as LogLine;
    if (weight[line.level] < weight[level] || (source !== null && line.source !== source)) continue;
    if (words === '' || matches(line, words)) places.push(i);
  }
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
  return Math.min(end, Math.max(indexAt(bottom - first, places), height - 1));
}

/** Index into `places` of the last one that is not behind `place`; -1 where all are. */
const indexAt = (place: number, places: readonly number[]): number => places.findLastIndex(each => each <= place);

/** Index into `places` of the selected line; -1 where there is none. */
export function cursorIndex(log: LogView, places: readonly number[], height: number): number {
  if (log.cursor === null) return bottomIndex(log, places, height);
  return Math.max(Math.min(0, places.length - 1), indexAt(log.cursor - log.first, places));
}

/** The selected line; null where none is shown. */
export function selectedLine(log: LogView, height: number): LogLine | null {
  const places = shownPlaces(log);
  return log.lines[places[cursorIndex(log, places, height)] ?? -1] ?? null;
}

/** Moves the window by `by` lines, and the selected line with it where it would leave; at the end it follows again. */
export function scrollLog(log: LogView, by: number, height: number): LogView {
  const places = shownPlaces(log);
  const end = places.length - 1;
  const bottom = Math.max(Math.min(height - 1, end), bottomIndex(log, places, height) + by);
  if (bottom >= end) return { ...log, bottom: null, cursor: null };
  const cursor = Math.min(bottom, Math.max(bottom - height + 1, cursorIndex(log, places, height)));
  const numberOf = (index: number): number => (places[index] as number) + log.first;
  return { ...log, bottom: numberOf(bottom), cursor: log.cursor === null ? null : numberOf(cursor) };
}

/** Selects the line that is `by` lines further, and moves the window as far as needed; at the end it follows again. */
export function selectBy(log: LogView, by: number, height: number): LogView {
  const places = shownPlaces(log);
  return selectIndex(log, cursorIndex(log, places, height) + by, height, places);
}

/** Selects the line at an index into `places`. */
export function selectIndex(log: LogView, index: number, height: number, places = shownPlaces(log)): LogView {
  const end = places.length - 1;
  const cursor = Math.max(0, index);
  if (cursor >= end) return { ...log, bottom: null, cursor: null };
  const bottom = Math.min(Math.max(bottomIndex(log, places, height), cursor), cursor + height - 1, end);
  return { ...log, bottom: (places[bottom] as number) + log.first, cursor: (places[cursor] as number) + log.first };
}

export const nextLevel = (level: EventLevel): EventLevel =>
  logFilters[(logFilters.indexOf(level) + 1) % logFilters.length] as EventLevel;

/** Who speaks in the lines that are kept, and how often; the loudest first. */
export function sourcesOf(lines: readonly LogLine[]): { source: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { source } of lines) counts.set(source, (counts.get(source) ?? 0) + 1);
  return [...counts].map(([source, count]) => ({ source, count })).sort((a, b) => b.count - a.count);
}

/** Whether a line has the words, whatever their case. */
function matches({ source, text }: Pick<LogLine, 'source' | 'text'>, search: string): boolean {
  return search !== '' && `${source}: ${text}`.toLowerCase().includes(search.toLowerCase());
}

/**
 * Moves to the next line that has the words: towards older ones or newer ones from the selected one (which itself
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
  let at = cursorIndex(log, places, height) + (from === 'here' ? 0 : by);
  for (; at >= 0 && at < places.length; at += by) {
    const place = places[at] as number;
    if (!matches(log.lines[place] as LogLine, log.search)) continue;
    return { ...log, bottom: place + log.first, cursor: place + log.first };
  }
  return null;
}
