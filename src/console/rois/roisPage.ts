import type { RoiFlag } from '../../model/result.ts';

/** Columns of the table, in their order. */
export const roiColumns = ['label', 'shift', 'sigma', 'chi', 'drift', 'noise', 'quality', 'flags'] as const;
export type RoiColumn = (typeof roiColumns)[number];

/** One ROI of the table; numbers in pixels, NaN where they are not known. */
export interface RoiRow {
  label: string;
  shift: number;
  sigma: number;
  /** Reduced χ². */
  chi: number;
  /** Pixels an hour, and its standard error. */
  drift: number;
  driftSigma: number;
  /** Standard deviation of one value, without what changes slowly. */
  noise: number;
  /** A word; empty while it is not known. */
  quality: string;
  flags: readonly RoiFlag[];
}

/** What the ROIs page and the chip page remember. */
export interface RoisPage {
  sort: RoiColumn;
  isDescending: boolean;
  /** As it was typed. */
  filter: string;
  /** ROI under the cursor, of both pages; null, or one that is not shown: the first. */
  selected: string | null;
  /** One ROI fills the page, which was opened from here; null: the table. */
  openedFrom: 'ROIs' | 'chip' | null;
  /** Which part of one ROI comes first where not all have room. */
  part: number;
  /** What the colours of the chip say. */
  colouredBy: ChipQuantity;
}

/** What the chip can be coloured by. */
export const chipQuantities = ['shift', 'sigma', 'chi', 'flags'] as const;
export type ChipQuantity = (typeof chipQuantities)[number];

export const initialRoisPage: RoisPage = {
  sort: 'label',
  isDescending: false,
  filter: '',
  selected: null,
  openedFrom: null,
  part: 0,
  colouredBy: 'shift',
};
