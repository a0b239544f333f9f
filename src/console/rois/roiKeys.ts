import type { KeyBinding } from '../keyBinding.ts';
import { allRoiRows } from './roiRows.ts';

export type RoiAction =
  | 'filterRois'
  | 'unfilterRois'
  | 'sortRois'
  | 'reverseRois'
  | 'openRoi'
  | 'closeRoi'
  | 'nextRoi'
  | 'previousRoi'
  | 'moreOfRoi'
  | 'lessOfRoi';

const hasRois: NonNullable<KeyBinding['when']> = state => allRoiRows(state).length > 0;

/** Keys of the ROIs page, and of one ROI. */
export const roiKeys: readonly KeyBinding<RoiAction>[] = [
  {
    action: 'openRoi',
    keys: ['enter'],
    shown: 'Enter',
    label: 'open',
    help: 'Opens the ROI under the cursor: its pixels, rows, fit and reference in the last frame, its history, its place.',
    places: ['ROIs'],
    footer: 0.1,
    when: hasRois,
  },
  {
    action: 'filterRois',
    keys: ['/'],
    shown: '/',
    label: 'filter',
    help: 'Filters the table while it is typed: part of a label or a pattern (`A*_N`), a flag (`lost`), `flagged`, a comparison (`shift>0.01`, `sigma<0.002`, `chi>2`, `drift<-0.1`, `noise>0.01`), a quality (`noisy`), `!` turns a word round.',
    places: ['ROIs'],
    footer: 0.2,
    when: hasRois,
  },
  {
    action: 'unfilterRois',
    keys: ['escape'],
    shown: 'Esc',
    label: 'all ROIs',
    help: 'Empties the filter, after an error message is acknowledged.',
    places: ['ROIs'],
    footer: 0.25,
    when: ({ roisPage, messages }) => roisPage.filter !== '' || messages.length > 0,
  },
  {
    action: 'sortRois',
    keys: ['o'],
    shown: 'o',
    label: 'order',
    help: 'Sorts the table by the next column.',
    places: ['ROIs'],
    footer: 0.3,
    when: hasRois,
  },
  {
    action: 'reverseRois',
    keys: ['S-o'],
    shown: 'O',
    label: 'reverse',
    help: 'Turns the order of the table round.',
    places: ['ROIs'],
    footer: 0.4,
    when: hasRois,
  },
  {
    action: 'closeRoi',
    keys: ['escape', 'backspace'],
    shown: 'Esc',
    label: 'back',
    help: 'Back to the table, or to the chip where the ROI was opened there.',
    places: ['ROI'],
    footer: 0.1,
  },
  {
    action: 'nextRoi',
    keys: ['right', 'l', 'n'],
    shown: 'Right',
    label: 'next ROI',
    help: 'The next ROI of the table.',
    places: ['ROI'],
    footer: 0.2,
  },
  {
    action: 'previousRoi',
    keys: ['left', 'h', 'S-n'],
    shown: 'Left',
    label: 'ROI before',
    help: 'The ROI before.',
    places: ['ROI'],
    footer: 0.3,
  },
  {
    action: 'moreOfRoi',
    keys: ['v', 'down', 'j', 'pagedown'],
    shown: 'v',
    label: 'more',
    help: 'Other parts of the ROI, where the window has no room for all: pixels, fit, reference, rows, history, place.',
    places: ['ROI'],
    footer: 0.4,
  },
  {
    action: 'lessOfRoi',
    keys: ['S-v', 'up', 'k', 'pageup'],
    shown: 'V',
    label: 'back',
    help: 'The parts before.',
    places: ['ROI'],
  },
];
