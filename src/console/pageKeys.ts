import type { CoreAction, KeyBinding, Place } from './keyBinding.ts';
import { pages } from './pages.ts';

const lists: readonly Place[] = ['experiments', 'rois', 'tools', 'sources'];
const panes: readonly Place[] = [
  'overview',
  'log',
  'ROIs',
  'help',
  'output',
  'arguments',
  'line',
  'settings',
  'alarms',
  'alarm',
];

/** Pages that have nothing for the arrows to the sides to move. */
const arrowsTurn: readonly Place[] = ['overview', 'log', 'ROIs', 'experiments'];

/** Keys that choose what is shown: pages, places in lists and texts, frame and log. */
export const pageKeys: readonly KeyBinding<CoreAction>[] = [
  ...pages.map(
    ({ name, key, title, help }): KeyBinding<CoreAction> => ({
      action: name,
      keys: [key],
      shown: key,
      label: title,
      help,
      places: 'pages',
    }),
  ),
  {
    action: 'nextPage',
    keys: ['tab'],
    shown: 'Tab',
    label: 'next page',
    help: 'The next page.',
    places: 'pages',
  },
  {
    action: 'previousPage',
    keys: ['S-tab'],
    shown: 'Shift-Tab',
    label: 'page before',
    help: 'The page before.',
    places: 'pages',
  },
  {
    action: 'nextPage',
    keys: ['right'],
    shown: 'Right',
    label: 'next page',
    help: 'The next page.',
    places: arrowsTurn,
  },
  {
    action: 'previousPage',
    keys: ['left'],
    shown: 'Left',
    label: 'page before',
    help: 'The page before.',
    places: arrowsTurn,
  },
  {
    action: 'up',
    keys: ['up', 'k'],
    shown: 'Up',
    label: 'up',
    help: 'The stage or item above; a line back in the log.',
    places: [...panes, ...lists],
  },
  {
    action: 'down',
    keys: ['down', 'j'],
    shown: 'Down',
    label: 'down',
    help: 'The stage or item below; a line on in the log.',
    places: [...panes, ...lists],
  },
  {
    action: 'pageUp',
    keys: ['pageup'],
    shown: 'PgUp',
    label: 'back',
    help: 'A page back in the log, the help, a list or an output.',
    places: [...panes, ...lists],
  },
  {
    action: 'pageDown',
    keys: ['pagedown'],
    shown: 'PgDn',
    label: 'on',
    help: 'A page on.',
    places: [...panes, ...lists],
  },
  {
    action: 'top',
    keys: ['home'],
    shown: 'Home',
    label: 'beginning',
    help: 'To the beginning.',
    places: [...panes, ...lists],
  },
  {
    action: 'end',
    keys: ['end'],
    shown: 'End',
    label: 'end',
    help: 'To the end, which is then followed.',
    places: [...panes, ...lists],
  },
];
