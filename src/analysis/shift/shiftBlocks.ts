import type { BinAxis } from '../joint/lineKernel.ts';
import type { RoiBins } from '../joint/roiBins.ts';

/** How a ROI is divided into blocks: bins of a row, rows in groups. The same for every frame, so that blocks can be compared. */
export interface BlockLayout extends BinAxis {
  readonly groups: number;
  /** Cosines over the rows, of one and two half waves, at each group: their means over the ROI's rows are about zero. */
  readonly waves: readonly [Float64Array, Float64Array];
  /** Pixels of a block, by group and bin. */
  readonly pixels: Float64Array;
  /** Rows of the ROI. */
  readonly rows: number;
}

/** Rows of a group where there are few, and groups at most. */
const minRows = 3;
const maxGroups = 9;

/** Of a ROI that was filled with bins of `binWidth`. */
export function blockLayout({ rows, count, width, centres, sizes }: RoiBins): BlockLayout {
  const groups = Math.max(1, Math.min(maxGroups, Math.floor(rows / minRows)));
  const waves: [Float64Array, Float64Array] = [new Float64Array(groups), new Float64Array(groups)];
  const pixels = new Float64Array(groups * count);
  for (let group = 0; group < groups; group++) {
    const from = firstRow(group, rows, groups);
    const to = firstRow(group + 1, rows, groups);
    const place = (Math.PI * (from + to)) / (2 * rows);
    waves[0][group] = Math.cos(place);
    waves[1][group] = Math.cos(2 * place);
    for (let bin = 0; bin < count; bin++) pixels[group * count + bin] = (to - from) * sizes[bin];
  }
  return { count, width, centres: centres.slice(0, count), groups, waves, pixels, rows };
}

const firstRow = (group: number, rows: number, groups: number): number => Math.floor((group * rows) / groups);

/**
 * Means of a ROI's blocks, counts; NaN where a pixel of the block is saturated.
 *
 * @param out as long as the layout has blocks
 */
export function blockMeans({ rows, count, means }: RoiBins, { groups }: BlockLayout, out: Float64Array): void {
  for (let group = 0; group < groups; group++) {
    const from = firstRow(group, rows, groups);
    const to = firstRow(group + 1, rows, groups);
    const first = group * count;
    out.fill(0, first, first + count);
    for (let row = from; row < to; row++) {
      for (let at = first, i = row * count; at < first + count; at++, i++) out[at] += means[i];
    }
    const share = 1 / (to - from);
    for (let at = first; at < first + count; at++) out[at] *= share;
  }
}
