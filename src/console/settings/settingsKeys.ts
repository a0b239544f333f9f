import type { ConsoleState } from '../consoleState.ts';
import type { KeyBinding } from '../keyBinding.ts';
import { changesOf, selectedField, wordsOf } from './settingsState.ts';

/** What the keys of the settings page do. */
export type SettingsAction =
  | 'changeSetting'
  | 'writeSettings'
  | 'dropSettings'
  | 'takeSetting'
  | 'nextWord'
  | 'wordBefore';

const isOneOfFew = ({ settings }: ConsoleState): boolean => {
  const field = selectedField(settings);
  return field !== null && wordsOf(field).length > 0;
};

const hasChanges = (state: ConsoleState): boolean => changesOf(state).length > 0;

export const settingsKeys: readonly KeyBinding<SettingsAction>[] = [
  {
    action: 'changeSetting',
    keys: ['enter'],
    shown: 'Enter',
    label: 'change',
    help: 'Changes the selected setting: it is checked while it is typed, and not written yet.',
    places: ['settings'],
    footer: 1,
    when: ({ settings }) => settings.file?.problems.length === 0,
  },
  {
    action: 'writeSettings',
    keys: ['w'],
    shown: 'w',
    label: 'write',
    help: 'Writes the changed settings into the configuration, unless the file was changed meanwhile. Comments and order stay.',
    places: ['settings'],
    footer: 1,
    when: hasChanges,
  },
  {
    action: 'dropSettings',
    keys: ['u'],
    shown: 'u',
    label: 'undo',
    help: 'Drops the changes that are not written yet.',
    places: ['settings'],
    footer: 2,
    when: hasChanges,
  },
  {
    action: 'takeSetting',
    keys: ['enter'],
    shown: 'Enter',
    label: 'take',
    help: 'Takes the value into the form.',
    places: ['setting'],
    footer: 1,
  },
  {
    action: 'wordBefore',
    keys: ['up', 'S-tab'],
    shown: 'Up',
    label: 'word before',
    help: 'The word before, where the setting is one of a few.',
    places: ['setting'],
    when: isOneOfFew,
  },
  {
    action: 'nextWord',
    keys: ['down', 'tab'],
    shown: 'Down',
    label: 'next word',
    help: 'The next word, where the setting is one of a few.',
    places: ['setting'],
    footer: 2,
    when: isOneOfFew,
  },
];
