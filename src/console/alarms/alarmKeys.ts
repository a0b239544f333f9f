import type { ConsoleState } from '../consoleState.ts';
import type { KeyBinding } from '../keyBinding.ts';
import { selectedIndex, shownAlarms } from './alarmsState.ts';

/** What the keys of the alarms page do. */
export type AlarmAction = 'openAlarm' | 'acknowledgeAlarm' | 'toCause';

const selected = (state: ConsoleState) => shownAlarms(state)[selectedIndex(shownAlarms(state), state.alarms)];

export const alarmKeys: readonly KeyBinding<AlarmAction>[] = [
  {
    action: 'openAlarm',
    keys: ['enter'],
    shown: 'Enter',
    label: 'open',
    help: 'Opens the selected alarm in full: what the documentation says to do, and the ways to its cause.',
    places: ['alarms'],
    footer: 1,
    when: state => selected(state) !== undefined,
  },
  {
    action: 'acknowledgeAlarm',
    keys: ['a'],
    shown: 'a',
    label: 'acknowledge',
    help: 'Acknowledges the alarm, for all who watch: it stays until it is over, with your name.',
    places: ['alarms', 'alarm'],
    footer: 1,
    when: state => selected(state)?.isStanding === true && selected(state)?.acknowledged === null,
  },
  {
    action: 'toCause',
    keys: ['enter'],
    shown: 'Enter',
    label: 'go there',
    help: 'Goes to the cause of the alarm: its stage, its line in the log, the frame, the ROI or the settings.',
    places: ['alarm'],
    footer: 1,
  },
];
