import type { EventLevel } from '../../model/event.ts';
import { localIso } from '../../model/localTime.ts';
import type { LogLine } from '../../model/logLine.ts';
import type { ConsoleState } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import { cleanText } from '../views/cleanText.ts';
import { blank, clip, type Line, paragraph, type Segment, seg, type Tone, titleRule } from '../views/line.ts';
import { fullLineRows, hasFullLine } from './logRows.ts';
import { bottomIndex, shownPlaces } from './logView.ts';

const tones: Record<EventLevel, Tone> = { debug: 'dim', info: 'plain', warning: 'warning', error: 'bad' };
/** Colour is not all that tells them apart. */
const signs: Record<EventLevel, string> = { debug: ' ', info: ' ', warning: 'W', error: 'E' };

/** The lines of the log that the window shows, oldest first; on its own page, the last of them in full below. */
export function logLines(state: Pick<ConsoleState, 'log' | 'drawing' | 'page'>, width: number, height: number): Line[] {
  const { log, drawing } = state;
  const withFull = hasFullLine(state, height);
  const rows = Math.max(1, height - 1 - (withFull ? fullLineRows : 0));
  const places = shownPlaces(log);
  const bottom = bottomIndex(log, places, rows);
  const shown = places.slice(Math.max(0, bottom - rows + 1), bottom + 1).map(place => log.lines[place] as LogLine);
  const lines = [
    titleRule('Log', width, drawing, titleNote(state, bottom, places.length)),
    ...shown.map(each => clip(logLine(each, log.search, drawing), width, drawing)),
  ];
  const last = shown.at(-1);
  if (!withFull || !last) return lines;
  const space = Array.from({ length: rows - shown.length }, () => blank);
  return [...lines, ...space, ...fullLine(last, width, drawing)];
}

/** What is left out, what is searched for, and where it was scrolled to. */
function titleNote({ log, drawing }: Pick<ConsoleState, 'log' | 'drawing'>, bottom: number, count: number): Line {
  const notes: string[] = [];
  if (log.level !== 'info') notes.push(log.level === 'debug' ? 'all levels' : `from ${log.level} on`);
  if (log.search !== '') notes.push(`search: ${cleanText(log.search, drawing)}`);
  if (log.bottom !== null) notes.push(`${bottom + 1} of ${count}`);
  return notes.length === 0 ? [] : [seg(notes.join(' '), 'accent')];
}

function fullLine({ at, level, source, text }: LogLine, width: number, drawing: Drawing): Line[] {
  return [
    titleRule(`${localIso(at).slice(0, 19).replace('T', ' ')} ${level}`, width, drawing),
    ...paragraph(`${source}: ${text}`, width - 1, fullLineRows - 1, tones[level], drawing).map(each => [
      seg(' '),
      ...each,
    ]),
  ];
}

function logLine({ at, level, source, text }: LogLine, search: string, drawing: Drawing): Line {
  const words = `${cleanText(source, drawing)}: ${cleanText(text, drawing)}`;
  return [
    seg(` ${localIso(at).slice(11, 19)} `, 'dim'),
    seg(`${signs[level]} `, tones[level]),
    ...highlighted(words, search, tones[level]),
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
