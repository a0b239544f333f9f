import type { KeyBinding } from '../keyBinding.ts';
import { maySteer } from './replayState.ts';

/** What the keys of a replay do. */
export type ReplayAction = 'playPause' | 'stepFrame' | 'slower' | 'faster' | 'goTo';

const common = { places: ['overview'], when: maySteer } as const;

export const replayKeys: readonly KeyBinding<ReplayAction>[] = [
  {
    ...common,
    action: 'playPause',
    keys: ['space'],
    shown: 'Space',
    label: 'pause/go on',
    help: 'In a replay: holds the next frame, or goes on.',
    footer: 0.1,
  },
  {
    ...common,
    action: 'stepFrame',
    keys: ['.'],
    shown: '.',
    label: 'step',
    help: 'In a replay: reads one frame, and holds the next one.',
    footer: 0.2,
  },
  {
    ...common,
    action: 'slower',
    keys: ['<', ','],
    shown: '<',
    label: 'slower',
    help: 'In a replay: the next lower speed, down to a tenth of the recorded pace.',
    footer: 0.3,
  },
  {
    ...common,
    action: 'faster',
    keys: ['>'],
    shown: '>',
    label: 'faster',
    help: 'In a replay: the next higher speed, up to the maximum: as fast as frames are analysed.',
    footer: 0.4,
  },
  {
    ...common,
    action: 'goTo',
    keys: ['g'],
    shown: 'g',
    label: 'go to',
    help: 'In a replay: goes to a frame or a time. A click on the bar does too.',
    footer: 0.5,
  },
];
