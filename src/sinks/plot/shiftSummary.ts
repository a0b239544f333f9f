import type { PlotData } from './plotData.ts';

export interface ShiftSummary {
  /** Median over the ROIs at each time, pixels; NaN where no ROI has a value. */
  median: Float64Array;
  /** Quantiles that hold the middle 68 % of the ROIs. */
  low: Float64Array;
  high: Float64Array;
}

const lowShare = 0.16;
const highShare = 0.84;

/** How the ROIs together moved. */
export function shiftSummary({ times, rois }: Pick<PlotData, 'times' | 'rois'>): ShiftSummary {
  const [median, low, high] = [times, times, times].map(({ length }) => new Float64Array(length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const column = new Float64Array(rois.length);
  for (let i = 0; i < times.length; i++) {
    let count = 0;
    for (const { shifts } of rois) {
      const shift = shifts[i] as number;
      if (Number.isFinite(shift)) column[count++] = shift;
    }
    const sorted = column.subarray(0, count).sort();
    median[i] = quantile(sorted, 0.5);
    low[i] = quantile(sorted, lowShare);
    high[i] = quantile(sorted, highShare);
  }
  return { median, low, high };
}

/** Quantile of ascending values, linear between neighbours; NaN of none. */
export function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const left = sorted[below] ?? Number.NaN;
  return left + ((sorted[Math.ceil(at)] ?? left) - left) * (at - below);
}
