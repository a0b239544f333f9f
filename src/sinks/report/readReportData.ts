import { nodeFiles } from '../../files/files.ts';
import type { ExperimentStep } from '../../model/experimentStep.ts';
import { clockTime } from '../../model/experimentStep.ts';
import { labelPatterns } from '../../model/labelPatterns.ts';
import { zoneName } from '../../model/localTime.ts';
import { medianOf } from '../../model/median.ts';
import { jumpBit } from '../../model/result.ts';
import { type Sensing, type SensingFigures, sense } from '../../quantities/sensing.ts';
import { axisClock } from '../plot/plotData.ts';
import { quantile } from '../plot/shiftSummary.ts';
import { lookAtKept } from '../quantities/quantitiesFollower.ts';
import type { QuantitySettings } from '../quantities/readQuantities.ts';
import { type ChosenFrames, chooseSome, type FrameSpan } from '../series/chosenFrames.ts';
import { distrustedFlags, readCurves, type SeriesCurves } from '../series/seriesCurves.ts';
import type { SeriesReader } from '../series/seriesReader.ts';
import { type ReportFigures, readReportFigures } from './readReportFigures.ts';
import type { IntervalCounts, PictureData, Place, ReportGroup, ReportRoi } from './reportData.ts';

/** Values that the pictures show at most: size of the page and time to open it grow with them. */
const maxDrawn = 700_000;
/** A ROI that has a flag in a larger share of the images, and in more than one, is told as flagged. */
const flaggedShare = 0.05;
/** The shift at the end is the median of so many last values, or of the last tenth where these are fewer. */
const endImages = 15;
const intervalBins = 48;

/** Where the ROIs lie. */
export interface ReportLayout {
  places: Readonly<Record<string, Place>>;
  outlines: readonly Place[];
}

export interface ReportWish {
  span: FrameSpan;
  /** Patterns of labels; none: all. */
  rois: readonly string[];
  groups: readonly { name: string; patterns: readonly string[] }[];
  steps: readonly ExperimentStep[];
  layout: ReportLayout | null;
  /** As `[Quantities]` has them. */
  quantities: Omit<QuantitySettings, 'groups'>;
  /** Folder of the results. */
  results: string;
}

/** What a report says. */
export interface ReportContent {
  pictures: PictureData;
  sensing: Sensing;
  /** For whoever reads it. */
  note: string | null;
  frames: Pick<ChosenFrames, 'count' | 'first' | 'last' | 'superseded' | 'methods' | 'labels'>;
}

/**
 * Reads what a report shows, in memory that the length of the run does not change but for some 30 bytes an image.
 * @throws NothingChosenError; the file system's errors
 */
export async function readReportData(series: SeriesReader, wish: ReportWish): Promise<ReportContent> {
  const frames = await chooseSome(series, wish.span, wish.rois);
  const isChosen = labelPatterns(wish.rois);
  const gathered = gatherFrames(frames);
  const curves = await readCurves(frames, isChosen, mostLooked, gathered.take);
  const groups = wish.groups.map(({ name, patterns }) => ({ name, has: labelPatterns(patterns) }));
  const sensing = sense({ ...curves, steps: wish.steps, groups });
  const { span, results } = wish;
  const isPart = Number.isFinite(span.from) || Number.isFinite(span.end);
  const settings = { ...wish.quantities, groups };
  const kept = await lookAtKept(settings, results, nodeFiles);
  const figures = await readReportFigures(frames, settings, { kept, isPart });
  const placed = <T extends { time: number }>(change: T): T => ({ ...change, time: onAxis(gathered, change.time) });
  const onAxes = {
    ...figures,
    changes: figures.changes.map(placed),
    largest: new Map([...figures.largest].map(([label, change]) => [label, placed(change)])),
  };
  return {
    pictures: pictureData(
      frames,
      { ...curves, flags: faultsIn(curves.flags, gathered.flagNames) },
      gathered,
      sensing,
      onAxes,
      wish,
    ),
    sensing,
    note: figures.note,
    frames,
  };
}

/** Of each ROI the flags that are faults: all but that of a jump, which a step is too. */
const faultsIn = (flags: readonly Uint16Array[], names: readonly string[]): Uint16Array[] =>
  flags.map(of => of.map(bits => bits & ~jumpBit(names)));

/** Images that are looked at: as many as `phorest sensing` takes. */
const mostLooked = 4000;

/** What is told of frames, beside their ROIs. */
function gatherFrames({ sensors }: ChosenFrames) {
  const place = axisClock();
  const gathered = {
    times: [] as number[],
    /** What the clock showed then. */
    locals: [] as number[],
    brightness: [] as number[],
    saturated: [] as number[],
    temperatures: sensors.map(() => [] as number[]),
    flagNames: [] as readonly string[],
    zone: '',
    take: ({ row, flags, sensors: own }: Parameters<NonNullable<Parameters<typeof readCurves>[3]>>[0]): void => {
      gathered.times.push(place(row));
      gathered.locals.push(row.local);
      gathered.brightness.push(row.brightness);
      const bit = 1 << flags.indexOf('saturated');
      const count = row.flags.reduce((sum, bits) => sum + ((bits & bit) !== 0 ? 1 : 0), 0);
      gathered.saturated.push((100 * count) / Math.max(1, row.flags.length));
      for (const [i, sensor] of sensors.entries()) {
        gathered.temperatures[i]!.push(row.temperatures[own.indexOf(sensor)] ?? Number.NaN);
      }
      if (flags.length > gathered.flagNames.length) gathered.flagNames = flags;
      if (gathered.zone === '' && !Number.isNaN(row.utc))
        gathered.zone = zoneName(Math.round((row.local - row.utc) / 60_000));
    },
  };
  return gathered;
}

function pictureData(
  frames: ChosenFrames,
  curves: SeriesCurves,
  gathered: ReturnType<typeof gatherFrames>,
  sensing: Sensing,
  figures: ReportFigures,
  wish: ReportWish,
): PictureData {
  const { flagNames } = gathered;
  const [first = Number.NaN, last = Number.NaN] = [gathered.times[0], gathered.times.at(-1)];
  const ends = { first, last: Math.max(last, onAxis(gathered, frames.last)) };
  const distrustedBits = flagNames.reduce(
    (bits, flag, bit) => (distrustedFlags.has(flag) ? bits | (1 << bit) : bits),
    0,
  );
  const count = curves.times.length;
  const every = Math.max(1, Math.ceil((count * curves.labels.length) / maxDrawn));
  const thin = <T extends Float64Array | Float32Array | Uint16Array>(values: T): T =>
    (every === 1 ? values.slice() : values.filter((_, i) => i % every === 0)) as T;
  const layout = wish.layout;
  const isLaidOut = layout !== null && curves.labels.every(label => layout.places[label] !== undefined);
  const isBad = badFrames(curves.flags, count);
  const rois = curves.labels.map((label, i): ReportRoi => {
    const good = curves.flags[i]!.filter((_, at) => isBad[at] === 0);
    const own = roiFigures(curves, i, sensing.rois[i]!, figures, { ends, good, flagNames });
    return {
      label,
      place: isLaidOut ? layout.places[label]! : placeInOrder(i, curves.labels.length),
      shifts: thin(curves.shifts[i]!),
      sigmas: thin(curves.sigmas[i]!),
      distrusted: thin(curves.distrusted[i]!),
      flags: thin(curves.flags[i]!),
      ...own,
    };
  });
  const has = new Set([...curves.labels, ...wish.groups.map(({ name }) => `group ${name}`)]);
  return {
    times: thin(Float64Array.from(gathered.times)),
    zone: gathered.zone,
    badFrames: {
      count: isBad.reduce((sum, bad) => sum + bad, 0),
      of: count,
      flags: flagsIn(isBad, curves.flags, flagNames),
    },
    images: frames.count,
    every: every * curves.every,
    flagNames,
    distrustedBits,
    rois,
    groups: wish.groups.map(({ name, patterns }) => groupCurve(name, patterns, rois)),
    transitionUnit: unitOf(ends),
    isLaidOut,
    outlines: isLaidOut ? layout.outlines : [],
    ...ends,
    marks: wish.steps
      .filter(({ time }) => clockTime(time) >= wish.span.from && clockTime(time) < wish.span.end)
      .map(({ time, liquid, concentration, refractive_index: index }) => ({
        time: onAxis(gathered, clockTime(time)),
        text: [liquid, concentration, index === undefined ? undefined : `n ${Number(index.toFixed(6))}`]
          .filter(Boolean)
          .join(', '),
      })),
    changes: figures.changes
      .filter(({ kind, name }) => has.has(kind === 'group' ? `group ${name}` : kind === 'roi' ? name : ''))
      .map(({ kind, name, time, timeSigma, height, heightSigma }) => ({
        ...{ name, time, timeSigma, height, heightSigma },
        isGroup: kind === 'group',
      }))
      .sort((a, b) => a.time - b.time),
    brightness: thin(Float32Array.from(gathered.brightness)),
    saturated: thin(Float32Array.from(gathered.saturated)),
    sensors: frames.sensors.map((name, i) => ({ name, values: thin(Float32Array.from(gathered.temperatures[i]!)) })),
    intervals: countIntervals(frames.intervals()),
  };
}

/** Where a time that the clock at the camera showed stands on an axis whose zone does not change. */
function onAxis({ times, locals }: { times: readonly number[]; locals: readonly number[] }, local: number): number {
  const at = Math.max(
    0,
    locals.findLastIndex(each => each <= local),
  );
  return local + ((times[at] ?? 0) - (locals[at] ?? 0));
}

/** Of fewer ROIs, nothing is a fault of the frame. */
const fewestRois = 8;

/** Of each image, 1 where more than half of the ROIs have a flag: the frame is bad, which says nothing of one of them. */
function badFrames(flags: readonly Uint16Array[], count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, at) => {
    const flagged = flags.reduce((sum, of) => sum + (of[at] === 0 ? 0 : 1), 0);
    return flags.length >= fewestRois && 2 * flagged > flags.length ? 1 : 0;
  });
}

/** Names of the flags that ROIs have in these. */
function flagsIn(isBad: Uint8Array, flags: readonly Uint16Array[], names: readonly string[]): string[] {
  const bits = flags.reduce((all, of) => of.reduce((sum, each, at) => (isBad[at] === 1 ? sum | each : sum), all), 0);
  return names.filter((_, bit) => ((bits >> bit) & 1) === 1);
}

function roiFigures(
  { shifts, flags, times, labels }: SeriesCurves,
  i: number,
  { refractive }: SensingFigures,
  { noise: noises, distrust, largest }: ReportFigures,
  {
    ends,
    good,
    flagNames,
  }: { ends: Pick<PictureData, 'first' | 'last'>; good: Uint16Array; flagNames: readonly string[] },
): Pick<ReportRoi, 'figures' | 'sigmaOf' | 'warning'> {
  const label = labels[i]!;
  const known = shifts[i]!.filter(value => !Number.isNaN(value));
  const end = known.subarray(-Math.min(endImages, Math.ceil(known.length / 10)) || known.length);
  const noise = noises.get(label) ?? null;
  const flaggedOf = (of: Uint16Array): number => of.reduce((count, bits) => count + (bits === 0 ? 0 : 1), 0);
  const flaggedImages = flaggedOf(good);
  const change = largest.get(label) ?? null;
  return {
    figures: {
      shift: orNull(medianOf(end)),
      transition: change && (change.time - ends.first) / unitMs[unitOf(ends)],
      step: change?.height ?? null,
      sensitivity: refractive?.value ?? null,
      noise,
      flagged: (100 * flaggedOf(flags[i]!)) / Math.max(1, times.length),
    },
    sigmaOf: {
      shift: noise === null ? null : orNull((1.25 * noise) / Math.sqrt(end.length)),
      transition: change && (1000 * change.timeSigma) / unitMs[unitOf(ends)],
      step: change?.heightSigma ?? null,
      sensitivity: refractive?.sigma ?? null,
    },
    warning:
      known.length === 0
        ? 'it has no trusted value'
        : flaggedImages > Math.max(1, flaggedShare * good.length)
          ? flaggedWords(good, flagNames)
          : (distrust.get(label) ?? null),
  };
}

const unitMs = { s: 1000, min: 60_000, h: 3_600_000 } as const;

/** In which a time within a span is a number that can be read. */
function unitOf({ first, last }: Pick<PictureData, 'first' | 'last'>): keyof typeof unitMs {
  const span = last - first;
  return span > 5 * unitMs.h ? 'h' : span > 10 * unitMs.min ? 'min' : 's';
}

const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** `two_peaks in 31 %, lost in 2 % of the images`. */
function flaggedWords(bits: Uint16Array, names: readonly string[]): string {
  const shares = names
    .map((name, bit) => ({ name, share: bits.filter(each => ((each >> bit) & 1) === 1).length / bits.length }))
    .filter(({ share }) => share > 0)
    .sort((a, b) => b.share - a.share);
  return `${shares.map(({ name, share }) => `${name} in ${Number((100 * share).toPrecision(2))} %`).join(', ')} of the images`;
}

/** In lines of ten, with room between. */
function placeInOrder(i: number, count: number): Place {
  const columns = Math.max(1, Math.min(count, Math.ceil(Math.sqrt(count / 2))));
  return { x: (i % columns) * 100, y: Math.floor(i / columns) * 50, width: 96, height: 46 };
}

function groupCurve(name: string, patterns: readonly string[], rois: readonly ReportRoi[]): ReportGroup {
  const has = labelPatterns(patterns);
  const members = rois.flatMap(({ label }, i) => (has(label) ? [i] : []));
  const { length } = rois[0]?.shifts ?? [];
  const [median, low, high] = [0, 1, 2].map(() => new Float32Array(length)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  for (let at = 0; at < length; at++) {
    const sorted = Float64Array.from(members, i => rois[i]!.shifts[at]!)
      .filter(value => !Number.isNaN(value))
      .sort();
    median[at] = quantile(sorted, 0.5);
    low[at] = quantile(sorted, 0.16);
    high[at] = quantile(sorted, 0.84);
  }
  return { name, members, median, low, high };
}

/** @param intervals ms */
export function countIntervals(intervals: Float64Array): IntervalCounts | null {
  const sorted = intervals.filter(value => value >= 0).sort();
  if (sorted.length === 0) return null;
  const [first, last, median] = [0.01, 0.99, 0.5].map(share => quantile(sorted, share)) as [number, number, number];
  // The pause over a night is not to squeeze the others into one bin.
  const room = 4 * Math.max(last - first, 0.05 * median, 1);
  const shown = sorted.filter(value => value >= first - room && value <= last + room);
  // What is always the same stands in the middle.
  const [low, high] = [Math.min(shown[0] ?? median, 0.95 * median), Math.max(shown.at(-1) ?? median, 1.05 * median)];
  const span = Math.max(high - low, 1);
  const from = Math.max(0, low - 0.02 * span);
  const width = (1.04 * span) / intervalBins;
  const counts = new Array<number>(intervalBins).fill(0);
  let beyond = 0;
  for (const value of sorted) {
    const bin = Math.floor((value - from) / width);
    if (bin >= 0 && bin < intervalBins) counts[bin]!++;
    else beyond++;
  }
  return {
    from: from / 1000,
    width: width / 1000,
    counts,
    median: median / 1000,
    longest: sorted.at(-1)! / 1000,
    beyond,
    total: sorted.length,
  };
}
