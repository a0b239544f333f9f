import type { KeyBinding } from '../keyBinding.ts';

/** What the keys of the chart do. */
export type ChartAction = 'rois' | 'zoomIn' | 'zoomOut';

export const chartKeys: readonly KeyBinding<ChartAction>[] = [
  {
    action: 'rois',
    keys: ['r'],
    shown: 'r',
    label: 'ROIs',
    help: 'Chooses the ROIs of the chart.',
    places: ['overview', 'chart'],
    footer: 5,
    when: state => (state.history?.labels.length ?? 0) > 0,
  },
  {
    action: 'zoomIn',
    keys: ['+', '='],
    shown: '+',
    label: 'zoom',
    help: 'Shows less time in the chart: all, 24 h, 6 h, 1 h, 10 min.',
    places: ['overview', 'chart'],
    footer: 6,
  },
  {
    action: 'zoomOut',
    keys: ['-'],
    shown: '-',
    label: 'more time',
    help: 'Shows more time in the chart.',
    places: ['overview', 'chart'],
  },
];
