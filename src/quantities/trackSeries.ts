import { addToAllan, breakAllan, deviationFromAbove, deviationOfMean } from './allan.ts';
import { commonErrors } from './commonErrors.ts';
import { addToChart, newChart } from './controlChart.ts';
import { isFar, isJump } from './loneValues.ts';
import { gather, localNoise, medianOf, newest } from './newestValues.ts';
import { plateau } from './plateau.ts';
import type { ShiftChange } from './quantities.ts';
import {
  type FrameRing,
  fewestValues,
  good,
  keptFrames,
  lastKept,
  lastTime,
  leastNoise,
  type SeriesState,
  type ValueKind,
  valueKinds,
} from './seriesState.ts';
import { addToTrend, breakTrend } from './trend.ts';

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
const newestChanges = 20;
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

/** What the newest values say for a new level, newest first: one place for all series. */
const gain = new Float64Array(keptFrames);

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
