import { medianOf } from '../../model/median.ts';
import type { ChipShift } from '../../model/result.ts';
import type { RoiHistory, RoiSample } from '../../model/roiHistory.ts';

/** Shift of one ROI's resonance in a sample, from the reference, pixels; NaN where it has none: a position counts from another zero. */
export const shiftOf = ({ shifts }: RoiSample, roi: number): number => shifts[roi] ?? Number.NaN;

/** How many samples back a ROI's last value is looked for: one bad fit does not make it unknown. */
const lookBack = 5;

/** The last known shift of a ROI, pixels; NaN where there is none lately. */
export function lastShift({ samples }: RoiHistory, roi: number): number {
  for (let i = samples.length - 1; i >= Math.max(0, samples.length - lookBack); i--) {
    const shift = shiftOf(samples[i] as RoiSample, roi);
    if (Number.isFinite(shift)) return shift;
  }
  return Number.NaN;
}

/** How far the chip has moved since its reference image; null where it was not seen lately. */
export const lastChipShift = ({ samples }: RoiHistory): ChipShift | null =>
  samples.slice(-lookBack).findLast(({ chipShift }) => chipShift !== null)?.chipShift ?? null;

/** `+0.0123 px`; `?` where it is not known. */
export const shiftText = (shift: number): string => (Number.isFinite(shift) ? `${figured(shift)} px` : '?');

/** With its sign and three figures; `?` where it is not known. */
export function signed(value: number): string {
  if (!Number.isFinite(value)) return '?';
  const text = Math.abs(value) < 5e-5 ? '0' : String(Number(Math.abs(value).toPrecision(3)));
  return text === '0' ? ' 0' : `${value < 0 ? '-' : '+'}${text}`;
}

/** The same of what was measured, whose third figure counts also where it is 0: `+2.50`. */
export function figured(value: number): string {
  const [text, figures] = [signed(value), Math.abs(value).toPrecision(3)];
  return text === ' 0' || text === '?' || figures.includes('e') ? text : text.slice(0, 1) + figures;
}

/** Medians of samples that were seen before: what was read once does not change. */
const medians = new WeakMap<RoiSample, { baseline: Float64Array; median: number }>();

/** Median over all ROIs that have a shift, pixels; where none has, of their positions from the baseline; NaN of none. */
export function medianShift(sample: RoiSample, baseline: Float64Array): number {
  const known = medians.get(sample);
  if (known?.baseline === baseline) return known.median;
  const shifted = medianOf(sample.shifts);
  const median = Number.isNaN(shifted) ? medianOf(sample.positions.map((at, i) => at - baseline[i]!)) : shifted;
  medians.set(sample, { baseline, median });
  return median;
}
