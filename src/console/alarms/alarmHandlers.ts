import { type ConsoleState, type Step, step } from '../consoleState.ts';
import type { KeyHandlers } from '../keyBinding.ts';
import { clamp, type Move, moveBy } from '../scroll.ts';
import { alarmCauses } from './alarmCauses.ts';
import type { AlarmAction } from './alarmKeys.ts';
import { alarmRows } from './alarmPage.ts';
import { type AlarmsState, type ShownAlarm, selectedIndex, shownAlarms } from './alarmsState.ts';

export const alarmHandlers: KeyHandlers<AlarmAction> = {
  openAlarm,
  acknowledgeAlarm: state => {
    const alarm = selectedAlarm(state);
    if (!alarm?.isStanding || alarm.acknowledged) return step(state);
    const { stage, key, since } = alarm;
    return step(state, { do: 'acknowledge', stage, key, since });
  },
  toCause: state => {
    const alarm = selectedAlarm(state);
    const cause =
      alarm && state.overlay?.kind === 'alarm' ? alarmCauses(state, alarm)[state.overlay.cursor] : undefined;
    return step(cause ? cause.go({ ...state, overlay: null }) : { ...state, overlay: null });
  },
};

function selectedAlarm(state: ConsoleState): ShownAlarm | undefined {
  const list = shownAlarms(state);
  return list[selectedIndex(list, state.alarms)];
}

export const turnAlarms = (state: ConsoleState, over: Partial<AlarmsState>): ConsoleState => ({
  ...state,
  alarms: { ...state.alarms, ...over },
});

function openAlarm(state: ConsoleState): Step {
  const alarm = selectedAlarm(state);
  if (!alarm) return step(state);
  // It stays the one that is opened while others come.
  const opened = turnAlarms({ ...state, overlay: { kind: 'alarm', cursor: 0 } }, { selected: alarm.id });
  return Object.hasOwn(state.alarms.advice, alarm.message)
    ? step(opened)
    : step(opened, { do: 'advise', message: alarm.message });
}

export function moveInAlarms(state: ConsoleState, move: Move): ConsoleState {
  const list = shownAlarms(state);
  const to = clamp(selectedIndex(list, state.alarms) + moveBy(move, alarmRows(state)), 0, Math.max(0, list.length - 1));
  return turnAlarms(state, { selected: list[to]?.id ?? null });
}

/** Moves among the ways to the cause of the opened alarm. */
export function moveInCauses(state: ConsoleState, cursor: number, by: number): number {
  const alarm = selectedAlarm(state);
  return alarm ? clamp(cursor + by, 0, Math.max(0, alarmCauses(state, alarm).length - 1)) : 0;
}
