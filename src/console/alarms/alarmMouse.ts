import { step } from '../consoleState.ts';
import type { PanelMouse } from '../panelMouse.ts';
import { alarmHandlers, turnAlarms } from './alarmHandlers.ts';
import { alarmAt } from './alarmPage.ts';
import { selectedIndex, shownAlarms } from './alarmsState.ts';

/** A click selects an alarm of the page, a click on the selected one opens it. On the overview it opens the page. */
export const alarmMouse: PanelMouse = (state, { what, y }) => {
  if (what !== 'press') return null;
  if (state.page !== 'alarms') return step({ ...state, page: 'alarms' });
  const index = alarmAt(state, y);
  if (index === null) return null;
  const list = shownAlarms(state);
  if (index === selectedIndex(list, state.alarms)) return alarmHandlers.openAlarm(state);
  return step(turnAlarms(state, { selected: list[index]?.id ?? null }));
};
