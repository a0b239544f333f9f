import type { Roi } from '../../model/roi.ts';
import { type ConsoleState, type Step, step } from '../consoleState.ts';
import type { KeyHandlers } from '../keyBinding.ts';
import { openRoi, turn } from '../rois/roiHandlers.ts';
import { type ChipQuantity, chipQuantities } from '../rois/roisPage.ts';
import type { ChipAction } from './chipKeys.ts';

/** What the keys of the chip page do. */
export const chipHandlers: KeyHandlers<ChipAction> = {
  openGrating: state => step(openRoi(state)),
  chipColour: state => {
    const at = chipQuantities.indexOf(state.roisPage.colouredBy);
    return step(turn(state, { colouredBy: chipQuantities[(at + 1) % chipQuantities.length] as ChipQuantity }));
  },
  chipUp: state => go(state, 0, -1),
  chipDown: state => go(state, 0, 1),
  chipLeft: state => go(state, -1, 0),
  chipRight: state => go(state, 1, 0),
};

/** To the nearest ROI in a direction: what lies off to a side counts for more than what lies ahead. */
function go(state: ConsoleState, right: number, down: number): Step {
  const rois = state.rois?.rois ?? [];
  const from = rois.find(({ label }) => label === state.roisPage.selected) ?? rois[0];
  if (!from) return step(state);
  const [x, y] = middleOf(from);
  let nearest: { label: string; distance: number } | null = null;
  for (const roi of rois) {
    const [toX, toY] = middleOf(roi);
    const ahead = (toX - x) * right + (toY - y) * down;
    const aside = Math.abs((toX - x) * down) + Math.abs((toY - y) * right);
    if (ahead <= 0 || aside > sideReach * ahead) continue;
    const distance = ahead + sideCost * aside;
    if (!nearest || distance < nearest.distance) nearest = { label: roi.label, distance };
  }
  return step(turn(state, { selected: nearest?.label ?? from.label }));
}

const sideCost = 3;
/** Further off than so many times what lies ahead is another direction. */
const sideReach = 2;

const middleOf = ({ coords: [row, column], size: [rows, columns] }: Roi): [x: number, y: number] => [
  column + columns / 2,
  row + rows / 2,
];
