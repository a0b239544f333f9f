import type { LastResult, RoiValues } from '../../model/lastResult.ts';
import type { RoiManifest } from '../../model/roi.ts';
import type { RoiHistory, RoiSample } from '../../model/roiHistory.ts';
import type { RoiQuality } from '../../model/roiQuality.ts';
import { zeroOf } from '../chart/chartData.ts';
import type { ChartState } from '../chart/chartState.ts';
import { lastShift, shiftOf } from '../views/shifts.ts';
import { roiFilter } from './roiFilter.ts';
import type { RoiColumn, RoiRow, RoisPage } from './roisPage.ts';

interface Sources {
  rois: RoiManifest | null;
  history: RoiHistory | null;
  lastResult: LastResult | null;
  qualities: ReadonlyMap<string, RoiQuality>;
  /** Where shifts count from is that of the chart. */
  chart: Pick<ChartState, 'zero'>;
}

/** So much of the past tells the drift, and is shown beside it, ms. */
export const driftMs = 3_600_000;
/** A drift of less than this is a guess, ms. */
const leastDriftMs = 300_000;

let last: { of: readonly unknown[]; rows: readonly RoiRow[] } | null = null;

/** Every ROI in the order of the manifest. The same array for the same sources. */
export function allRoiRows({ rois, history, lastResult, qualities, chart: { zero } }: Sources): readonly RoiRow[] {
  const of = [rois, history, lastResult, qualities, zero];
  if (last && of.every((each, i) => each === last?.of[i])) return last.rows;
  const labels = rois?.rois.map(({ label }) => label) ?? history?.labels ?? [...(lastResult?.rois.keys() ?? [])];
  const placeOf = new Map(history?.labels.map((label, i) => [label, i]));
  const recent = history ? samplesOfLast(history, driftMs) : [];
  const rows = labels.map(label =>
    rowOf(
      label,
      lastResult !== null,
      lastResult?.rois.get(label),
      qualities.get(label),
      placeOf.get(label),
      history,
      recent,
      zeroOf(zero, label),
    ),
  );
  last = { of, rows };
  return rows;
}

function rowOf(
  label: string,
  isResult: boolean,
  values: RoiValues | undefined,
  quality: RoiQuality | undefined,
  place: number | undefined,
  history: RoiHistory | null,
  recent: readonly RoiSample[],
  zero: number,
): RoiRow {
  const known = history && place !== undefined ? { history, place } : null;
  let drift: Drift | undefined;
  // Only where it is shown: it goes through all samples of an hour.
  const driftNow = (): Drift => (drift ??= known ? driftOf(recent, known.place) : unknownDrift);
  return {
    label,
    // A result without a shift has none: what the position says counts from another zero.
    shift:
      (isResult ? (values?.shift ?? Number.NaN) : known ? lastShift(known.history, known.place) : Number.NaN) - zero,
    sigma: values?.shiftError ?? Number.NaN,
    chi: values?.chiSquared ?? Number.NaN,
    get drift() {
      return driftNow().value;
    },
    get driftSigma() {
      return driftNow().sigma;
    },
    noise: quality?.noise ?? Number.NaN,
    quality: quality?.word ?? '',
    flags: values?.flags ?? [],
  };
}

/** The samples of the last stretch of time, up to the newest one. */
export function samplesOfLast({ samples }: RoiHistory, ms: number): readonly RoiSample[] {
  const end = samples.at(-1)?.at ?? 0;
  let from = samples.length;
  while (from > 0 && samples[from - 1]!.at > end - ms) from--;
  return samples.slice(from);
}

interface Drift {
  value: number;
  sigma: number;
}
const unknownDrift: Drift = { value: Number.NaN, sigma: Number.NaN };

/**
 * Slope of the line through the shifts by least squares and its standard error, pixels an hour; NaN where too little is known. What goes on from one
 * sample to the next (slow noise, a step) is not averaged away, and makes the error larger.
 */
export function driftOf(samples: readonly RoiSample[], place: number): Drift {
  const known = samples.filter(sample => Number.isFinite(shiftOf(sample, place)));
  if (known.length < 3 || known.at(-1)!.at - known[0]!.at < leastDriftMs) return unknownDrift;
  let [count, meanTime, meanShift, timeSquares, products] = [0, 0, 0, 0, 0];
  for (const sample of known) {
    count += sample.frames;
    const share = sample.frames / count;
    const [offTime, offShift] = [sample.at - meanTime, shiftOf(sample, place) - meanShift];
    meanTime += share * offTime;
    meanShift += share * offShift;
    timeSquares += sample.frames * offTime * (sample.at - meanTime);
    products += sample.frames * offTime * (shiftOf(sample, place) - meanShift);
  }
  const slope = products / timeSquares;
  let [squares, neighbours, before] = [0, 0, 0];
  for (const sample of known) {
    const off = shiftOf(sample, place) - meanShift - slope * (sample.at - meanTime);
    squares += sample.frames * off * off;
    neighbours += sample.frames * off * before;
    before = off;
  }
  const alike = squares > 0 ? Math.max(0, Math.min(mostAlike, neighbours / squares)) : 0;
  const variance = (squares / (known.length - 2) / timeSquares) * ((1 + alike) / (1 - alike));
  return { value: slope * 3_600_000, sigma: Math.sqrt(variance) * 3_600_000 };
}

/** Correlation of one sample with the next that is counted at most. */
const mostAlike = 0.99;

const byName = new Intl.Collator('en', { numeric: true });

const order: Readonly<Record<RoiColumn, (a: RoiRow, b: RoiRow) => number>> = {
  label: (a, b) => byName.compare(a.label, b.label),
  shift: (a, b) => a.shift - b.shift,
  sigma: (a, b) => a.sigma - b.sigma,
  chi: (a, b) => a.chi - b.chi,
  drift: (a, b) => a.drift - b.drift,
  noise: (a, b) => a.noise - b.noise,
  quality: (a, b) => byName.compare(a.quality, b.quality),
  flags: (a, b) => a.flags.length - b.flags.length || byName.compare(a.flags.join(), b.flags.join()),
};

const isUnknown = (row: RoiRow, column: RoiColumn): boolean =>
  column === 'quality' ? row.quality === '' : Number.isNaN(row[column]);

/** The rows that the filter lets through, in the order that was chosen; what is not known comes last either way. */
export function shownRoiRows(
  sources: Sources,
  { sort, isDescending, filter }: Pick<RoisPage, 'sort' | 'isDescending' | 'filter'>,
): RoiRow[] {
  const { holds } = roiFilter(filter);
  const turn = isDescending ? -1 : 1;
  return allRoiRows(sources)
    .filter(holds)
    .sort((a, b) => Number(isUnknown(a, sort)) - Number(isUnknown(b, sort)) || turn * (order[sort](a, b) || 0));
}
