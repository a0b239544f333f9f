import type { KeyBinding } from '../keyBinding.ts';
import { isChartShown } from './closeRequest.ts';

/** What the keys of the chart do. */
export type ChartAction =
  | 'chartRois'
  | 'chartZoomIn'
  | 'chartZoomOut'
  | 'chartEarlier'
  | 'chartLater'
  | 'chartCursorBack'
  | 'chartCursorOn'
  | 'chartCursorOff'
  | 'chartBeginning'
  | 'chartNow'
  | 'chartCurveAbove'
  | 'chartCurveBelow'
  | 'chartTaller'
  | 'chartFlatter'
  | 'chartHigher'
  | 'chartLower'
  | 'chartScale'
  | 'chartZero';

const hasSamples: NonNullable<KeyBinding['when']> = ({ history }) => (history?.samples.length ?? 0) > 0;

const isDrawn: typeof hasSamples = state => hasSamples(state) && isChartShown(state);

export const chartKeys: readonly KeyBinding<ChartAction>[] = [
  {
    action: 'chartRois',
    keys: ['r'],
    shown: 'r',
    label: 'ROIs',
    help: 'Chooses the ROIs of the chart.',
    places: ['overview', 'chart'],
    footer: 5,
    when: state => (state.history?.labels.length ?? 0) > 0 && isChartShown(state),
  },
  {
    action: 'chartZoomIn',
    keys: ['+', '='],
    shown: '+',
    label: 'zoom',
    help: 'Shows less time in the chart, down to 10 s; around the cursor, where there is one. The wheel does it around the pointer.',
    places: ['overview', 'chart'],
    footer: 6,
    when: isDrawn,
  },
  {
    action: 'chartZoomOut',
    keys: ['-'],
    shown: '-',
    label: 'more time',
    help: 'Shows more time in the chart, up to all.',
    places: ['overview', 'chart'],
    when: isDrawn,
  },
  {
    action: 'chartCursorBack',
    keys: ['left', 'h'],
    shown: 'Left',
    label: 'cursor',
    help: 'The cursor of the chart a column back: it reads time, shift and its standard error, range, frames and flags. A click puts it there.',
    places: ['chart'],
    footer: 5.5,
    when: hasSamples,
  },
  {
    action: 'chartCursorOn',
    keys: ['right', 'l'],
    shown: 'Right',
    label: 'cursor on',
    help: 'The cursor a column on.',
    places: ['chart'],
    when: hasSamples,
  },
  {
    action: 'chartCursorOff',
    keys: ['c'],
    shown: 'c',
    label: 'no cursor',
    help: 'Takes the cursor away: what came last is read.',
    places: ['chart'],
  },
  {
    action: 'chartEarlier',
    keys: ['[', 'S-left', 'S-h'],
    shown: '[',
    label: 'earlier',
    help: 'Half a chart back in time. So does a drag of the mouse.',
    places: ['chart'],
    footer: 6.5,
    when: hasSamples,
  },
  {
    action: 'chartLater',
    keys: [']', 'S-right', 'S-l'],
    shown: ']',
    label: 'later',
    help: 'Half a chart on in time.',
    places: ['chart'],
    when: hasSamples,
  },
  {
    action: 'chartBeginning',
    keys: ['home'],
    shown: 'Home',
    label: 'beginning',
    help: 'The chart goes to the first frame.',
    places: ['chart'],
    when: hasSamples,
  },
  {
    action: 'chartNow',
    keys: ['end'],
    shown: 'End',
    label: 'now',
    help: 'The chart goes to now, and on with it.',
    places: ['chart'],
    when: hasSamples,
  },
  {
    action: 'chartCurveAbove',
    keys: ['up', 'k'],
    shown: 'Up',
    label: 'curve',
    help: 'Reads the curve before in the legend, and draws its range.',
    places: ['chart'],
  },
  {
    action: 'chartCurveBelow',
    keys: ['down', 'j'],
    shown: 'Down',
    label: 'next curve',
    help: 'Reads the next curve in the legend, and draws its range.',
    places: ['chart'],
  },
  {
    action: 'chartTaller',
    keys: ['}'],
    shown: '}',
    label: 'taller',
    help: 'Shows less of the values: what there is becomes taller. So does the wheel over the numbers.',
    places: ['chart'],
    when: hasSamples,
  },
  {
    action: 'chartFlatter',
    keys: ['{'],
    shown: '{',
    label: 'flatter',
    help: 'Shows more of the values.',
    places: ['chart'],
    when: hasSamples,
  },
  {
    action: 'chartHigher',
    keys: ['pageup'],
    shown: 'PgUp',
    label: 'higher values',
    help: 'Shows higher values.',
    places: ['chart'],
    when: hasSamples,
  },
  {
    action: 'chartLower',
    keys: ['pagedown'],
    shown: 'PgDn',
    label: 'lower values',
    help: 'Shows lower values.',
    places: ['chart'],
    when: hasSamples,
  },
  {
    action: 'chartScale',
    keys: ['f'],
    shown: 'f',
    label: 'fit',
    help: 'Fits the scale to the values without outliers, which are counted; a second time, to all.',
    places: ['chart'],
    footer: 7,
    when: hasSamples,
  },
  {
    action: 'chartZero',
    keys: ['0'],
    shown: '0',
    label: 're-zero',
    help: 'Counts all shifts from now on, on the chart from its cursor where it has one; a second time, from the reference again.',
    places: ['chart', 'chip', 'ROIs', 'ROI'],
    footer: 6.2,
    when: hasSamples,
  },
];
