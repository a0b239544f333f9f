import type { KeyBinding } from '../keyBinding.ts';

export type PaletteAction = 'palette' | 'paletteUp' | 'paletteDown' | 'perform';

export const paletteKeys: readonly KeyBinding<PaletteAction>[] = [
  {
    action: 'palette',
    keys: [':', 'C-p'],
    shown: ':',
    label: 'find',
    help: 'Finds any action, page, command for a stage, tool or theme by typing a part of its name, and does it. Ctrl-P does the same.',
    places: 'pages',
    footer: 9,
  },
  {
    action: 'perform',
    keys: ['enter'],
    shown: 'Enter',
    label: 'do it',
    help: 'Does what the pointer is on.',
    places: ['palette'],
    footer: 1,
  },
  {
    action: 'paletteUp',
    keys: ['up', 'C-p', 'C-k'],
    shown: 'Up',
    label: 'up',
    help: 'The action above.',
    places: ['palette'],
  },
  {
    action: 'paletteDown',
    keys: ['down', 'C-n', 'C-j'],
    shown: 'Down',
    label: 'down',
    help: 'The action below.',
    places: ['palette'],
  },
];
