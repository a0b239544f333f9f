import type { RoiHistory, RoiSample } from '../../model/roiHistory.ts';
import type { Range, Series } from '../views/curves.ts';
import type { Ink } from '../views/line.ts';
import { medianShift, shiftOf } from '../views/shifts.ts';
import { pickedRois } from './pickedRois.ts';

/** What a curve is called. */
export interface CurveName {
  letter: string;
  name: string;
  colour: Ink;
  /** Its last value. */
  last: number;
}

export interface ChartData {
  /** Pixels; the median of all ROIs is the last, so that it lies on top. */
  shifts: readonly Series[];
  names: readonly CurveName[];
  /** Degrees Celsius, a sensor each. */
  warmth: readonly Series[];
  warmthNames: readonly CurveName[];
  time: Range;
  /** A pause longer than this, for each image of the value before, breaks a curve, ms. */
  gapMs: number;
}

/** Told apart by colour-blind people too, and by their letters. */
const curveInks = ['curve0', 'curve1', 'curve2', 'curve3', 'curve4', 'curve5', 'curve6', 'curve7'] as const;
const letters = 'abcdefghijklmnopqrstuvwxyz';
const warmLetters = 'TUVWXYZ';
/** So many usual intervals without a sample are a gap. */
const gapIntervals = 6;

/** The chosen ROIs' shifts, the median of all, and the temperatures, over the last `span` ms (null: all). */
export function chartData(history: RoiHistory, picked: readonly string[] | null, span: number | null): ChartData {
  const last = history.samples.at(-1) as RoiSample;
  const from = span === null ? Number.NEGATIVE_INFINITY : last.at - span;
  const samples = history.samples.slice(firstSince(history.samples, from));
  const gapMs = gapOf(samples);
  const groups = groupsOf(samples, gapMs);
  const times = groups.map(([first]) => first!.at);
  const frames = groups.map(group => group.reduce((sum, each) => sum + each.frames, 0));
  const series = (colour: Ink, letter: string, value: (sample: RoiSample) => number): Series => ({
    colour,
    letter,
    times,
    frames,
    values: groups.map(group => meanOf(group, value)),
  });

  const chosen = pickedRois(history, picked);
  const shifts = chosen.map((label, i) => {
    const roi = history.labels.indexOf(label);
    return series(curveInks[i % curveInks.length] as Ink, letters[i % letters.length] as string, each =>
      shiftOf(each, history.baseline, roi),
    );
  });
  shifts.push(series('median', 'M', each => medianShift(each, history.baseline)));
  const sensors = sensorsOf(samples);
  const warmth = sensors.map((sensor, i) =>
    series(
      curveInks[i % curveInks.length] as Ink,
      warmLetters[i % warmLetters.length] as string,
      ({ temperatures }) => temperatures[sensor] ?? Number.NaN,
    ),
  );
  const named = (of: readonly Series[], names: readonly string[]): CurveName[] =>
    of.map(({ letter, colour, values }, i) => ({
      letter,
      colour,
      name: names[i] as string,
      last: values.findLast(Number.isFinite) ?? Number.NaN,
    }));
  return {
    shifts,
    // The median first: it is the one that must not be cut off.
    names: named([...shifts.slice(-1), ...shifts.slice(0, -1)], ['median of all', ...chosen]),
    warmth,
    warmthNames: named(warmth, sensors),
    time: { low: times[0] as number, high: Math.max(last.at, (times[0] as number) + 1000) },
    gapMs,
  };
}

function sensorsOf(samples: readonly RoiSample[]): string[] {
  const names = new Set<string>();
  for (const { temperatures } of samples) for (const name in temperatures) names.add(name);
  return [...names].sort();
}

/** Index of the first sample not older than `from`; samples are in order of time. */
function firstSince(samples: readonly RoiSample[], from: number): number {
  let low = 0;
  let high = samples.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((samples[middle] as RoiSample).at < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Several times the interval from image to image that three of four samples keep. */
function gapOf(samples: readonly RoiSample[]): number {
  const intervals = samples
    .slice(1)
    .map(({ at }, i) => (at - samples[i]!.at) / samples[i]!.frames)
    .sort((a, b) => a - b);
  const usual = intervals[Math.floor(intervals.length * 0.75)];
  return usual === undefined || usual <= 0 ? Number.POSITIVE_INFINITY : usual * gapIntervals;
}

/**
 * Samples of which each stands for about as many images as any: else a curve would look the calmer, the more images its older samples are means
 * of. None spans a gap.
 */
function groupsOf(samples: readonly RoiSample[], gapMs: number): RoiSample[][] {
  const images = samples.reduce((most, { frames }) => Math.max(most, frames), 1);
  const groups: RoiSample[][] = [];
  let frames = images;
  let before: RoiSample | null = null;
  for (const sample of samples) {
    const isGap = before !== null && sample.at - before.at > gapMs * before.frames;
    if (frames >= images || isGap) {
      groups.push([]);
      frames = 0;
    }
    groups.at(-1)!.push(sample);
    frames += sample.frames;
    before = sample;
  }
  return groups;
}

/** Of what is known; NaN of nothing. */
function meanOf(group: readonly RoiSample[], value: (sample: RoiSample) => number): number {
  let [sum, count] = [0, 0];
  for (const sample of group) {
    const found = value(sample);
    if (!Number.isFinite(found)) continue;
    sum += found * sample.frames;
    count += sample.frames;
  }
  return sum / count;
}
