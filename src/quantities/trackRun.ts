import { medianOf } from '../model/median.ts';
import type { NewReference, RunFigures, SeriesKind, ShiftChange } from './quantities.ts';
import { figuresOf } from './seriesFigures.ts';
import { type FrameRing, keptTimes, newSeries, type SeriesState, type ValueKind } from './seriesState.ts';
import { sortedMedian } from './sortedMedian.ts';
import { medianError, restartLevel, takeValue } from './trackSeries.ts';
import { newTrend } from './trend.ts';

/** One frame of a run, with its ROIs in the order of its labels. */
export interface TrackedFrame {
  /** ms since 1970 UTC, or as the clock at the camera showed it where UTC is not known. */
  time: number;
  /** What the clock at the camera showed, ms as if in UTC. */
  local: number;
  labels: readonly string[];
  /** Hash of what the shifts are measured from; null where that is not known. */
  reference: string | null;
  /** px; NaN where there is none. */
  shifts: Float32Array | Float64Array;
  /** Their standard errors, px. */
  sigmas: Float32Array | Float64Array;
  /** Why a value is to be distrusted; `good` where it is not. */
  kindOf: (roi: number) => ValueKind;
  /** Degrees, of the sensor that counts; NaN without. */
  temperature: number;
}

export interface TrackSettings {
  /** Frames of the rolling median and slope, at most {@link keptFrames}. */
  windowFrames: number;
  /** Groups of ROIs whose median is a series of its own. */
  groups: readonly { name: string; has: (label: string) => boolean }[];
  /** Images of this time are a second zero, beside the reference; ms as the clock at the camera showed it. Null: none. */
  zero: { from: number; end: number } | null;
}

/** All that is known of a run, as plain data of a size that its length does not change: it can be copied, kept and gone on with. */
export interface RunState {
  readonly ring: FrameRing;
  first: number;
  last: number;
  hasTemperature: boolean;
  /** The newest. */
  references: NewReference[];
  readonly series: SeriesState[];
}

export const newRun = (): RunState => ({
  ring: {
    count: 0,
    times: new Float64Array(keptTimes),
    clock: 0,
    temperatures: new Float64Array(keptTimes),
    interval: 0,
    zeroFrom: 0,
    isZero: false,
  },
  first: Number.NaN,
  last: Number.NaN,
  hasTemperature: false,
  references: [],
  series: [],
});

const keptReferences = 20;
/** Intervals that the typical one is the median of. */
const intervals = 31;
/** The halves of a bow-tie. */
const halves: readonly (readonly [string, string])[] = [
  ['_N', '_S'],
  ['_A', '_B'],
];

/** The bow-ties among some labels: their names, and where both halves stand. */
export function pairsOf(labels: readonly string[]): { name: string; first: number; second: number }[] {
  const placeOf = new Map(labels.map((label, i) => [label, i]));
  return labels.flatMap((label, first) => {
    const [own, other] = halves.find(([half]) => label.endsWith(half)) ?? [];
    if (own === undefined) return [];
    const name = label.slice(0, -own.length);
    const second = placeOf.get(`${name}${other}`);
    return second === undefined ? [] : [{ name, first, second }];
  });
}

/** Where the series of some labels stand. */
interface Plan {
  labels: readonly string[];
  rois: readonly SeriesState[];
  pairs: readonly { first: number; second: number; resonance: SeriesState; movement: SeriesState }[];
  groups: readonly { series: SeriesState; members: readonly number[] }[];
}

/**
 * Follows the shifts of a run, frame by frame in order of time, in memory and time for each frame that do not grow with its length.
 * What it says after a frame depends on the frames up to it alone: live and afterwards are the same.
 */
export class RunTracker {
  readonly state: RunState;
  readonly #settings: TrackSettings;
  readonly #byName: Map<string, SeriesState>;
  #plan: Plan | null = null;

  /** @param state goes on from there; it is changed */
  constructor(settings: TrackSettings, state: RunState = newRun()) {
    this.#settings = settings;
    this.state = state;
    this.#byName = new Map(state.series.map(series => [`${series.kind} ${series.name}`, series]));
  }

  /** Takes over what another tracker has found of the second zero, which has taken the images of that time alone. */
  takeZero(of: RunTracker): void {
    const isSame = of.state.references.at(-1)?.reference === this.state.references.at(-1)?.reference;
    for (const series of this.state.series) {
      const found = isSame ? of.#byName.get(`${series.kind} ${series.name}`) : undefined;
      series.zeroSum = found?.zeroSum ?? 0;
      series.zeroCount = found?.zeroCount ?? 0;
    }
  }

  /** Takes a frame that is later than all before. Gives the changes that are found with it. */
  take(frame: TrackedFrame): ShiftChange[] {
    return this.takeAll([frame]);
  }

  /**
   * Takes frames in order, with the same outcome as one by one, in half the time: what is known of a series is in the processor's cache for
   * the second of them.
   * @param frames at most {@link keptFrames}
   */
  takeAll(frames: readonly TrackedFrame[]): ShiftChange[] {
    const changes: ShiftChange[] = [];
    for (let i = 0; i < frames.length; ) {
      this.#takeReference(frames[i]!);
      let end = i + 1;
      while (end < frames.length && this.#goesOn(frames[end - 1]!, frames[end]!)) end++;
      changes.push(...this.#takeBlock(frames.slice(i, end)));
      i = end;
    }
    return changes;
  }

  /** Whether nothing that all series have in common changes with a frame. */
  #goesOn(before: TrackedFrame, { labels, reference, temperature }: TrackedFrame): boolean {
    const { references, hasTemperature } = this.state;
    const isSame = reference === null || reference === references.at(-1)?.reference;
    return labels === before.labels && isSame && (hasTemperature || !Number.isFinite(temperature));
  }

  /** Series by series, each through all frames. */
  #takeBlock(frames: readonly TrackedFrame[]): ShiftChange[] {
    const { state } = this;
    const { rois, pairs, groups } = this.#planOf(frames[0]!.labels);
    // As it is after each of the frames.
    const rings = frames.map(frame => {
      this.#takeTime(frame);
      return { ...state.ring };
    });
    const found = frames.map((): ShiftChange[] => []);
    const take = (series: SeriesState, k: number, shift: number, sigma: number, kind: ValueKind): void => {
      const seen = Number.isNaN(shift) && kind === 'good' ? 'missing' : kind;
      const change = takeValue(series, rings[k]!, shift, sigma, seen);
      if (change) found[k]!.push(change);
    };
    for (let i = 0; i < rois.length; i++) {
      for (let k = 0; k < frames.length; k++) {
        const { shifts, sigmas, kindOf } = frames[k]!;
        take(rois[i]!, k, shifts[i]!, sigmas[i]!, kindOf(i));
      }
    }
    for (const { first, second, resonance, movement } of pairs) {
      for (const [series, sign] of [
        [resonance, 1],
        [movement, -1],
      ] as const) {
        for (let k = 0; k < frames.length; k++) {
          const { shifts, sigmas, kindOf } = frames[k]!;
          const sigma = Math.sqrt(sigmas[first]! ** 2 + sigmas[second]! ** 2) / 2;
          take(series, k, (shifts[first]! + sign * shifts[second]!) / 2, sigma, worst(kindOf(first), kindOf(second)));
        }
      }
    }
    for (const { series, members } of groups) {
      for (const [k, { shifts, sigmas, kindOf }] of frames.entries()) {
        const there = new Float64Array(members.length);
        let [count, squares] = [0, 0];
        for (const i of members) {
          if (kindOf(i) !== 'good' || Number.isNaN(shifts[i]!)) continue;
          there[count++] = shifts[i]!;
          squares += sigmas[i]! ** 2;
        }
        const isThere = count > 0 && 2 * count >= members.length;
        const sigma = (medianError * Math.sqrt(squares)) / count;
        const median = isThere ? sortedMedian(there.subarray(0, count).sort(), count) : Number.NaN;
        take(series, k, median, sigma, 'good');
      }
    }
    // Series that these frames lack.
    for (const series of state.series) {
      if (this.#taken.has(series)) continue;
      for (let k = 0; k < frames.length; k++) take(series, k, Number.NaN, Number.NaN, 'missing');
    }
    return found.flat();
  }

  /** Series of the current plan. */
  #taken = new Set<SeriesState>();

  /** Shifts from another reference have another zero: no level goes on. */
  #takeReference({ reference, local }: TrackedFrame): void {
    const { state } = this;
    const last = state.references.at(-1)?.reference;
    if (reference === null || reference === last) return;
    state.references = [...state.references, { reference, since: local }].slice(-keptReferences);
    if (last === undefined) return;
    for (const series of state.series) restartLevel(series, state.ring);
    state.ring.zeroFrom = state.ring.count;
  }

  #takeTime({ time, local, temperature }: TrackedFrame): void {
    const { ring } = this.state;
    const at = ring.count % keptTimes;
    const before = ring.temperatures[(ring.count + keptTimes - 1) % keptTimes]!;
    ring.times[at] = time;
    ring.clock = local - time;
    ring.count++;
    const { zero } = this.#settings;
    ring.isZero = zero !== null && local >= zero.from && local < zero.end;
    if (Number.isNaN(this.state.first)) this.state.first = local;
    this.state.last = local;
    if (Number.isFinite(temperature) && !this.state.hasTemperature) {
      this.state.hasTemperature = true;
      for (const series of this.state.series) series.trend = newTrend();
      ring.temperatures.fill(temperature);
    }
    // A reading that is missing is taken to be the one before.
    ring.temperatures[at] = Number.isFinite(temperature) ? temperature : before;
    const gaps: number[] = [];
    for (let i = ring.count - 1; i > 0 && gaps.length < intervals && i > ring.count - keptTimes; i--)
      gaps.push(ring.times[i % keptTimes]! - ring.times[(i - 1) % keptTimes]!);
    ring.interval = gaps.length > 0 ? medianOf(gaps) : 0;
  }

  #planOf(labels: readonly string[]): Plan {
    if (this.#plan?.labels === labels) return this.#plan;
    const rois = labels.map(label => this.#series('roi', label));
    const pairs = pairsOf(labels).map(({ name, first, second }) => ({
      first,
      second,
      resonance: this.#series('resonance', name),
      movement: this.#series('movement', name),
    }));
    const groups = this.#settings.groups.map(({ name, has }) => ({
      series: this.#series('group', name),
      members: labels.flatMap((label, i) => (has(label) ? [i] : [])),
    }));
    this.#plan = { labels, rois, pairs, groups };
    this.#taken = new Set([
      ...rois,
      ...pairs.flatMap(({ resonance, movement }) => [resonance, movement]),
      ...groups.map(({ series }) => series),
    ]);
    return this.#plan;
  }

  #series(kind: SeriesKind, name: string): SeriesState {
    const key = `${kind} ${name}`;
    let series = this.#byName.get(key);
    if (!series) {
      series = newSeries(kind, name, this.state.ring.count);
      this.#byName.set(key, series);
      this.state.series.push(series);
    }
    return series;
  }

  /** What is known now. */
  figures(sensor: string | null): RunFigures {
    const { state } = this;
    const { windowFrames } = this.#settings;
    const of = (kind: SeriesKind) =>
      state.series.filter(each => each.kind === kind).map(each => figuresOf(each, state.ring, windowFrames));
    const movements = of('movement');
    return {
      frames: state.ring.count,
      first: state.first,
      last: state.last,
      interval: state.ring.count > 1 ? state.ring.interval / 1000 : null,
      windowFrames,
      sensor: state.hasTemperature ? sensor : null,
      zero: this.#settings.zero,
      references: state.references,
      rois: of('roi'),
      pairs: of('resonance').map((resonance, i) => ({ name: resonance.name, resonance, movement: movements[i]! })),
      groups: of('group'),
    };
  }
}

/** Of a pair: where one half has no value, the pair has none. */
const worst = (a: ValueKind, b: ValueKind): ValueKind => (a === 'good' ? b : a);
