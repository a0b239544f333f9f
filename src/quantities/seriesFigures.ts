import { duration, withError } from '../model/quantity.ts';
import { type AllanPoint, allanDeviations } from './allan.ts';
import { chartOf } from './controlChart.ts';
import { gather, medianOf } from './newestValues.ts';
import type { Quality, SeriesFigures } from './quantities.ts';
import { type Measured, robustSlope } from './robustSlope.ts';
import { type FrameRing, lastKept, lastTime, type SeriesState, type ValueKind, valueKinds } from './seriesState.ts';
import { slowNoise } from './slowNoise.ts';
import { type Trend, trendOf } from './trend.ts';

/** Frames by which the quality is told. */
const qualityFrames = 64;

const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** All figures of a series now. */
export function figuresOf(series: SeriesState, ring: FrameRing, windowFrames: number): SeriesFigures {
  const frame = ring.count - 1;
  const oldest = Math.max(ring.zeroFrom, frame + 1 - windowFrames);
  const { count, frames, shifts } = gather(series, frame, oldest, windowFrames);
  const x = Array.from(
    frames.subarray(0, count),
    n => (ring.times[n & lastTime]! - ring.times[frame & lastTime]!) / 3_600_000,
  ).reverse();
  const y = Array.from(shifts.subarray(0, count)).reverse();
  const median = count > 0 ? medianOf(0, count) : null;
  const allan = allanDeviations(series.allan, 1);
  const trend = trendOf(series.trend);
  const slow = trend ? slowPart(series, ring, allan, trend) : 1;
  const noise = allan[0] && allan[0].differences > 1 ? allan[0].deviation : null;
  const figures = {
    kind: series.kind,
    name: series.name,
    frames: Math.max(0, ring.count - series.first),
    values: series.values,
    shift: orNull(series.shifts[frame & lastKept]!),
    median,
    rezeroed: median !== null && series.zeroCount > 0 ? median - series.zeroSum / series.zeroCount : null,
    slope: robustSlope(x, y),
    noise,
    allan,
    drift: trend && wider(trend.drift, slow),
    temperature: trend?.temperature ? wider(trend.temperature, slow) : null,
    flips: series.flips,
    chart: series.chart && chartOf(series.chart, series.allan),
    changeCount: series.changeCount,
    changes: series.changes,
  };
  return { ...figures, quality: qualityOf(series, ring, figures) };
}

const wider = ({ value, sigma }: Measured, factor: number): Measured => ({ value, sigma: factor * sigma });

/** Slow noise in the errors of a trend; levels that follow each other tell a slope as well as one that is longer by the third root of their number. */
function slowPart(
  series: SeriesState,
  ring: FrameRing,
  allan: readonly AllanPoint[],
  { drift, temperature }: Trend,
): number {
  // What the temperature does is in the Allan deviation, and no noise of the fit.
  if (temperature && Math.abs(temperature.value) > 3 * temperature.sigma) return 1;
  const hours = ring.interval / 3_600_000;
  const frames = (allan[0]?.differences ?? 0) / (series.changeCount + 1) ** (2 / 3);
  return slowNoise(allan, drift.value * hours, drift.sigma * hours, frames);
}

const percent = (part: number, of: number): string => `${Math.round((100 * part) / of)} %`;

function qualityOf(
  series: SeriesState,
  ring: FrameRing,
  { noise, drift }: Pick<SeriesFigures, 'noise' | 'drift'>,
): Quality {
  let frames = Math.min(qualityFrames, ring.count - series.first);
  if (frames < 1) return { word: 'new', reason: 'no frame yet' };
  // The frames that its reference is made from have no shift: they say nothing of a young series, nor does one frame after them.
  if (frames === ring.count - series.first)
    while (frames > 0 && valueKinds[series.kinds[(ring.count - frames) & lastKept]!] === 'missing') frames--;
  const of = new Array<number>(valueKinds.length).fill(0);
  for (let i = ring.count - frames; i < ring.count; i++) of[series.kinds[i & lastKept]!]!++;
  const count = (kind: ValueKind): number => of[valueKinds.indexOf(kind)]!;
  const last = `of the last ${frames} frames`;
  const share = (kind: ValueKind): string => `${percent(count(kind), frames)} ${last}`;
  if (frames < 1 || (series.values === 0 && count('missing') === frames))
    return { word: 'new', reason: 'it has no shift yet' };
  if (2 * (count('lost') + count('missing')) > frames)
    return {
      word: 'lost',
      reason: `no shift in ${percent(count('lost') + count('missing'), frames)} ${last}, its line lost in ${percent(count('lost'), frames)}`,
    };
  if (2 * count('low_signal') > frames)
    return { word: 'low light', reason: `too little light in ${share('low_signal')}` };
  if (2 * count('edge') > frames) return { word: 'edge', reason: `its line is at an edge in ${share('edge')}` };
  const flipped = count('two_peaks') + count('lost');
  if (10 * flipped > frames)
    return {
      word: 'flips',
      reason: `two peaks or lost in ${percent(flipped, frames)} ${last}; ${series.flips} times in all`,
    };
  if (series.moving) {
    const lasted = ring.times[(ring.count - 1) & lastTime]! - ring.times[series.moving.since & lastTime]!;
    return {
      word: 'moving',
      reason: `it has been off its level of ${series.moving.level.toFixed(3)} px for ${duration(Math.round(lasted / 1000) * 1000)}`,
    };
  }
  if (noise === null) return { word: 'new', reason: `${series.values} values are too few to tell its noise` };
  if (noise > 3 * series.sigma)
    return {
      word: 'noisy',
      reason: `neighbouring frames scatter by ${noise.toFixed(3)} px, its own uncertainty is ${series.sigma.toFixed(3)} px`,
    };
  if (drift && Math.abs(drift.value) > 5 * drift.sigma && Math.abs(drift.value) > 5 * noise)
    return { word: 'drifting', reason: `${withError(drift.value, drift.sigma)} px an hour` };
  return { word: 'good', reason: '' };
}
