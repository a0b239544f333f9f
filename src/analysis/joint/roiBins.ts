import type { Pixels } from '../../model/frame.ts';
import type { Roi } from '../../model/roi.ts';
import { isInside, type RoiWalk, roiWalk, sampleAtBorder } from '../roiWalk.ts';
import { sampleRow } from '../sampleRoi.ts';

/**
 * The pixels of one ROI, each row as means over bins of neighbouring pixels. What a line a few bins wide can tell is in
 * the bins, and everything after the sampling costs so much less. The buffers are overwritten by the next `fill`.
 */
export interface RoiBins {
  readonly rows: number;
  readonly cols: number;
  /** Bins of a row. */
  readonly count: number;
  /** Pixels of a bin; the last one of a row may have up to half more or less. */
  readonly width: number;
  /** Pixels of each bin, and the column of its middle. */
  readonly sizes: Float64Array;
  readonly centres: Float64Array;
  /** rows × count means, counts of the frame; NaN where a pixel of the bin is saturated. */
  readonly means: Float64Array;
  /** Squared deviations of each row's pixels from the means of their bins, summed. */
  readonly scatter: Float64Array;
  /** Saturated pixels of the ROI. */
  readonly saturated: number;
  /** Those of each bin, where the ROI has any. */
  readonly hidden: Uint16Array;
  /**
   * Samples a ROI by the rule of `sampleRoi`, in turned frames approximately (see `average`).
   *
   * @param saturation count from which a pixel is saturated
   * @throws RoiOutsideFrameError when a part of the ROI lies outside the frame
   */
  fill(pixels: Pixels, roi: Roi, angle: number, width: number, saturation: number): void;
}

/** Bins that the width of a ROI is divided into, about. */
const binsAcross = 44;

/** Pixels of a bin in a ROI of so many columns: enough of them to see a line by. */
export const binWidth = (cols: number): number => Math.max(1, Math.floor(cols / binsAcross));

/** Pixels that the way through a turned frame may climb within a bin to be taken for level. */
const maxRise = 0.25;

export function createRoiBins(): RoiBins {
  let rows = 0;
  let cols = 0;
  let count = 0;
  let binWidth = 1;
  let lastSize = 1;
  let sizes = new Float64Array(0);
  let centres = new Float64Array(0);
  let means = new Float64Array(0);
  let scatter = new Float64Array(0);
  let hidden = new Uint16Array(0);
  let row = new Float64Array(0);
  let saturated = 0;

  function layOut(roi: Roi, width: number): void {
    [rows, cols] = roi.size;
    binWidth = width;
    count = Math.max(1, Math.round(cols / width));
    lastSize = cols - (count - 1) * width;
    if (row.length < cols) {
      row = new Float64Array(cols);
      sizes = new Float64Array(cols);
      centres = new Float64Array(cols);
    }
    if (means.length < rows * count) {
      means = new Float64Array(rows * count);
      hidden = new Uint16Array(rows * count);
    }
    if (scatter.length < rows) scatter = new Float64Array(rows);
    for (let bin = 0; bin < count; bin++) {
      const from = bin * width;
      sizes[bin] = bin === count - 1 ? lastSize : width;
      centres[bin] = from + (sizes[bin] - 1) / 2;
    }
  }

  /** Means of one row that was sampled pixel by pixel. */
  function reduce(at: number, saturation: number): number {
    let squares = 0;
    for (let bin = 0, k = 0; bin < count; bin++) {
      const size = bin === count - 1 ? lastSize : binWidth;
      let sum = 0;
      let clipped = 0;
      for (const end = k + size; k < end; k++) {
        const value = row[k];
        sum += value;
        squares += value * value;
        if (value >= saturation) clipped++;
      }
      squares -= (sum * sum) / size;
      means[at + bin] = clipped > 0 ? Number.NaN : sum / size;
      hidden[at + bin] = clipped;
      saturated += clipped;
    }
    return squares;
  }

  /**
   * Means of one row straight from the frame. Within a bin the way through the frame is taken to run along a row of it, which
   * a small turn allows: with v the mean of two rows of pixels, weighted as at the bin's middle, the bilinear samples from
   * column c + f on sum up to Σ v + f·(v after the last − the first v).
   */
  function average(
    { data, width }: Pixels,
    startX: number,
    startY: number,
    { stepX, stepY }: RoiWalk,
    at: number,
    saturation: number,
  ): number {
    const isClipped = saturation < Number.POSITIVE_INFINITY;
    const middles = centres;
    const out = means;
    const last = count - 1;
    let squares = 0;
    for (let bin = 0; bin <= last; bin++) {
      const size = bin === last ? lastSize : binWidth;
      const x = startX + stepX * middles[bin] - 0.5 * (size - 1);
      const y = startY + stepY * middles[bin];
      // Whole numbers for the compiler too; neither is negative.
      const x0 = x | 0;
      const y0 = y | 0;
      const share = y - y0;
      const from = (y0 * width + x0) | 0;
      const end = (from + size) | 0;
      let i = from;
      let j = (from + width) | 0;
      let sum = 0;
      let own = 0;
      for (; i < end - 3; i += 4, j += 4) {
        const a = data[i] + share * (data[j] - data[i]);
        const b = data[i + 1] + share * (data[j + 1] - data[i + 1]);
        const c = data[i + 2] + share * (data[j + 2] - data[i + 2]);
        const d = data[i + 3] + share * (data[j + 3] - data[i + 3]);
        sum += a + b + (c + d);
        own += a * a + b * b + (c * c + d * d);
      }
      for (; i < end; i++, j++) {
        const value = data[i] + share * (data[j] - data[i]);
        sum += value;
        own += value * value;
      }
      squares += own - (sum * sum) / size;
      const first = data[from] + share * (data[from + width] - data[from]);
      const next = data[end] + share * (data[end + width] - data[end]);
      out[at + bin] = (sum + (x - x0) * (next - first)) / size;
      if (!isClipped) continue;
      let clipped = 0;
      for (i = from, j = from + width; i < end; i++, j++) {
        if (data[i] + share * (data[j] - data[i]) >= saturation) clipped++;
      }
      if (clipped > 0) out[at + bin] = Number.NaN;
      hidden[at + bin] = clipped;
      saturated += clipped;
    }
    return squares;
  }

  return {
    get rows() {
      return rows;
    },
    get cols() {
      return cols;
    },
    get count() {
      return count;
    },
    get width() {
      return binWidth;
    },
    get sizes() {
      return sizes;
    },
    get centres() {
      return centres;
    },
    get means() {
      return means;
    },
    get scatter() {
      return scatter;
    },
    get saturated() {
      return saturated;
    },
    get hidden() {
      return hidden;
    },

    fill(pixels, roi, angle, width, saturation) {
      const walk = roiWalk(pixels, roi, angle);
      layOut(roi, width);
      saturated = 0;
      const { stepX, stepY } = walk;
      const runsAlongRows = Math.abs(stepY) * width < maxRise;
      for (let r = 0; r < rows; r++) {
        const x = walk.startX(r);
        const y = walk.startY(r);
        const endX = x + stepX * (cols - 1);
        const endY = y + stepY * (cols - 1);
        if (runsAlongRows && isInside(pixels, Math.min(x, endX) - 1, y, Math.max(x, endX) + 1, endY)) {
          scatter[r] = average(pixels, x, y, walk, r * count, saturation);
          continue;
        }
        if (isInside(pixels, x, y, endX, endY)) {
          sampleRow(pixels.data, pixels.width, x, y, stepX, stepY, cols, row, 0);
        } else {
          for (let k = 0; k < cols; k++) row[k] = sampleAtBorder(pixels, x + stepX * k, y + stepY * k);
        }
        scatter[r] = reduce(r * count, saturation);
      }
    },
  };
}
