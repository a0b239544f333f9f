import { smoothProfile } from './smoothProfile.ts';

/** Where to begin looking for a line. */
export interface LineStart {
  /** Index of the profile's extreme. */
  position: number;
  /** Half width at half height, pixels, at least 0.5. */
  halfWidth: number;
}

/** Finds starts in rows; owns its buffers. */
export interface LineStartFinder {
  /**
   * The start for a peak (`sign` 1) or a dip (−1) in the row smoothed with `reach` (see `smoothProfile`). The result is
   * overwritten by the next call.
   */
  find(values: Float64Array, offset: number, length: number, reach: number, sign: 1 | -1): LineStart;
}

export function createLineStartFinder(): LineStartFinder {
  let profile = new Float64Array(512);
  let scratch = new Float64Array(512);
  const start: LineStart = { position: 0, halfWidth: 0 };

  return {
    find(values, offset, length, reach, sign) {
      if (length > profile.length) {
        profile = new Float64Array(2 * length);
        scratch = new Float64Array(2 * length);
      }
      smoothProfile(values, offset, length, reach, profile, scratch);
      let top = 0;
      let bottom = 0;
      for (let i = 1; i < length; i++) {
        if (sign * profile[i] > sign * profile[top]) top = i;
        if (sign * profile[i] < sign * profile[bottom]) bottom = i;
      }
      const half = (profile[top] + profile[bottom]) / 2;
      let left = top;
      while (left > 0 && sign * profile[left] > sign * half) left--;
      let right = top;
      while (right < length - 1 && sign * profile[right] > sign * half) right++;
      // A flank that the row's end cuts off says nothing of the width: the other one does.
      const leftWidth = left > 0 ? top - left : 0;
      const rightWidth = right < length - 1 ? right - top : 0;
      const both = leftWidth > 0 && rightWidth > 0;
      start.position = top;
      const smoothed = both ? (leftWidth + rightWidth) / 2 : Math.max(leftWidth, rightWidth, 0.5);
      // Variances add up: that of a box is (n² − 1)/12, and the square of a Gaussian's half width 2·ln 2 times its variance.
      const box = 2 * reach + 1;
      const added = (2 * Math.LN2 * (box * box - 1)) / 6;
      start.halfWidth = Math.max(0.5, 0.5 * smoothed, Math.sqrt(Math.max(0, smoothed * smoothed - added)));
      return start;
    },
  };
}
