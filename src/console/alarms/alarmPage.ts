import { alarmTitle } from '../../model/alarm.ts';
import { parseIso } from '../../model/localTime.ts';
import { duration, shortDuration } from '../../model/quantity.ts';
import type { ConsoleState } from '../consoleState.ts';
import { layoutOf } from '../layout.ts';
import { windowTop } from '../scroll.ts';
import { clockTime } from '../views/amounts.ts';
import { cleanText } from '../views/cleanText.ts';
import { blank, clip, exactly, type Line, line, paragraph, seg, titleRule } from '../views/line.ts';
import { alarmCauses } from './alarmCauses.ts';
import { type ShownAlarm, selectedIndex, shownAlarms } from './alarmsState.ts';

/** Rows for the selected alarm in full: a rule and text. */
const fullRows = 5;

const emptyWords =
  'An alarm says why a stage cannot work. It stands here until it is over, with since when, how long and how often, and stays in the list then.';

/** A place in the list. */
type Item = { title: string } | { alarm: ShownAlarm; index: number };

/** Rows of the list of the alarms page. */
export function alarmRows(state: ConsoleState): number {
  const height = layoutOf(state)?.alarms?.height ?? 2;
  return Math.max(1, height - fullRows);
}

/** The alarms that stand, those that are over, and the selected one in full. */
export function alarmPage(state: ConsoleState, width: number, height: number): Line[] {
  const { drawing, alarms, now } = state;
  const list = shownAlarms(state);
  const cursor = selectedIndex(list, alarms);
  const rows = Math.max(1, height - fullRows);
  const items = itemsOf(list);
  const at = items.findIndex(item => 'alarm' in item && item.index === cursor);
  const top = windowTop(at, items.length, rows);
  const shown = items.slice(top, top + rows).map((item): Line => {
    if ('title' in item) return titleRule(item.title, width, drawing);
    return clip(alarmRow(item.alarm, item.index === cursor, state), width, drawing);
  });
  const selected = list[cursor];
  if (list.length === 0) shown.push(...paragraph(emptyWords, width - 1, rows, 'dim', drawing).map(indented));
  const space = Array.from({ length: Math.max(0, rows - shown.length) }, () => blank);
  return [...shown, ...space, ...(selected ? fullAlarm(selected, now, width, state) : [])].slice(0, height);
}

/** The item of the list that a row of the panel shows, as an index among the alarms; null where it is none. */
export function alarmAt(state: ConsoleState, row: number): number | null {
  const list = shownAlarms(state);
  const items = itemsOf(list);
  const cursor = selectedIndex(list, state.alarms);
  const rows = alarmRows(state);
  const at = items.findIndex(item => 'alarm' in item && item.index === cursor);
  const item = row < rows ? items[windowTop(at, items.length, rows) + row] : undefined;
  return item && 'alarm' in item ? item.index : null;
}

function itemsOf(list: readonly ShownAlarm[]): Item[] {
  const items = list.map((alarm, index) => ({ alarm, index }));
  const standing = items.filter(({ alarm }) => alarm.isStanding);
  const over = items.filter(({ alarm }) => !alarm.isStanding);
  return [
    { title: standing.length > 0 ? `Alarms (${standing.length})` : 'Alarms: none stands' },
    ...standing,
    ...(over.length > 0 ? [{ title: 'Over' }, ...over] : []),
  ];
}

function alarmRow(alarm: ShownAlarm, isSelected: boolean, { now, drawing, reading }: ConsoleState): Line {
  const { since, stage, message, times, isStanding, acknowledged, overAt } = alarm;
  const end = isStanding ? endOf(reading, now) : overAt;
  const lasted = end === null ? '?' : shortDuration(Math.max(0, end - since));
  const tone = !isStanding ? 'dim' : acknowledged ? 'warning' : 'bad';
  return [
    seg(isSelected ? drawing.pointer : ' ', 'accent'),
    seg(`${isStanding && !acknowledged ? drawing.marks.late : ' '} `, tone),
    seg(clockTime(since, now).padEnd(11), isSelected ? 'selected' : 'plain'),
    seg(` ${lasted.padStart(6)}`),
    seg(` ${times > 1 ? `${times}x`.padStart(5) : '     '}`, 'dim'),
    seg(` ${stage.padEnd(12)} `, isStanding ? 'strong' : 'plain'),
    ...(acknowledged ? [seg('acknowledged: ', 'dim')] : []),
    seg(cleanText(message, drawing), tone),
  ];
}

/** An alarm of a pipeline that is gone stood until it was heard last. */
function endOf(reading: ConsoleState['reading'], now: number): number {
  return reading?.connection === 'running' || !reading?.status ? now : parseIso(reading.status.heartbeat);
}

function fullAlarm(alarm: ShownAlarm, now: number, width: number, { drawing }: ConsoleState): Line[] {
  return [
    titleRule(`${alarm.stage}: ${cleanText(alarmTitle(alarm.key), drawing)}`, width, drawing),
    ...paragraph(alarm.message, width - 1, fullRows - 2, 'plain', drawing).map(indented),
    clip([seg(` ${whenWords(alarm, now)}`, 'dim')], width, drawing),
  ];
}

const indented = (each: Line): Line => [seg(' '), ...each];

/** Since when, how often, how long, and who has seen it. */
function whenWords({ since, overAt, isStanding, times, acknowledged }: ShownAlarm, now: number): string {
  const often = times > 1 ? `, raised ${times} times` : '';
  const length = (end: number): string => duration(Math.max(0, Math.round((end - since) / 1000) * 1000));
  const until = isStanding
    ? ''
    : overAt === null
      ? '; the pipeline ended before it was over'
      : `; over since ${clockTime(overAt, now)}, after ${length(overAt)}`;
  const seen = acknowledged ? `; acknowledged by ${acknowledged.by} ${clockTime(parseIso(acknowledged.at), now)}` : '';
  return `since ${clockTime(since, now)}${often}${until}${seen}`;
}

/** Lines that the words of an opened alarm may take at most. */
const mostOf = { message: 8, when: 3, advice: 6 };

/**
 * An alarm in full: its words, when it was, what the documentation says, and where to look. The ways to its cause are always in sight: in a
 * low window the words are cut.
 */
export function alarmDetails(
  state: ConsoleState,
  cursor: number,
  width: number,
  height: number,
): { title: string; lines: Line[] } {
  const { drawing, now, alarms } = state;
  const list = shownAlarms(state);
  const alarm = list[selectedIndex(list, alarms)];
  if (!alarm) return { title: 'Alarm', lines: [line('it is gone', 'dim')] };
  const causes = alarmCauses(state, alarm).map(({ text }, i) =>
    exactly(
      [
        seg(i === cursor ? drawing.pointer : ' ', 'accent'),
        seg(cleanText(text, drawing), i === cursor ? 'selected' : 'plain'),
      ],
      width,
      drawing,
    ),
  );
  const room = height - causes.length - 1;
  const isLow = room < mostOf.message + mostOf.advice;
  const gap = isLow ? [] : [blank];
  const when = paragraph(cleanText(whenWords(alarm, now), drawing), width, isLow ? 1 : mostOf.when, 'dim', drawing);
  const advice = alarms.advice[alarm.message];
  const said =
    advice === undefined
      ? 'The guide: looking'
      : advice === null
        ? 'The guide has no row for this message.'
        : `The guide: ${advice}`;
  const adviceLines = (rows: number): Line[] => paragraph(said, width, rows, advice ? 'plain' : 'dim', drawing);
  const rest = room - when.length - 2 * gap.length;
  // Each gets what the other leaves, and half of the room at least.
  const messageRows = Math.max(1, Math.ceil(rest / 2), rest - adviceLines(mostOf.advice).length);
  const message = paragraph(
    alarm.message,
    width,
    Math.min(mostOf.message, messageRows),
    alarm.isStanding ? 'bad' : 'plain',
    drawing,
  );
  const adviceRows = Math.min(mostOf.advice, rest - message.length);
  return {
    title: `${alarm.isStanding ? 'Alarm' : 'Over'}: ${alarm.stage}: ${alarmTitle(alarm.key)}`,
    lines: [
      ...message,
      ...when,
      ...gap,
      ...(adviceRows > 0 ? adviceLines(adviceRows) : []),
      ...gap,
      line('Go to', 'heading'),
      ...causes,
    ],
  };
}
