import type { RoiHistory, RoiSample } from '../../model/roiHistory.ts';
import type { Ink } from '../views/line.ts';
import { medianShift } from '../views/shifts.ts';
import type { ChartState, ChartZero } from './chartState.ts';
import { type ChartTime, type Column, columnsOf, type Reading, spansOf } from './columns.ts';
import { pickedRois } from './pickedRois.ts';

/** One curve, in columns. */
export interface Curve {
  /** Stands for it where there is no colour. */
  letter: string;
  colour: Ink;
  name: string;
  columns: readonly (Column | null)[];
  /** False: it has no shift, and what is drawn is its position from the first. */
  hasShift: boolean;
}

export interface ChartData {
  /** Pixels; the median of all ROIs is the last, so that it lies on top. */
  shifts: readonly Curve[];
  /** Degrees Celsius, a sensor each. */
  warmth: readonly Curve[];
}

/** Told apart by colour-blind people too, and by their letters. */
const colours: readonly Ink[] = ['curve0', 'curve1', 'curve2', 'curve3', 'curve4', 'curve5', 'curve6', 'curve7'];
const letters = 'abcdefghijklmnopqrstuvwxyz';
const warmLetters = 'TUVWXYZ';
export const medianName = 'median of all';

/** The chosen ROIs, the median of all, and the temperatures, in the columns of a time. */
export function chartData(
  history: RoiHistory,
  { picked, zero }: Pick<ChartState, 'picked' | 'zero'>,
  time: ChartTime,
): ChartData {
  const samples = withNeighbours(history.samples, time);
  const spans = spansOf(samples);
  const curve = (
    i: number,
    letter: string,
    name: string,
    read: (sample: RoiSample) => Reading,
    hasShift = true,
  ): Curve => ({
    letter,
    colour: colours[i % colours.length]!,
    name,
    columns: columnsOf(samples, spans, time, read),
    hasShift,
  });
  const shifts = pickedRois(history, picked).map((label, i) => {
    const roi = history.labels.indexOf(label);
    const hasShift = isShifted(history, roi);
    return curve(
      i,
      letters[i % letters.length]!,
      label,
      roiReading(history, roi, hasShift, zeroOf(zero, label)),
      hasShift,
    );
  });
  const anyShift = history.labels.some((_, roi) => isShifted(history, roi));
  const median = curve(0, 'M', medianName, medianReading(history, anyShift, zero?.median ?? 0), anyShift);
  const sensors = [...new Set(samples.flatMap(({ temperatures }) => Object.keys(temperatures)))].sort();
  return {
    shifts: [...shifts, { ...median, colour: 'median' }],
    warmth: sensors.map((sensor, i) =>
      curve(i, warmLetters[i % warmLetters.length]!, sensor, ({ temperatures }) =>
        single(temperatures[sensor] ?? Number.NaN),
      ),
    ),
  };
}

const single = (value: number): Reading => ({
  low: value,
  median: value,
  high: value,
  flags: 0,
  uncertainty: Number.NaN,
});

/** Where the shift of a ROI counts from, pixels. */
export const zeroOf = (zero: ChartZero | null, label: string): number => {
  const of = zero?.values[zero.labels.indexOf(label)];
  return of === undefined || Number.isNaN(of) ? 0 : of;
};

/** Shifts, where it has any: positions have another zero, and are not mixed with them. */
export function roiReading(
  { baseline }: RoiHistory,
  roi: number,
  hasShift: boolean,
  zero: number,
): (sample: RoiSample) => Reading {
  const from = zero + (hasShift ? 0 : baseline[roi]!);
  return ({ shifts, positions, spread, flags, shiftUncertainties }) => {
    const shift = shifts[roi] ?? Number.NaN;
    const median = (hasShift ? shift : positions[roi]!) - from;
    // The range is that of the shifts of a sample that has some.
    const ranged = spread !== null && hasShift === Number.isFinite(shift);
    return {
      low: ranged ? spread.lows[roi]! - from : median,
      median,
      high: ranged ? spread.highs[roi]! - from : median,
      flags: flags[roi] ?? 0,
      uncertainty: shiftUncertainties[roi] ?? Number.NaN,
    };
  };
}

/** Whether a ROI has a shift in any sample. */
export const isShifted = ({ samples }: RoiHistory, roi: number): boolean =>
  samples.some(({ shifts }) => Number.isFinite(shifts[roi]));

/** The median over all ROIs; where any has a shift, over those. */
export function medianReading(
  { baseline }: RoiHistory,
  anyShift: boolean,
  zero: number,
): (sample: RoiSample) => Reading {
  return sample => {
    const [low, median, high] = sample.spread?.all ?? [];
    if (median !== undefined && Number.isFinite(median))
      return { ...single(median - zero), low: low! - zero, high: high! - zero };
    if (anyShift && !sample.shifts.some(Number.isFinite)) return single(Number.NaN);
    return single(medianShift(sample, baseline) - zero);
  };
}

/** The samples of a time, and one to each side, which tells whether there is a gap. */
function withNeighbours(samples: readonly RoiSample[], { low, columnMs, columns }: ChartTime): RoiSample[] {
  const first = firstSince(samples, low);
  const last = firstSince(samples, low + columnMs * columns);
  return samples.slice(Math.max(0, first - 1), last + 1);
}

/** Index of the first sample not older than `from`; samples are in order of time. */
export function firstSince(samples: readonly RoiSample[], from: number): number {
  let low = 0;
  let high = samples.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (samples[middle]!.at < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
