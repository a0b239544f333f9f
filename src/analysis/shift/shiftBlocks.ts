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
const maxGroups = 10;
/** So many tell how a line runs over the rows. */
const fewestGroups = 4;

/** Of a ROI that was filled with bins of `binWidth`: many groups, an even number where there are several. */
export function blockLayout(bins: RoiBins): BlockLayout {
  const groups = Math.min(maxGroups, Math.floor(bins.rows / minRows));
  return layOut(bins.rows, bins, groups > 1 ? groups - (groups % 2) : 1);
}

/** With half as many groups; the same where that can't be. */
export function coarser(layout: BlockLayout): BlockLayout {
  const { rows, groups, pixels } = layout;
  if (groups % 2 !== 0 || groups < 2 * fewestGroups) return layout;
  const sizes = pixels.subarray(0, layout.count).map(size => size / firstRow(1, rows, groups));
  return layOut(rows, { ...layout, sizes }, groups / 2);
}

/** Means of the blocks of a layout as means of those of the coarser one; NaN where one of the two is. */
export function coarserMeans<T extends Float64Array | Float32Array>({ rows, groups, count }: BlockLayout, fine: T): T {
  const means = fine.slice(0, fine.length / 2) as T;
  for (let group = 0; group < groups / 2; group++) {
    const [from, middle, to] = [0, 1, 2].map(k => firstRow(2 * group + k, rows, groups));
    const share = (middle - from) / (to - from);
    for (let bin = 0; bin < count; bin++) {
      const at = 2 * group * count + bin;
      means[group * count + bin] = share * fine[at] + (1 - share) * fine[at + count];
    }
  }
  return means;
}

function layOut(
  rows: number,
  { count, width, centres, sizes }: Pick<RoiBins, 'count' | 'width' | 'centres' | 'sizes'>,
  groups: number,
): BlockLayout {
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

/** Of each block the share of its pixels that are saturated. */
export function hiddenShares(
  { rows, count, hidden, saturated }: RoiBins,
  { groups, pixels }: BlockLayout,
): Float64Array {
  const shares = new Float64Array(groups * count);
  if (saturated === 0) return shares;
  for (let group = 0; group < groups; group++) {
    for (let row = firstRow(group, rows, groups); row < firstRow(group + 1, rows, groups); row++) {
      for (let bin = 0; bin < count; bin++) shares[group * count + bin] += hidden[row * count + bin];
    }
  }
  return shares.map((sum, at) => sum / pixels[at]);
}
