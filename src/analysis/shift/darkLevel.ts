import { createKernelValues, type LineKernel } from '../joint/lineKernel.ts';
import { medianInPlace, nthSmallest } from '../nthSmallest.ts';
import { quantile } from '../quantile.ts';
import type { GatheredRoi } from './referenceLines.ts';

/** What a ROI tells of the dark level. */
export type LitRoi = Pick<GatheredRoi, 'layout' | 'each' | 'means' | 'line'>;

/** Parts of the blocks by the light of their line, and the share of a part's blocks that must not be saturated: those that are left are the dim ones. */
const parts = 12;
const wholeShare = 0.9;
/** Bins between those that are compared: a long pattern does not bend within a few pixels. */
const distances = [1, 2, 4];
/** Share of the light that the pattern's bends have at least, to tell anything; and their energy in the darkest part over that of the noise. */
const leastContrast = 0.02;
const leastSignal = 1;
/** A place with a smaller share of the line's light has none of it. */
const unlit = 0.05;
/** Of the magnitude of a standard normal deviate. */
const upperQuartileOfNormal = 1.1503;
/** Counts. */
const tolerance = 0.05;
/** The dark level is below nearly all light, and that by a share of it. */
const darkestShare = 0.03;
const mostShare = 0.95;

/** Places of the same light, about: where two neighbours and the middle of each lie in the lists of {@link gather}. */
interface Part {
  light: number;
  from: number;
  to: number;
  /** Variance of the mean frame's second differences by noise in time. */
  noise: number;
}

/** Second differences along the rows at many places, by the light of the line. */
interface Places {
  /** Of neighbour, middle, neighbour: counts, and the line's light there. */
  counts: Float64Array;
  lights: Float64Array;
  parts: Part[];
  darkest: number;
}

/**
 * The camera's dark level from the frames alone, counts: a static pattern multiplies the light, so it bends the logarithm of
 * (counts − dark level) / (line's light − dark level) from block to block by as much in dark places as in bright ones. Below the right level it bends less in dark places,
 * above it more. Without a pattern nothing depends on the dark level, and it is 0.
 */
export function estimateDarkLevel(rois: readonly LitRoi[], kernel: LineKernel): number {
  for (const distance of distances) {
    const places = gather(rois, kernel, distance);
    if (places.parts.length < 3) continue;
    const found = search(places);
    if (found !== null) return found;
  }
  return 0;
}

/** Null: the pattern does not show at this distance. */
function search(places: Places): number | null {
  let low = 0;
  let high = mostShare * places.darkest;
  while (high - low > tolerance) {
    const middle = 0.5 * (low + high);
    if (bendsAt(places, middle).vanishesAt > middle) low = middle;
    else high = middle;
  }
  return bendsAt(places, low).isShown ? low : null;
}

/** With a dark level: the light at which the bends vanish, in counts, by a straight line; and whether they are a pattern's. */
function bendsAt(places: Places, dark: number): { vanishesAt: number; isShown: boolean } {
  let sum = 0;
  let sumX = 0;
  let sumY = 0;
  let sumXX = 0;
  let sumXY = 0;
  let signal = 0;
  for (const { light, from, to, noise } of places.parts) {
    const bend = (light - dark) * bendOfLogarithm(places, from, to, dark);
    const energy = Math.max(bend * bend - noise, 0);
    if (sum === 0) signal = energy - leastSignal * noise;
    const y = Math.sqrt(energy);
    const weight = 1 / Math.max(energy, Number.EPSILON * light * light);
    sum += weight;
    sumX += weight * light;
    sumY += weight * y;
    sumXX += weight * light * light;
    sumXY += weight * light * y;
  }
  const slope = (sum * sumXY - sumX * sumY) / (sum * sumXX - sumX * sumX);
  return { vanishesAt: (sumX - sumY / slope) / sum, isShown: slope > leastContrast && signal > 0 };
}

/** Standard deviation of the second differences of log((counts − dark) / (line − dark)), by the third quartile: a quarter may be dust. */
function bendOfLogarithm({ counts, lights }: Places, from: number, to: number, dark: number): number {
  const bends = new Float64Array(to - from);
  let used = 0;
  for (let place = from; place < to; place++) {
    const [a, b, c] = [3 * place, 3 * place + 1, 3 * place + 2].map(at => (counts[at] - dark) / (lights[at] - dark));
    if (a > unlit && b > unlit && c > unlit) bends[used++] = Math.abs(Math.log((a * c) / (b * b)));
  }
  return used > 0 ? nthSmallest(bends, 0, used, Math.floor(0.75 * used)) / upperQuartileOfNormal : 0;
}

function gather(rois: readonly LitRoi[], kernel: LineKernel, distance: number): Places {
  const found: { counts: number[]; lights: number[]; noise: number }[] = [];
  for (const {
    layout,
    each,
    means: [means],
    line,
  } of rois) {
    const { groups, count } = layout;
    const values = createKernelValues(count);
    kernel.fill(layout, line.position, line.width, line.asymmetry, values, 0);
    const lights = values.line.map(value => line.base + line.height * value);
    for (let group = 0; group < groups; group++) {
      for (let bin = distance; bin < count - distance; bin++) {
        const at = group * count + bin;
        const three = (of: Float64Array | Float32Array, middle: number): number[] => [
          of[middle - distance],
          of[middle],
          of[middle + distance],
        ];
        const noise = varianceOfMean(each.map(frame => bendOf(three(frame, at))));
        found.push({ counts: three(means, at), lights: three(lights, bin), noise });
      }
    }
  }
  found.sort((a, b) => a.lights[1] - b.lights[1]);
  const all: Part[] = [];
  const whole: typeof found = [];
  for (let part = 0; part < parts; part++) {
    const own = found.slice(Math.floor((part * found.length) / parts), Math.floor(((part + 1) * found.length) / parts));
    const used = own.filter(({ counts }) => !counts.some(Number.isNaN));
    if (used.length < 8 || used.length < wholeShare * own.length) continue;
    const from = whole.length;
    whole.push(...used);
    const middle = (of: (place: (typeof found)[number]) => number): number =>
      medianInPlace(Float64Array.from(used, of), 0, used.length);
    all.push({
      light: middle(({ lights }) => lights[1]),
      from,
      to: whole.length,
      noise: middle(({ noise }) => noise) / medianOfVariance(rois[0].each.length),
    });
  }
  return {
    counts: Float64Array.from(whole.flatMap(({ counts }) => counts)),
    lights: Float64Array.from(whole.flatMap(({ lights }) => lights)),
    parts: all,
    darkest: quantile(
      Float64Array.from(whole, ({ lights }) => lights[1]),
      darkestShare,
      whole.length,
    ),
  };
}

const bendOf = ([a, b, c]: readonly number[]): number => a - 2 * b + c;

/** 0 of one value. */
function varianceOfMean(values: readonly number[]): number {
  const count = values.length;
  if (count < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1) / count;
}

/** Of a variance from so many values, over its mean (Wilson & Hilferty, Proc. Nat. Acad. Sci. 17, 684 (1931)). */
const medianOfVariance = (values: number): number => (values < 2 ? 1 : (1 - 2 / (9 * (values - 1))) ** 3);
