import type { KeyBinding } from '../keyBinding.ts';

export type ExperimentAction = 'attach' | 'forget' | 'attachBack';

export const experimentKeys: readonly KeyBinding<ExperimentAction>[] = [
  {
    action: 'attach',
    keys: ['enter'],
    shown: 'Enter',
    label: 'show it',
    help: 'Shows the experiment that the pointer is on, in place of this one. What runs goes on.',
    places: ['experiments'],
    footer: 1,
    when: ({ experiments: { list } }) => (list?.length ?? 0) > 0,
  },
  {
    action: 'attachBack',
    keys: ['b'],
    shown: 'b',
    label: 'back',
    help: 'Back to the experiment that was shown before.',
    places: ['experiments'],
    footer: 2,
    when: ({ cameFrom }) => cameFrom !== null,
  },
  {
    action: 'forget',
    keys: ['d', 'delete'],
    shown: 'd',
    label: 'forget',
    help: 'Takes the experiment that the pointer is on off this list; its folder stays as it is.',
    places: ['experiments'],
    asks: true,
    footer: 5,
    when: ({ experiments: { list } }) => (list?.length ?? 0) > 0,
  },
];
