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
/** The same of a ROI in which something is saturated. */
const minFineRows = 2;
const maxFineGroups = 20;
/** So many tell how a line runs over the rows. */
const fewestGroups = 4;

/** Of a ROI that was filled with bins of `binWidth`: as many groups as are worth it where a part of the ROI is saturated. */
export function blockLayout(bins: RoiBins): BlockLayout {
  const most = Math.min(maxGroups, Math.floor(bins.rows / minRows));
  let groups = most > 1 ? most - (most % 2) : 1;
  while (groups > 1 && 2 * groups <= maxFineGroups && 2 * groups * minFineRows <= bins.rows) groups *= 2;
  return layOut(bins.rows, bins, groups);
}

/** With fewer groups: they tell as much where nothing is saturated, and cost less. */
export function coarsest(layout: BlockLayout): BlockLayout {
  return canHalve(layout) ? coarsest(halved(layout)) : layout;
}

/** Means of the blocks of a layout as means of those of the coarsest one; NaN where one of them is. */
export function coarsestMeans<T extends Float64Array | Float32Array>(layout: BlockLayout, fine: T): T {
  return canHalve(layout) ? coarsestMeans(halved(layout), halvedMeans(layout, fine)) : fine;
}

const canHalve = ({ groups }: BlockLayout): boolean => groups % 2 === 0 && groups >= 2 * fewestGroups;

function halved(layout: BlockLayout): BlockLayout {
  const { rows, groups, pixels } = layout;
  const sizes = pixels.subarray(0, layout.count).map(size => size / firstRow(1, rows, groups));
  return layOut(rows, { ...layout, sizes }, groups / 2);
}

function halvedMeans<T extends Float64Array | Float32Array>({ rows, groups, count }: BlockLayout, fine: T): T {
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
