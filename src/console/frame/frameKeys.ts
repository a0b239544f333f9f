import type { ConsoleState } from '../consoleState.ts';
import type { KeyBinding } from '../keyBinding.ts';
import { layoutOf } from '../layout.ts';

/** What the keys of the frame page do. */
export type FrameAction =
  | 'nearer'
  | 'farther'
  | 'wholeFrame'
  | 'frameLeft'
  | 'frameRight'
  | 'frameUp'
  | 'frameDown'
  | 'frameBefore'
  | 'frameAfter'
  | 'tenFramesBefore'
  | 'tenFramesAfter'
  | 'oldestFrame'
  | 'newestFrame'
  | 'freeze'
  | 'outlines'
  | 'roiNames'
  | 'fittedLines'
  | 'histogram';

const here = ['frame'] as const;
const hasFrame = ({ frame }: ConsoleState): boolean => frame !== null;

export const frameKeys: readonly KeyBinding<FrameAction>[] = [
  {
    action: 'nearer',
    keys: ['+', '='],
    shown: '+',
    label: 'zoom',
    help: 'Shows a part of the frame larger. The wheel does so where the pointer is; dragging moves the picture.',
    places: here,
    footer: 4,
    when: hasFrame,
  },
  { action: 'farther', keys: ['-', '_'], shown: '-', label: 'out', help: 'Shows more of the frame.', places: here },
  {
    action: 'wholeFrame',
    keys: ['0'],
    shown: '0',
    label: 'whole',
    help: 'Shows the whole frame.',
    places: here,
    footer: 5,
    when: state => state.frameView.zoom > 1,
  },
  {
    action: 'frameLeft',
    keys: ['left', 'h'],
    shown: 'Left, h',
    label: 'left',
    help: 'Moves to the left in a frame that is zoomed; else the frame before.',
    places: here,
  },
  {
    action: 'frameRight',
    keys: ['right', 'l'],
    shown: 'Right, l',
    label: 'right',
    help: 'Moves to the right in a frame that is zoomed; else the frame after.',
    places: here,
  },
  { action: 'frameUp', keys: ['up', 'k'], shown: 'Up, k', label: 'up', help: 'Moves up in the frame.', places: here },
  {
    action: 'frameDown',
    keys: ['down', 'j'],
    shown: 'Down, j',
    label: 'down',
    help: 'Moves down in the frame.',
    places: here,
  },
  {
    action: 'frameBefore',
    keys: ['[', ','],
    shown: '[',
    label: 'before',
    help: 'Holds the frame before.',
    places: here,
    footer: 6,
    when: hasFrame,
  },
  {
    action: 'frameAfter',
    keys: [']'],
    shown: ']',
    label: 'after',
    help: 'Holds the frame after; after the newest, frames are followed again.',
    places: here,
    footer: 7,
    when: state => state.frameView.held !== null,
  },
  {
    action: 'tenFramesBefore',
    keys: ['pageup'],
    shown: 'PgUp',
    label: '10 before',
    help: 'Ten frames back.',
    places: here,
    when: hasFrame,
  },
  {
    action: 'tenFramesAfter',
    keys: ['pagedown'],
    shown: 'PgDn',
    label: '10 after',
    help: 'Ten frames on.',
    places: here,
  },
  {
    action: 'oldestFrame',
    keys: ['home'],
    shown: 'Home',
    label: 'oldest',
    help: 'Holds the oldest of the recent frames: those of this day and the day before, 500 at most.',
    places: here,
    when: hasFrame,
  },
  {
    action: 'newestFrame',
    keys: ['end'],
    shown: 'End',
    label: 'newest',
    help: 'Follows the newest frame.',
    places: here,
  },
  {
    action: 'freeze',
    keys: ['space', 'f'],
    shown: 'Space',
    label: 'freeze',
    help: 'Freezes the frame that is shown, or follows the newest again.',
    places: here,
    footer: 5,
    when: hasFrame,
  },
  {
    action: 'outlines',
    keys: ['o'],
    shown: 'o',
    label: 'outlines',
    help: 'Shows or hides the ROIs on the frame.',
    places: ['overview', 'frame'],
    when: state => layoutOf(state)?.frame !== undefined,
  },
  {
    action: 'roiNames',
    keys: ['n'],
    shown: 'n',
    label: 'names',
    help: 'Shows or hides the names of the ROIs on the frame.',
    places: here,
  },
  {
    action: 'fittedLines',
    keys: ['i'],
    shown: 'i',
    label: 'lines',
    help: 'Shows or hides the fitted position of the resonance in each ROI.',
    places: here,
  },
  {
    action: 'histogram',
    keys: ['v'],
    shown: 'v',
    label: 'histogram',
    help: 'Shows or hides how often each brightness occurs.',
    places: here,
  },
];
