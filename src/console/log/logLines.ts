import type { EventLevel } from '../../model/event.ts';
import { moment, timeOfDay } from '../../model/localTime.ts';
import type { LogLine } from '../../model/logLine.ts';
import type { ConsoleState } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import { cleanText } from '../views/cleanText.ts';
import {
  blank,
  clip,
  type Line,
  line,
  lineText,
  paragraph,
  type Segment,
  seg,
  type Tone,
  titleRule,
} from '../views/line.ts';
import { fullLineRows, hasFullLine } from './logRows.ts';
import { bottomIndex, cursorIndex, type LogView, shownPlaces } from './logView.ts';

export const levelTones: Record<EventLevel, Tone> = { debug: 'dim', info: 'plain', warning: 'warning', error: 'bad' };
/** Colour is not all that tells them apart. */
const signs: Record<EventLevel, string> = { debug: ' ', info: ' ', warning: 'W', error: 'E' };

/** The lines of the log that the window shows, oldest first; on its own page, the selected one in full below. */
export function logLines(state: Pick<ConsoleState, 'log' | 'drawing' | 'page'>, width: number, height: number): Line[] {
  const { log, drawing, page } = state;
  const withFull = hasFullLine(state, height);
  const rows = Math.max(1, height - 1 - (withFull ? fullLineRows : 0));
  const places = shownPlaces(log);
  const bottom = bottomIndex(log, places, rows);
  const top = Math.max(0, bottom - rows + 1);
  const shown = places.slice(top, bottom + 1).map(place => log.lines[place] as LogLine);
  const cursor = page === 'log' ? cursorIndex(log, places, rows) : -1;
  const lines = [
    titleRule('Log', width, drawing, titleNote(state, cursor, places.length)),
    ...shown.map((each, i) => clip(logLine(each, log, drawing, top + i === cursor), width, drawing)),
  ];
  if (shown.length === 0)
    lines.push(line(log.lines.length > 0 ? ' no line passes the filters: Esc takes them away' : ' no line yet', 'dim'));
  const selected = shown[cursor - top];
  if (!withFull || !selected) return lines;
  const space = Array.from({ length: rows - shown.length }, () => blank);
  return [...lines, ...space, ...fullLine(selected, width, drawing)];
}

/** What is left out or searched for, and how the log is without it. */
interface Chip {
  text: string;
  without: Partial<LogView>;
}

function chipsOf({ log, drawing }: Pick<ConsoleState, 'log' | 'drawing'>): Chip[] {
  const short = (text: string): string => lineText(clip([seg(cleanText(text, drawing))], 24, drawing));
  const chips: Chip[] = [];
  if (log.level !== 'info')
    chips.push({
      text: log.level === 'debug' ? '[all levels]' : `[from ${log.level} on]`,
      without: { level: 'info' },
    });
  if (log.source !== null) chips.push({ text: `[stage: ${short(log.source)}]`, without: { source: null } });
  if (log.words !== '') chips.push({ text: `[text: ${short(log.words)}]`, without: { words: '' } });
  if (log.search !== '') chips.push({ text: `[search: ${short(log.search)}]`, without: { search: '' } });
  return chips;
}

/** The log without what the chip at column `x` of the panel's title stands for; null where there is none. */
export function withoutChip(
  state: Pick<ConsoleState, 'log' | 'drawing' | 'page'>,
  { width, height }: { width: number; height: number },
  x: number,
): LogView | null {
  const title = lineText(logLines(state, width, height)[0] ?? blank);
  let from = 0;
  for (const { text, without } of chipsOf(state)) {
    const at = title.indexOf(text, from);
    if (at < 0) return null;
    from = at + text.length;
    if (x >= at && x < from) return { ...state.log, ...without };
  }
  return null;
}

/** What is left out, what is searched for, and which line is selected where the end is not followed. */
function titleNote(state: Pick<ConsoleState, 'log' | 'drawing'>, cursor: number, count: number): Line {
  const { log } = state;
  const notes = chipsOf(state).map(({ text }) => text);
  if (log.bottom !== null && cursor >= 0) notes.push(`${cursor + 1} of ${count}`);
  return notes.length === 0 ? [] : [seg(notes.join(' '), 'accent')];
}

function fullLine({ at, level, source, text }: LogLine, width: number, drawing: Drawing): Line[] {
  return [
    titleRule(`${moment(at)} ${level}`, width, drawing),
    ...paragraph(`${source}: ${text}`, width - 1, fullLineRows - 1, levelTones[level], drawing).map(each => [
      seg(' '),
      ...each,
    ]),
  ];
}

function logLine(
  { at, level, source, text }: LogLine,
  { search, words: kept }: Pick<LogView, 'search' | 'words'>,
  drawing: Drawing,
  isSelected: boolean,
): Line {
  const words = `${cleanText(source, drawing)}: ${cleanText(text, drawing)}`;
  return [
    seg(isSelected ? drawing.pointer : ' ', 'accent'),
    seg(timeOfDay(at), isSelected ? 'selected' : 'dim'),
    seg(' '),
    seg(`${signs[level]} `, levelTones[level]),
    ...highlighted(words, search === '' ? kept : search, levelTones[level]),
  ];
}

/** The words that were searched for stand out. */
function highlighted(text: string, search: string, tone: Tone): Segment[] {
  if (search === '') return [seg(text, tone)];
  const segments: Segment[] = [];
  const low = text.toLowerCase();
  const sought = search.toLowerCase();
  let from = 0;
  for (let at = low.indexOf(sought); at >= 0; at = low.indexOf(sought, from)) {
    segments.push(seg(text.slice(from, at), tone), seg(text.slice(at, at + sought.length), 'match'));
    from = at + sought.length;
  }
  segments.push(seg(text.slice(from), tone));
  return segments;
}
