import { parseIso } from '../../model/localTime.ts';
import type { ConsoleState } from '../consoleState.ts';
import { clockTime } from '../views/amounts.ts';
import { clip, type Line, paragraph, seg, titleRule } from '../views/line.ts';
import { type PanelView, text } from '../views/panelView.ts';
import { worstFirst } from '../views/worstOf.ts';
import { alarmPage } from './alarmPage.ts';

export const alarmsPanel: PanelView = {
  depends: state => [
    state.reading,
    state.alarms,
    state.page,
    // How long an alarm has stood is on its page alone.
    Math.floor(state.now / (state.page === 'alarms' ? 1000 : 3_600_000)),
  ],
  content: text((state, width, height) =>
    state.page === 'alarms' ? alarmPage(state, width, height) : alarmLines(state, width, height),
  ),
};

/** What stands in the way now, the worst first; where there is room, each in whole. */
function alarmLines({ reading, now, drawing }: ConsoleState, width: number, height: number): Line[] {
  const alarms = reading?.status ? worstFirst(reading.status) : [];
  const title = titleRule(alarms.length > 0 ? `Alarms (${alarms.length})` : 'Alarms', width, drawing);
  const rows = height - 1;
  if (alarms.length === 0) return [title, [seg(' none', 'dim')]].slice(0, height);
  const lines: Line[] = [];
  const rowsEach = Math.max(1, Math.floor(rows / alarms.length));
  for (const { stage, message, since, times } of alarms) {
    const often = times > 1 ? ` (${times} times)` : '';
    const words = `${drawing.marks.late} ${clockTime(parseIso(since), now)} ${stage}: ${message}${often}`;
    lines.push(...paragraph(words, width - 1, rowsEach, 'bad', drawing).map(each => [seg(' '), ...each]));
  }
  if (lines.length > rows) lines.splice(rows - 1, lines.length, [seg(` and ${alarms.length - rows + 1} more`, 'bad')]);
  return [title, ...lines.slice(0, rows)].map(each => clip(each, width, drawing));
}
