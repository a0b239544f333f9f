import type { RunMark } from '../../model/runMark.ts';
import type { ConsoleState } from '../consoleState.ts';
import { cleanText } from '../views/cleanText.ts';
import { clip, type Line, lineWidth, seg } from '../views/line.ts';
import { timeEnd } from './chartTime.ts';
import { type ChartTime, columnAt } from './columns.ts';
import { columnText } from './readoutLine.ts';

/** What stands on the time axis. */
const signs: Record<RunMark['kind'], string> = {
  start: 'S',
  stop: 'X',
  edit: 'E',
  pause: 'P',
  resume: 'R',
  mark: 'M',
};

/** The signs of a time, by column; where several share one, the last. */
export function markSigns(state: MarkedState, time: ChartTime): Map<number, string> {
  return new Map(marksIn(state, time).map(({ time: at, kind }) => [columnAt(time, at), signs[kind]]));
}

/** What the marks say: those at the cursor, or where there is none, the last ones, newest first. Null where there are none. */
export function marksLine(
  state: MarkedState & Pick<ConsoleState, 'now' | 'drawing'>,
  time: ChartTime,
  width: number,
): Line | null {
  const { now, drawing } = state;
  const { cursor } = state.chart;
  const shown = marksIn(state, time);
  if (shown.length === 0) return null;
  const at = cursor === null ? null : columnAt(time, cursor);
  const here = shown.filter(mark => at !== null && columnAt(time, mark.time) === at);
  let line: Line = [];
  for (const { time: when, kind, text } of (here.length > 0 ? here : shown).toReversed()) {
    const item = [
      seg(` ${signs[kind]} `, 'accent'),
      seg(`${columnText(when, 1_000, now)} `, 'dim'),
      seg(`${kind}${text === '' ? '' : ` ${cleanText(text, drawing)}`} `),
    ];
    if (line.length > 0 && lineWidth(line) + lineWidth(item) > width) break;
    line = [...line, ...item];
  }
  return clip(line, width, drawing);
}

type MarkedState = Pick<ConsoleState, 'chart' | 'reading'>;

/** The axis of a replay is the recorded time: of that only what a person has marked tells, and not when the replay was begun, held or edited. */
function marksIn({ chart: { marks }, reading }: MarkedState, time: ChartTime): RunMark[] {
  const isRecorded = reading?.status?.replay !== undefined;
  return marks.filter(({ time: at, kind }) => at >= time.low && at < timeEnd(time) && (kind === 'mark' || !isRecorded));
}
