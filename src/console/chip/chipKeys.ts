import type { KeyBinding } from '../keyBinding.ts';

export type ChipAction = 'chipUp' | 'chipDown' | 'chipLeft' | 'chipRight' | 'chipColour' | 'openGrating';

const move = (action: ChipAction, keys: string[], shown: string, word: string): KeyBinding<ChipAction> => ({
  action,
  keys,
  shown,
  label: word,
  help: `The cursor goes to the next ROI ${word}.`,
  places: ['chip'],
});

const hasRois: NonNullable<KeyBinding['when']> = ({ rois }) => (rois?.rois.length ?? 0) > 0;

/** Keys of the chip page. */
export const chipKeys: readonly KeyBinding<ChipAction>[] = [
  {
    action: 'openGrating',
    keys: ['enter'],
    shown: 'Enter',
    label: 'open',
    help: 'Opens the ROI under the cursor, as on the ROIs page.',
    places: ['chip'],
    footer: 0.1,
    when: hasRois,
  },
  {
    action: 'chipColour',
    keys: ['c'],
    shown: 'c',
    label: 'colour by',
    help: 'Colours the chip by shift, its standard error, χ² or flags.',
    places: ['chip'],
    footer: 0.2,
    when: hasRois,
  },
  move('chipUp', ['up', 'k'], 'Up', 'above'),
  move('chipDown', ['down', 'j'], 'Down', 'below'),
  move('chipLeft', ['left', 'h'], 'Left', 'to the left'),
  move('chipRight', ['right', 'l'], 'Right', 'to the right'),
];
