import { medianOf } from '../model/median.ts';
import type { AllanPoint } from './allan.ts';
import { independentOf } from './noiseModel.ts';

/** Series that can tell what is usual among them. */
const fewest = 8;
/** Independent differences that a deviation is known from. */
const least = 1;
/** Standard deviations from the middle beyond which a series is not as the others are. */
const farDeviations = 4;

/** What the noise of averages of so many frames is in most series; logarithms of variances. */
interface Usual {
  mean: number;
  /** It is as much larger where the noise of one frame is: 1, or the same in px for all: 0. */
  scaled: 0 | 1;
  /** As good as so many independent pairs of differences. */
  weight: number;
  low: number;
  high: number;
}

/**
 * The Allan deviations of series that see the same kinds of noise, each with what the others tell of it (empirical Bayes: Efron and Morris, J. Am. Stat. Assoc.
 * 70, 311 (1975)). A short series can't tell how slow its noise is; hundreds of them can. How far they differ from each other by more than chance
 * says how much the others count; where they differ by less, they have their noise in common, and are as good as fewer. Series far from most
 * stay as they are, and so do all where they are fewer than eight.
 */
export function pooledAllan(all: readonly (readonly AllanPoint[])[]): AllanPoint[][] {
  const pooled: AllanPoint[][] = all.map(() => []);
  // The noise of one frame in each series, and how well it is known.
  const one = all.map(() => ({ log: 0, weight: Number.POSITIVE_INFINITY }));
  const longest = Math.max(0, ...all.flatMap(points => points.map(({ frames }) => frames)));
  for (let frames = 1; frames <= longest; frames *= 2) {
    const points = all.map(series => series.find(point => point.frames === frames) ?? null);
    const logs = points.map(point =>
      point && point.deviation > 0 && independentOf(point) >= least ? 2 * Math.log(point.deviation) : Number.NaN,
    );
    const usual = usualOf(points, logs, one);
    for (const [i, point] of points.entries()) {
      if (!point) continue;
      const log = logs[i]!;
      const own = independentOf(point) / 2;
      const scale = usual?.scaled === 1 ? one[i]!.log : 0;
      const isUsual = usual !== null && log - scale >= usual.low && log - scale <= usual.high;
      if (!isUsual) {
        pooled[i]!.push(point);
        if (frames === 1) one[i] = { log, weight: own };
        continue;
      }
      const weight = 1 / (1 / usual.weight + (usual.scaled === 1 ? 1 / one[i]!.weight : 0));
      const sum = own + weight;
      const found = (own * log + weight * (usual.mean + scale)) / sum;
      pooled[i]!.push({ frames, deviation: Math.exp(found / 2), differences: (point.differences * sum) / own });
      if (frames === 1) one[i] = { log: found, weight: sum };
    }
  }
  return pooled;
}

/** Differences that overlap are as good as so many times more, where they are few. */
const better = 1.5;

/** The variance of the logarithm of a variance of 2n degrees of freedom: the trigamma function of n. */
function logVariance(n: number): number {
  let [sum, x] = [0, n];
  for (; x < 6; x++) sum += 1 / x ** 2;
  return sum + 1 / x + 1 / (2 * x ** 2) + 1 / (6 * x ** 3);
}

/** Series that differ by much less than chance have their noise in common: that part of it. Chance itself is known to a factor of a few. */
const sharedPart = (variance: number, chance: number): number => Math.max(0, 1 - (8 * variance) / chance);

function usualOf(
  points: readonly (AllanPoint | null)[],
  logs: readonly number[],
  one: readonly { log: number }[],
): Usual | null {
  const there = logs.flatMap((log, i) => (Number.isNaN(log) ? [] : [i]));
  if (there.length < fewest) return null;
  const isFirst = points[there[0]!]!.frames === 1;
  const own = there.reduce((sum, i) => sum + independentOf(points[i]!) / 2, 0) / there.length;
  const chance = logVariance(better * own);
  const found = (isFirst ? [0 as const] : ([0, 1] as const)).map(scaled => {
    const values = there.map(i => logs[i]! - scaled * one[i]!.log).sort((a, b) => a - b);
    const at = (share: number): number => values[Math.round(share * (values.length - 1))]!;
    const spread = Math.max((at(0.84) - at(0.16)) / 2, Math.sqrt(chance));
    const [low, high] = [at(0.5) - farDeviations * spread, at(0.5) + farDeviations * spread];
    const kept = values.filter(value => value >= low && value <= high);
    const mean = kept.reduce((sum, value) => sum + value, 0) / kept.length;
    const variance = kept.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (kept.length - 1);
    // The mean of variances is greater than that of their logarithms by what chance makes of them, not by what they truly differ by.
    const ofVariances = Math.log(kept.reduce((sum, value) => sum + Math.exp(value), 0) / kept.length);
    const bias = Math.min(ofVariances - mean, 1 / (2 * own) + 1 / (12 * own ** 2));
    // What chance may do to such a variance.
    const margin = 1.1 + 1.5 * Math.sqrt(2 / kept.length);
    const shared = sharedPart(variance, chance);
    const weight = 1 / (shared * chance + variance / kept.length + Math.max(0, variance / margin - chance));
    return { scaled, mean: mean + bias, variance, low, high, weight };
  });
  return found.reduce((a, b) => (b.variance < a.variance ? b : a));
}

/** px a frame. */
export interface DriftEstimate {
  value: number;
  variance: number;
}

/** Deviations from what is usual beyond which a drift is a series' own. */
const ownDeviations = 3;

/**
 * Drifts, each with what the others tell of it: drawn to what is usual among the series, which itself is drawn to zero (James and Stein, Proc. 4th Berkeley Symp.
 * 1, 361 (1961); Efron and Morris, J. Am. Stat. Assoc. 70, 311 (1975)). One that is surely another stays (limited translation, Efron and Morris 1972). Fewer than
 * eight are each drawn to zero.
 *
 * @param drifts those of infinite variance are not known
 */
export function pooledDrifts(drifts: readonly DriftEstimate[]): DriftEstimate[] {
  const there = drifts.filter(({ variance }) => Number.isFinite(variance));
  const { mean, meanVariance, between } = there.length < fewest ? noDrift : usualDrift(there);
  return drifts.map(({ value, variance }) => {
    if (!Number.isFinite(variance)) return { value: 0, variance: 0 };
    const distance = (value - mean) ** 2;
    const isOwn = there.length < fewest || distance > ownDeviations ** 2 * (between + variance);
    const own = isOwn ? Math.max(0, distance - variance) : between;
    const share = own > 0 ? own / (own + variance) : 0;
    return { value: mean + share * (value - mean), variance: share * variance + (1 - share) ** 2 * meanVariance };
  });
}

const noDrift = { mean: 0, meanVariance: 0, between: 0 };

function usualDrift(drifts: readonly DriftEstimate[]): typeof noDrift {
  const chance = medianOf(drifts.map(({ variance }) => variance));
  const middle = medianOf(drifts.map(({ value }) => value));
  const spread = 1.4826 * medianOf(drifts.map(({ value }) => Math.abs(value - middle)));
  const between = Math.max(0, spread ** 2 - chance);
  const meanVariance = sharedPart(spread ** 2, chance) * chance + (1.5 * spread ** 2) / drifts.length;
  const share = Math.max(0, 1 - meanVariance / middle ** 2);
  return { mean: share * middle, meanVariance: share * meanVariance, between };
}
