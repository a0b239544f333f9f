import type { ConsoleState } from '../consoleState.ts';
import { clockTime } from '../views/amounts.ts';
import { clip, type Line, paragraph, seg, titleRule } from '../views/line.ts';
import { type PanelView, text } from '../views/panelView.ts';
import { alarmPage } from './alarmPage.ts';
import { type ShownAlarm, standingAlarms } from './alarmsState.ts';

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

/** What stands in the way now, the worst first, what somebody has acknowledged after the rest; where there is room, each in whole. */
function alarmLines(state: ConsoleState, width: number, height: number): Line[] {
  const { now, drawing } = state;
  const standing = standingAlarms(state);
  const alarms = [...standing.filter(isNew), ...standing.filter(each => !isNew(each))];
  const title = titleRule(alarms.length > 0 ? `Alarms (${alarms.length})` : 'Alarms', width, drawing);
  const rows = height - 1;
  if (alarms.length === 0) return [title, [seg(' none', 'dim')]].slice(0, height);
  const lines: Line[] = [];
  const rowsEach = Math.max(1, Math.floor(rows / alarms.length));
  for (const alarm of alarms) {
    const { stage, message, since, times } = alarm;
    const often = times > 1 ? ` (${times} times)` : '';
    const mark = isNew(alarm) ? drawing.marks.late : 'acknowledged';
    const words = `${mark} ${clockTime(since, now)} ${stage}: ${message}${often}`;
    const tone = isNew(alarm) ? 'bad' : 'warning';
    lines.push(...paragraph(words, width - 1, rowsEach, tone, drawing).map(each => [seg(' '), ...each]));
  }
  if (lines.length > rows) lines.splice(rows - 1, lines.length, [seg(` and ${alarms.length - rows + 1} more`, 'bad')]);
  return [title, ...lines.slice(0, rows)].map(each => clip(each, width, drawing));
}

const isNew = ({ acknowledged }: ShownAlarm): boolean => acknowledged === null;
