import type { KeyBinding } from '../keyBinding.ts';

/** What the keys of the log do. */
export type LogAction = 'filter' | 'sources' | 'keepWords' | 'search' | 'older' | 'newer' | 'openLine' | 'copyLine';

export const logKeys: readonly KeyBinding<LogAction>[] = [
  {
    action: 'filter',
    keys: ['f'],
    shown: 'f',
    label: 'level',
    help: 'Shows lines of the log from another level on: info, warning, error, debug.',
    places: ['overview', 'log'],
    footer: 5,
  },
  {
    action: 'sources',
    keys: ['S-f'],
    shown: 'F',
    label: 'stage',
    help: 'Shows the lines of one stage only, chosen from a list.',
    places: ['log'],
    footer: 5,
  },
  {
    action: 'keepWords',
    keys: ['&'],
    shown: '&',
    label: 'text',
    help: 'Shows only the lines that have a text. All filters count together; Esc takes them away.',
    places: ['log'],
    footer: 5,
  },
  {
    action: 'search',
    keys: ['/'],
    shown: '/',
    label: 'search',
    help: 'Searches the log backwards from the selected line.',
    places: ['overview', 'log'],
    footer: 6,
  },
  {
    action: 'older',
    keys: ['n'],
    shown: 'n',
    label: 'older',
    help: 'The match before (older).',
    places: ['overview', 'log'],
  },
  {
    action: 'newer',
    keys: ['S-n'],
    shown: 'N',
    label: 'newer',
    help: 'The match after (newer).',
    places: ['overview', 'log'],
  },
  {
    action: 'openLine',
    keys: ['enter'],
    shown: 'Enter',
    label: 'open',
    help: 'Opens the selected line in full, with all that the event has besides.',
    places: ['log'],
    footer: 4,
    when: ({ log }) => log.lines.length > 0,
  },
  {
    action: 'copyLine',
    keys: ['y'],
    shown: 'y',
    label: 'copy',
    help: "Copies the selected or opened line to the terminal's clipboard (OSC 52).",
    places: ['log', 'line'],
    footer: 4,
    when: ({ log }) => log.lines.length > 0,
  },
];
