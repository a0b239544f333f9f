import type { RowRejection } from '../rowMethod.ts';
import type { RoiBins } from './roiBins.ts';

/** The bins of a ROI averaged over groups of neighbouring rows. The buffers are overwritten by the next `fill`. */
export interface RowBlocks {
  readonly groups: number;
  /** Blocks of a group: bins of a row. */
  readonly bins: number;
  /** groups × bins means, counts; 0 where there is none. */
  readonly means: Float64Array;
  /** Pixels that each block averages; 0 where none can be used. */
  readonly pixels: Float64Array;
  /** Mean row of each group, over the rows that are used, as a share of the ROI's rows (0 to 1). */
  readonly places: Float64Array;
  fill(bins: RoiBins, rejections: readonly (RowRejection | null)[]): void;
  groupOf(row: number): number;
}

/** Rows of a group where there are few, and groups at most: enough to see how the line runs, few enough to be quick. */
const minRows = 4;
const maxGroups = 12;

export function createRowBlocks(): RowBlocks {
  let rows = 0;
  let groups = 0;
  let count = 0;
  let means = new Float64Array(0);
  let pixels = new Float64Array(0);
  const places = new Float64Array(maxGroups);

  /** The block of a bin that is saturated in some of the rows. */
  function averagePresent(
    { means: source, sizes }: RoiBins,
    rejections: readonly (RowRejection | null)[],
    from: number,
    to: number,
    bin: number,
    at: number,
  ): void {
    let sum = 0;
    let used = 0;
    for (let row = from; row < to; row++) {
      const mean = source[row * count + bin];
      if (rejections[row] !== null || Number.isNaN(mean)) continue;
      sum += mean;
      used++;
    }
    means[at] = used > 0 ? sum / used : 0;
    pixels[at] = used * sizes[bin];
  }

  return {
    get groups() {
      return groups;
    },
    get bins() {
      return count;
    },
    get means() {
      return means;
    },
    get pixels() {
      return pixels;
    },
    places,

    groupOf: row => Math.floor(((row + 1) * groups - 1) / rows),

    fill(bins, rejections) {
      ({ rows, count } = bins);
      groups = Math.max(1, Math.min(maxGroups, Math.floor(rows / minRows)));
      if (means.length < groups * count) {
        means = new Float64Array(groups * count);
        pixels = new Float64Array(groups * count);
      }
      const { means: source, sizes } = bins;
      const averages = means;
      const weights = pixels;
      for (let group = 0; group < groups; group++) {
        const from = Math.floor((group * rows) / groups);
        const to = Math.floor(((group + 1) * rows) / groups);
        const first = group * count;
        averages.fill(0, first, first + count);
        let place = 0;
        let used = 0;
        for (let row = from; row < to; row++) {
          if (rejections[row] !== null) continue;
          place += row + 0.5;
          used++;
          for (let at = first, i = row * count; at < first + count; at++, i++) averages[at] += source[i];
        }
        places[group] = (used > 0 ? place / used : (from + to) / 2) / rows;
        const share = used > 0 ? 1 / used : 0;
        for (let bin = 0, at = first; bin < count; bin++, at++) {
          averages[at] *= share;
          weights[at] = used * sizes[bin];
          if (Number.isNaN(averages[at])) averagePresent(bins, rejections, from, to, bin, at);
        }
      }
    },
  };
}
