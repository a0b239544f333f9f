import { type AllanState, addToAllan, breakAllan, deviationFromAbove, deviationOfMean, newAllan } from './allan.ts';
import { commonErrors } from './commonErrors.ts';
import { addToChart, type ChartState, newChart } from './controlChart.ts';
import { plateau } from './plateau.ts';
import type { SeriesKind, ShiftChange } from './quantities.ts';
import { sortedMedian } from './sortedMedian.ts';
import { addToTrend, breakTrend, newTrend, type TrendState } from './trend.ts';

/** Frames that are kept of each series: a power of two. */
export const keptFrames = 128;
/** Frame n stands at n & lastKept. */
export const lastKept = keptFrames - 1;
/** Frames whose times are kept: those, and as many that are taken together. */
export const keptTimes = 2 * keptFrames;
export const lastTime = keptTimes - 1;
/** Values wait so many frames before they count as noise: until then they may be found to be part of a change. */
const settling = 24;
/** A change that is not over after so many frames is told as it is. */
const longestMove = 96;
/** Standard errors that make a change. */
const farErrors = 6;
/** A median of few values scatters by so much more than their mean. */
export const medianError = 1.25;
/** Values on each side of a change that are compared. */
const spans = [4, 8, 16] as const;
/** On each side of a change that has been found: a new level is one that has lasted as long. */
const levelValues = 8;
/** No noise is smaller, px: the series has 32 bits. */
const leastNoise = 1e-4;
const newestChanges = 20;
/** Of a level, before a change is looked for. */
const fewestValues = 12;

/** Why a value is there, or is not. */
export const valueKinds = ['good', 'missing', 'lost', 'two_peaks', 'low_signal', 'edge'] as const;
export type ValueKind = (typeof valueKinds)[number];
const good = valueKinds.indexOf('good');

/** Frames that all series of a run share; plain data. */
export interface FrameRing {
  /** Frames taken. */
  count: number;
  /** ms; of frame n at n % {@link keptTimes}. */
  readonly times: Float64Array;
  /** To be added to a time for what the clock at the camera showed, ms. */
  clock: number;
  /** Kelvin or degrees; 0 without a sensor. */
  readonly temperatures: Float64Array;
  /** Typical, ms. */
  interval: number;
  /** Frames from here on have shifts from the same zero. */
  zeroFrom: number;
  /** Whether the newest frame is in the time that a person has set to zero. */
  isZero: boolean;
}

/** All that is known of a series, as plain data: it can be copied and kept. */
export interface SeriesState {
  readonly kind: SeriesKind;
  readonly name: string;
  /** The frame that it was first seen in. */
  first: number;
  readonly shifts: Float64Array;
  /** Their own standard errors, px; NaN where unknown. */
  readonly sigmas: Float32Array;
  /** Indices of {@link valueKinds}. */
  readonly kinds: Uint8Array;
  /** Its own standard error, typical, px; NaN where unknown. */
  sigma: number;
  values: number;
  flips: number;
  /** Frames from here on are on the level that it has now. */
  from: number;
  /** Frames before this have gone into noise and trend. */
  fed: number;
  /** While it moves: the frame before which it did not, and the level there. */
  moving: { since: number; level: number } | null;
  readonly allan: AllanState;
  trend: TrendState;
  /** Of a group; null of others. */
  chart: ChartState | null;
  /** Sum and number of values in the time that a person has set to zero. */
  zeroSum: number;
  zeroCount: number;
  changeCount: number;
  changes: ShiftChange[];
}

export const newSeries = (kind: SeriesKind, name: string, first: number): SeriesState => ({
  kind,
  name,
  first,
  shifts: new Float64Array(keptFrames).fill(Number.NaN),
  sigmas: new Float32Array(keptFrames).fill(Number.NaN),
  kinds: new Uint8Array(keptFrames).fill(valueKinds.indexOf('missing')),
  sigma: Number.NaN,
  values: 0,
  flips: 0,
  from: first,
  fed: first,
  moving: null,
  allan: newAllan(),
  trend: newTrend(),
  chart: kind === 'group' ? newChart() : null,
  zeroSum: 0,
  zeroCount: 0,
  changeCount: 0,
  changes: [],
});

const [lost, twoPeaks] = [valueKinds.indexOf('lost'), valueKinds.indexOf('two_peaks')];
const isFlip = (kind: number): boolean => kind === twoPeaks || kind === lost;

/**
 * Takes the newest frame of the ring. Gives the change that is found with it.
 *
 * @param shift px; NaN where there is none that is trusted
 * @param sigma its standard error, px; NaN where unknown
 */
export function takeValue(
  series: SeriesState,
  ring: FrameRing,
  shift: number,
  sigma: number,
  kind: ValueKind,
): ShiftChange | null {
  const frame = ring.count - 1;
  const at = frame & lastKept;
  const before = series.kinds[(frame - 1) & lastKept]!;
  const now = valueKinds.indexOf(kind);
  series.shifts[at] = now === good ? shift : Number.NaN;
  series.sigmas[at] = sigma;
  series.kinds[at] = now;
  if (isFlip(now) && !isFlip(before) && series.values > 0) series.flips++;
  let change: ShiftChange | null = null;
  if (now === good) {
    series.values++;
    if (ring.isZero) {
      series.zeroSum += shift;
      series.zeroCount++;
    }
    if (series.chart && !series.moving) addToChart(series.chart, shift);
    // Of a group: what its members have in common is in none of their errors.
    if (sigma > 0 && series.kind !== 'group')
      series.sigma = Number.isNaN(series.sigma) ? sigma : series.sigma + (sigma - series.sigma) / 64;
    if (series.moving) change = endMove(series, ring, frame);
    else if (far(series, ring, frame)) change = endMove(series, ring, frame);
  } else if (series.moving && frame - series.moving.since >= longestMove) change = endMove(series, ring, frame);
  feed(series, ring, Math.min(frame + 1 - settling, series.moving?.since ?? frame));
  return change;
}

/**
 * What comes next is measured from another zero: that is no change of the series. Its noise, drift and changes stay, of its level nothing does.
 * The ring has not taken the next frame yet.
 */
export function restartLevel(series: SeriesState, ring: FrameRing): void {
  feed(series, ring, series.moving?.since ?? ring.count);
  series.moving = null;
  series.from = ring.count;
  series.fed = ring.count;
  breakAllan(series.allan);
  breakTrend(series.trend);
  if (series.chart) series.chart = newChart();
  series.zeroSum = 0;
  series.zeroCount = 0;
}

/** Frames up to but without `end` are part of the level: they tell its noise and trend. */
function feed(series: SeriesState, ring: FrameRing, end: number): void {
  const { times, temperatures, interval } = ring;
  for (; series.fed < end; series.fed++) {
    const { fed } = series;
    const time = times[fed & lastTime]!;
    if (fed > 0 && time - times[(fed - 1) & lastTime]! > 16 * interval) breakAllan(series.allan);
    const shift = isFar(series, fed, ring.count - 1) ? Number.NaN : series.shifts[fed & lastKept]!;
    if (isJump(series, fed, ring.count - 1)) {
      breakAllan(series.allan);
      breakTrend(series.trend);
    }
    addToAllan(series.allan, shift);
    if (!Number.isNaN(shift)) addToTrend(series.trend, shift, time / 3_600_000, temperatures[fed & lastTime]!);
  }
}

/** On each side of a value, frames that tell whether it is far from all others. */
const neighbours = 6;
/** Robust standard deviations that are far. */
const farDeviations = 8;

/** Whether a value has nothing to do with those around it (Hampel, J. Am. Stat. Assoc. 69, 383 (1974)): a flip that no flag tells. */
function isFar(series: SeriesState, frame: number, last: number): boolean {
  const shift = series.shifts[frame & lastKept]!;
  if (Number.isNaN(shift)) return false;
  const isWhole = frame - neighbours >= series.from && frame + neighbours <= last;
  if (isWhole && !isApart(series.shifts, frame)) return false;
  newest.count = 0;
  for (let i = Math.max(series.from, frame - neighbours); i <= Math.min(last, frame + neighbours); i++) {
    const other = series.shifts[i & lastKept]!;
    if (!Number.isNaN(other)) newest.shifts[newest.count++] = other;
  }
  if (newest.count < neighbours) return false;
  const { count, shifts } = newest;
  const middle = medianOf(0, count);
  const distance = Math.abs(shift - middle);
  if (distance <= farDeviations * leastNoise) return false;
  // Those that are near enough tell where the median of all distances is, mostly without sorting them.
  let near = 0;
  for (let i = 0; i < count; i++) {
    const other = Math.abs(shifts[i]! - middle);
    shifts[i] = other;
    if (distance > farDeviations * 1.4826 * other) near++;
  }
  if (2 * near !== count) return 2 * near > count;
  return distance > farDeviations * 1.4826 * medianOf(0, count);
}

/** Two values that have the same distance from a third, to the part of it that {@link farDeviations} leaves. */
const sameDistance = 2 / (1.4826 * farDeviations - 1);

/** Those around a value, and the first of them again. */
const around = Int32Array.from({ length: 2 * neighbours + 1 }, (_, i) =>
  i === 2 * neighbours ? -neighbours : i - neighbours + Number(i >= neighbours),
);

/**
 * Whether a value may be far from those around it: a quick look, which most values do not pass. Of a far one seven of the twelve around lie together, and
 * so do two of one pair in each way to make six pairs of neighbours of them.
 */
function isApart(shifts: Float64Array, frame: number): boolean {
  const shift = shifts[frame & lastKept]!;
  for (let start = 0; start < 2; start++) {
    let isPair = false;
    for (let i = start; i < 2 * neighbours && !isPair; i += 2) {
      const first = shifts[(frame + around[i]!) & lastKept]!;
      const second = shifts[(frame + around[i + 1]!) & lastKept]!;
      // True without a value too: then a closer look is needed.
      isPair = !(Math.abs(first - second) > sameDistance * Math.abs(first - shift));
    }
    if (!isPair) return false;
  }
  return true;
}

/** Standard deviations of what neighbours differ by that are no noise. */
const jumpDeviations = 6;

/**
 * Whether a value lies so far from the one before it that noise is not the reason. While little is known of the noise, a change may go unfound. Such a
 * change must not count as noise: it would hide the changes that come later.
 */
function isJump(series: SeriesState, frame: number, last: number): boolean {
  const { squares, differences } = series.allan;
  let before = frame - 1;
  while (before > frame - neighbours && Number.isNaN(series.shifts[before & lastKept]!)) before--;
  const apart = Math.abs(series.shifts[frame & lastKept]! - series.shifts[before & lastKept]!);
  if (before < series.from || !(apart > jumpDeviations * leastNoise)) return false;
  // Three times what neighbours have differed by so far: most values need no closer look.
  if (differences[0]! >= 16 && apart ** 2 <= (9 * squares[0]!) / differences[0]!) return false;
  const { count, shifts } = gather(series, last, series.from, keptFrames);
  if (count < fewestValues) return false;
  for (let i = 0; i + 1 < count; i++) sorted[i] = Math.abs(shifts[i]! - shifts[i + 1]!);
  return apart > jumpDeviations * 1.4826 * sortedMedian(sorted.subarray(0, count - 1).sort(), count - 1);
}

const newest = { frames: new Int32Array(keptFrames), shifts: new Float64Array(keptFrames), count: 0 };
const sorted = new Float64Array(keptFrames * 2);

/** The newest values from a frame on, newest first; at most so many. */
export function gather(series: SeriesState, frame: number, from: number, most: number): typeof newest {
  newest.count = 0;
  for (let i = frame; i >= from && i > frame - keptFrames && newest.count < most; i--) {
    const shift = series.shifts[i & lastKept]!;
    if (Number.isNaN(shift)) continue;
    newest.frames[newest.count] = i;
    newest.shifts[newest.count++] = shift;
  }
  return newest;
}

/** Median of some of the gathered values. */
export function medianOf(from: number, count: number): number {
  for (let i = 0; i < count; i++) {
    const value = newest.shifts[from + i]!;
    let j = i;
    for (; j > 0 && sorted[j - 1]! > value; j--) sorted[j] = sorted[j - 1]!;
    sorted[j] = value;
  }
  return sortedMedian(sorted, count);
}

/** Standard deviation of one gathered value from what neighbours differ by: neither a step nor a wrong value moves it. From above where few tell it. */
function localNoise(): number {
  const count = newest.count - 1;
  if (count < 7) return Number.POSITIVE_INFINITY;
  for (let i = 0; i < count; i++) sorted[i] = Math.abs(newest.shifts[i]! - newest.shifts[i + 1]!);
  return (1.4826 / Math.SQRT2) * sortedMedian(sorted.subarray(0, count).sort(), count) * (1 + 10 / count);
}

/** How far apart medians of so many neighbouring values are by noise, px. @param frames from the middle of one to that of the other */
function errorOf({ allan, sigma }: SeriesState, values: number, frames: number): number {
  const known = deviationFromAbove(allan, values);
  const slow = frames > 1.5 * values ? deviationFromAbove(allan, frames, 3) : 0;
  const own = (sigma > 0 ? sigma / 4 : 0) / Math.sqrt(values);
  return Math.SQRT2 * medianError * Math.max(known, slow, own, leastNoise);
}

/** Whether the newest values are on another level than those before them; begins the move. */
function far(series: SeriesState, ring: FrameRing, frame: number): boolean {
  const { frames } = newest;
  let local = Number.NaN;
  for (let at = 0; at < spans.length; at++) {
    const span = spans[at]!;
    // Longer ones differ little from frame to frame.
    if ((frame & ((span >> 2) - 1)) !== 0) continue;
    // A new level may begin as soon as the level before has been seen for a while.
    const enough = Math.max(2 * span, fewestValues);
    if (at === 0) gather(series, frame, series.from, longestSpans[frame & 3]!);
    if (newest.count < enough) return false;
    const between = ringFrames(ring, frames[2 * span - 1]!, frames[0]!) / 2;
    const limit = farErrors * errorOf(series, span, between);
    // Mostly all values are too near each other for any medians of them to differ so much.
    if (mostApart(span) <= limit) continue;
    const [after, before] = [medianOf(0, span), medianOf(span, span)];
    const apart = Math.abs(after - before);
    if (apart <= limit) continue;
    const { count } = gather(series, frame, series.from, 2 * spans.at(-1)!);
    if (Number.isNaN(local)) local = localNoise();
    // Where longer averages are not known yet, they are taken to be no better than one value.
    const isKnown = deviationFromAbove(series.allan, span) > 0;
    const noise = Math.SQRT2 * medianError * (isKnown ? local / Math.sqrt(span) : local);
    if (apart <= farErrors * noise) continue;
    // Of more values: a short flip just before would be half of the few.
    const level = medianOf(span, Math.min(2 * levelValues, count - span));
    if (Math.abs(after - level) <= farErrors * noise) continue;
    series.moving = { since: frames[span - 1]!, level };
    return true;
  }
  return false;
}

/** Values that are to be compared after a frame, by its last two bits. */
const longestSpans = [0, 1, 2, 3].map(frame =>
  Math.max(2 * spans.findLast(span => (frame & ((span >> 2) - 1)) === 0)!, fewestValues),
);

/** How far apart the medians of the newest gathered values, and of as many before, can be: a median is within a standard deviation of the mean. */
function mostApart(span: number): number {
  const { shifts } = newest;
  const origin = shifts[0]!;
  let [sum, square, sumBefore, squareBefore] = [0, 0, 0, 0];
  for (let i = 0; i < span; i++) {
    const value = shifts[i]! - origin;
    const before = shifts[span + i]! - origin;
    sum += value;
    square += value * value;
    sumBefore += before;
    squareBefore += before * before;
  }
  const scatter = Math.sqrt(square * span - sum * sum) + Math.sqrt(squareBefore * span - sumBefore * sumBefore);
  return (Math.abs(sum - sumBefore) + scatter) / span;
}

/** Time between two frames in intervals. */
const ringFrames = ({ times, interval }: FrameRing, from: number, to: number): number =>
  interval > 0 ? (times[to & lastTime]! - times[from & lastTime]!) / interval : to - from;

/** Once the newest values stay where they are, tells the change, unless it came back. */
function endMove(series: SeriesState, ring: FrameRing, frame: number): ShiftChange | null {
  const { since, level } = series.moving!;
  gather(series, frame, since, levelValues);
  const half = levelValues / 2;
  const late = frame - since >= longestMove;
  if (newest.count < levelValues && !late) return null;
  const isSettled = newest.count === levelValues && stays(series);
  if (!isSettled && !late) return null;
  const to = newest.count === 0 ? level : medianOf(0, isSettled ? levelValues : Math.min(half, newest.count));
  const settledFrom = newest.count === 0 ? frame : newest.frames[newest.count - 1]!;
  series.moving = null;
  // It was an outlier that lasted: what is left is the level as before.
  const isBack = Math.abs(to - level) <= farErrors * errorOf(series, half, ringFrames(ring, since, frame));
  const change = isBack ? null : changeAt(series, ring, frame, level, to, isSettled, settledFrom);
  const end = change ? Math.min(change.frame, settledFrom) : since;
  feed(series, ring, end);
  if (change) {
    breakAllan(series.allan);
    breakTrend(series.trend);
    if (series.chart) series.chart = newChart();
  }
  // Where the change was a step, its values after it are the new level; of a slow one only those that have settled.
  const isStep = change !== null && settledFrom - change.frame <= half;
  series.from = isStep ? change.frame : settledFrom;
  series.fed = Math.max(series.fed, series.from);
  if (!change) {
    breakAllan(series.allan);
    return null;
  }
  series.changeCount++;
  series.changes = [...series.changes, change.change].slice(-newestChanges);
  return change.change;
}

/** Whether the gathered values are of one level: their halves agree, and all but two are near. */
function stays(series: SeriesState): boolean {
  const half = levelValues / 2;
  // The series may be on its way: what neighbours differ by counts only where its noise is not known.
  const local = deviationFromAbove(series.allan, half) > 0 ? 0 : localNoise();
  const limit = Math.max(errorOf(series, half, half), (Math.SQRT2 * medianError * local) / Math.sqrt(half));
  if (Math.abs(medianOf(0, half) - medianOf(half, half)) > (farErrors / 2) * limit) return false;
  const middle = medianOf(0, levelValues);
  const most = farErrors * Math.max(errorOf(series, 1, 1), local);
  let near = 0;
  for (let i = 0; i < levelValues; i++) if (Math.abs(newest.shifts[i]! - middle) <= most) near++;
  return near >= levelValues - 2;
}

/**
 * When a series went from one level to another: each moment between two frames has a probability, from how well the values before fit the one
 * level and those after the other (Smith, Biometrika 62, 407 (1975), with known levels and variance and no prior knowledge of the moment). The
 * time is the mean, its error the standard deviation with that of a moment within an interval, (interval)²/12. Of a slow change it is the time
 * of its half.
 */
function changeAt(
  series: SeriesState,
  ring: FrameRing,
  frame: number,
  from: number,
  to: number,
  settled: boolean,
  settledFrom: number,
): { change: ShiftChange; frame: number } | null {
  const oldest = Math.max(series.from, frame - longestMove - spans.at(-1)!);
  const { frames, shifts, count } = gather(series, frame, oldest, keptFrames);
  const noise = Math.max(localNoise(), leastNoise, Math.abs(to - from) / 40);
  // Newest first: sums of what each value says for the new level against the old one.
  const gain = sorted.subarray(keptFrames);
  let [sum, best] = [0, 0];
  for (let i = 0; i < count; i++) {
    const [old, now] = [clipped((shifts[i]! - from) / noise), clipped((shifts[i]! - to) / noise)];
    sum += (old - now) / 2;
    gain[i] = sum;
    if (sum > gain[best]!) best = i;
  }
  if (best + 1 >= count) return null;
  const timeOf = (n: number): number => ring.times[n & lastTime]!;
  const origin = timeOf(frames[best]!);
  let [weight, mean, square] = [0, 0, 0];
  for (let i = 0; i + 1 < count; i++) {
    const probability = Math.exp(gain[i]! - gain[best]!);
    const [after, before] = [timeOf(frames[i]!) - origin, timeOf(frames[i + 1]!) - origin];
    const middle = (after + before) / 2;
    weight += probability;
    mean += probability * middle;
    square += probability * (middle ** 2 + (after - before) ** 2 / 12);
  }
  mean /= weight;
  const variance = Math.max(0, square / weight - mean ** 2);
  const first = frames[best]!;
  // What was before it is noise of the level that it ends.
  feed(series, ring, Math.min(first, settledFrom));
  gather(series, frame, oldest, keptFrames);
  const { height, heightSigma } = heightAt(series, best, count);
  return {
    frame: first,
    change: {
      kind: series.kind,
      name: series.name,
      // Whole ms, as they are written.
      time: Math.round(origin + mean + ring.clock),
      timeSigma: Math.sqrt(variance) / 1000,
      height,
      heightSigma,
      settled,
    },
  };
}

/** Of a step among the gathered values: mean of those that settled after it less that before, without those far from all others. */
function heightAt(series: SeriesState, last: number, count: number): { height: number; heightSigma: number } {
  const [after, before] = [Math.min(last + 1, levelValues), Math.min(count - last - 1, 2 * levelValues)];
  const levels = [
    [0, after],
    [last + 1, before],
  ].map(([from, values]) => {
    const [shifts, at] = [newest.shifts, newest.frames].map(each => each.subarray(from, from! + values!));
    return {
      level: plateau(shifts!),
      mean: medianOf(from!, values!),
      sigmas: Array.from(at!, frame => series.sigmas[frame & lastKept]!),
      known: levelError(series, values!),
    };
  });
  const [now, old] = levels.map(({ level, mean }) => level?.mean ?? mean);
  const common = commonErrors(levels.flatMap(({ level, ...beside }) => (level ? [{ level, ...beside }] : [])));
  const errors = [...levels.map(({ known }) => known), ...common];
  return { height: now! - old!, heightSigma: Math.hypot(...errors) };
}

/** Standard error of the mean of so many neighbours, px: two of them differ by both, whatever the noise, where they lie side by side. */
function levelError({ allan, sigma }: SeriesState, values: number): number {
  const own = sigma > 0 ? sigma / Math.sqrt(values) : 0;
  return Math.max(deviationOfMean(allan, values) || localNoise() / Math.sqrt(values), own / 4, leastNoise);
}

/** Squares, of which one far value makes no more than thirty-six. */
const clipped = (deviation: number): number => Math.min(deviation ** 2, 36);
