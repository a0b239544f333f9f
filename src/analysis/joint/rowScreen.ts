import { medianInPlace } from '../nthSmallest.ts';
import type { RowRejection } from '../rowMethod.ts';
import { sortAscending } from '../sortAscending.ts';
import type { RoiBins } from './roiBins.ts';

/** Rows at the most that one group averages while the typical profile is made. */
const profileGroups = 15;
/**
 * A row differs when its light does by so many standard deviations of the rows' own differences; at least by the first
 * share of the profile's range, which gratings' rows do among themselves, and certainly by the second.
 */
const differingDeviations = 5;
const alikeShare = 0.15;
const differingShare = 0.3;

/** Looks for rows that can't be used; owns its buffers. */
export interface RowScreen {
  /** The typical row: the median over groups of rows, bin by bin. */
  readonly profile: Float64Array;
  /** Null for a row that is used, else why not; one for each row of the ROI last screened, overwritten by the next. */
  readonly rejections: (RowRejection | null)[];
  /** @returns rows that are used */
  screen(bins: RoiBins): number;
}

/**
 * Dead rows, and rows far too bright or too dark, are known by their light: the sum of their differences from the typical
 * row, each cut off at the profile's range, so that a few hot pixels don't count. Rows of which more than half is saturated
 * have too little left.
 */
export function createRowScreen(): RowScreen {
  let profile = new Float64Array(0);
  let light = new Float64Array(0);
  let sorted = new Float64Array(0);
  /** Mean rows of the groups. */
  let groupMeans = new Float64Array(0);
  const rejections: (RowRejection | null)[] = [];
  const column = new Float64Array(profileGroups);

  function makeProfile({ rows, count, means }: RoiBins): void {
    const groups = Math.min(rows, profileGroups);
    const averages = groupMeans;
    for (let group = 0; group < groups; group++) {
      const from = Math.floor((group * rows) / groups);
      const to = Math.floor(((group + 1) * rows) / groups);
      const first = group * count;
      averages.fill(0, first, first + count);
      let used = 0;
      for (let row = from; row < to; row++) {
        if (rejections[row] !== null) continue;
        used++;
        for (let at = first, i = row * count; at < first + count; at++, i++) averages[at] += means[i];
      }
      for (let at = first; at < first + count; at++) {
        averages[at] /= used;
        if (Number.isNaN(averages[at])) averages[at] = meanOfPresent(means, count, at - first, from, to);
      }
    }
    for (let bin = 0; bin < count; bin++) {
      let found = 0;
      for (let at = bin; at < groups * count; at += count) {
        column[found] = averages[at];
        if (!Number.isNaN(averages[at])) found++;
      }
      sortAscending(column, found);
      profile[bin] = found === 0 ? Number.NaN : 0.5 * (column[(found - 1) >> 1] + column[found >> 1]);
    }
  }

  /** Mean of a bin over the rows `from … to − 1` that are used and in which it is not saturated; NaN of none. */
  function meanOfPresent(means: Float64Array, count: number, bin: number, from: number, to: number): number {
    let sum = 0;
    let used = 0;
    for (let row = from; row < to; row++) {
      const mean = means[row * count + bin];
      if (rejections[row] !== null || Number.isNaN(mean)) continue;
      sum += mean;
      used++;
    }
    return sum / used;
  }

  function rejectSaturated({ rows, count, means }: RoiBins): void {
    for (let row = 0; row < rows; row++) {
      let lost = 0;
      for (let i = row * count; i < (row + 1) * count; i++) if (Number.isNaN(means[i])) lost++;
      if (lost > count / 2) rejections[row] = 'saturated';
    }
  }

  function rejectDiffering({ rows, count, means }: RoiBins): void {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let bin = 0; bin < count; bin++) {
      if (profile[bin] < low) low = profile[bin];
      if (profile[bin] > high) high = profile[bin];
    }
    const range = high - low;
    const typical = profile;
    let used = 0;
    for (let row = 0; row < rows; row++) {
      if (rejections[row] !== null) continue;
      let sum = 0;
      let compared = 0;
      for (let bin = 0, at = row * count; bin < count; bin++, at++) {
        const expected = typical[bin];
        if (Number.isNaN(expected)) continue;
        const difference = means[at] - expected;
        // Not a number where it is saturated and the typical row is not: cut off above as well.
        sum += difference < -range ? -range : difference < range ? difference : range;
        compared++;
      }
      light[row] = compared > 0 ? sum / compared : 0;
      sorted[used++] = light[row];
    }
    if (used === 0) return;
    const middle = medianInPlace(sorted, 0, used);
    for (let i = 0; i < used; i++) sorted[i] = Math.abs(sorted[i] - middle);
    const deviation = 1.4826 * medianInPlace(sorted, 0, used);
    const allowed = Math.min(differingShare * range, Math.max(alikeShare * range, differingDeviations * deviation));
    for (let row = 0; row < rows; row++) {
      if (rejections[row] === null && Math.abs(light[row] - middle) > allowed) rejections[row] = 'differing';
    }
  }

  /** Bins that no row could fill continue their neighbour. */
  function closeGaps(count: number): void {
    let known = Number.NaN;
    const close = (bin: number): void => {
      if (Number.isNaN(profile[bin])) profile[bin] = known;
      else known = profile[bin];
    };
    for (let bin = 0; bin < count; bin++) close(bin);
    for (let bin = count - 1; bin >= 0; bin--) close(bin);
  }

  return {
    get profile() {
      return profile;
    },
    get rejections() {
      return rejections;
    },
    screen(bins) {
      const { rows, count } = bins;
      if (profile.length < count) profile = new Float64Array(count);
      if (groupMeans.length < profileGroups * count) groupMeans = new Float64Array(profileGroups * count);
      if (light.length < rows) {
        light = new Float64Array(rows);
        sorted = new Float64Array(rows);
      }
      rejections.length = rows;
      rejections.fill(null);
      if (bins.saturated > 0) rejectSaturated(bins);
      makeProfile(bins);
      rejectDiffering(bins);
      let used = 0;
      for (let row = 0; row < rows; row++) if (rejections[row] === null) used++;
      if (used < rows) makeProfile(bins);
      closeGaps(count);
      return used;
    },
  };
}
