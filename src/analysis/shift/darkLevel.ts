import { createKernelValues, type LineKernel } from '../joint/lineKernel.ts';
import { medianInPlace, nthSmallest } from '../nthSmallest.ts';
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
/** Of a place with a smaller share of the line's light a part has none, and so may those that are so many bins, and a group of rows, away. */
const unlit = 0.25;
const besideDark = 2;
/** Of the magnitude of a standard normal deviate. */
const upperQuartileOfNormal = 1.1503;
/** Counts. */
const tolerance = 0.05;
/** The dark level is below nearly all light, and that by a share of it. */
const darkestShare = 0.03;
const mostShare = 0.95;

/** Second differences along the rows at many places. */
interface Bends {
  /** Of each place's neighbour, itself and its other neighbour, and of the darkest place about them: counts, and the line's light there. */
  counts: Float64Array;
  lights: Float64Array;
  /** Variance of the mean frame's second difference by noise in time. */
  noise: Float64Array;
}

/** Places of about the same light. */
interface Part {
  light: number;
  places: Int32Array;
  /** As of each of them, in the middle. */
  noise: number;
}

/**
 * The camera's dark level from the frames alone, counts: a static pattern multiplies the light, so it bends the logarithm of
 * (counts − dark level) / (line's light − dark level) from block to block by as much in dark places as in bright ones. Below the right level it bends less in dark places,
 * above it more. Without a pattern nothing depends on the dark level, and it is 0.
 */
export function estimateDarkLevel(rois: readonly LitRoi[], kernel: LineKernel): number {
  for (const distance of distances) {
    const bends = bendsOf(rois, kernel, distance);
    const partition = partsOf(bends, rois[0]?.each.length ?? 0);
    if (partition.parts.length < 3) continue;
    const found = search(bends, partition);
    if (found !== null) return found;
  }
  return 0;
}

/** Null: the pattern does not show at this distance. */
function search(bends: Bends, { parts, darkest }: Partition): number | null {
  let low = 0;
  let high = mostShare * darkest;
  while (high - low > tolerance) {
    const middle = 0.5 * (low + high);
    if (judge(bends, parts, middle).vanishesAt > middle) low = middle;
    else high = middle;
  }
  return judge(bends, parts, low).isShown ? low : null;
}

/** With a dark level: the light at which the bends vanish, in counts, by a straight line; and whether they are a pattern's. */
function judge(bends: Bends, parts: readonly Part[], dark: number): { vanishesAt: number; isShown: boolean } {
  let sum = 0;
  let sumX = 0;
  let sumY = 0;
  let sumXX = 0;
  let sumXY = 0;
  let signal = 0;
  for (const { light, places, noise } of parts) {
    const bend = (light - dark) * bendOfLogarithm(bends, places, dark);
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
function bendOfLogarithm({ counts, lights }: Bends, places: Int32Array, dark: number): number {
  const bends = new Float64Array(places.length);
  let used = 0;
  for (const place of places) {
    const at = 4 * place;
    if (!(counts[at + 3] - dark > unlit * (lights[at + 3] - dark))) continue;
    const a = (counts[at] - dark) / (lights[at] - dark);
    const b = (counts[at + 1] - dark) / (lights[at + 1] - dark);
    const c = (counts[at + 2] - dark) / (lights[at + 2] - dark);
    const bend = Math.abs(Math.log((a * c) / (b * b)));
    if (bend < Number.POSITIVE_INFINITY) bends[used++] = bend;
  }
  return used > 0 ? nthSmallest(bends, 0, used, Math.floor(0.75 * used)) / upperQuartileOfNormal : 0;
}

function bendsOf(rois: readonly LitRoi[], kernel: LineKernel, distance: number): Bends {
  const size = rois.reduce((sum, { layout: { groups, count } }) => sum + groups * Math.max(0, count - 2 * distance), 0);
  const counts = new Float64Array(4 * size);
  const lights = new Float64Array(4 * size);
  const noise = new Float64Array(size);
  let place = 0;
  for (const { layout, each, means, line } of rois) {
    const { groups, count } = layout;
    const values = createKernelValues(count);
    kernel.fill(layout, line.position, line.width, line.asymmetry, values, 0);
    const ofLine = values.line.map(value => line.base + line.height * value);
    for (let group = 0; group < groups; group++) {
      for (let bin = distance; bin < count - distance; bin++, place++) {
        const at = group * count + bin;
        for (let k = 0; k < 3; k++) {
          counts[4 * place + k] = means[0][at + (k - 1) * distance];
          lights[4 * place + k] = ofLine[bin + (k - 1) * distance];
        }
        const darkest = darkestAbout(means[0], layout, ofLine, group, bin, distance + besideDark);
        counts[4 * place + 3] = means[0][darkest];
        lights[4 * place + 3] = ofLine[darkest % count];
        noise[place] = varianceOfMean(each.map(frame => frame[at - distance] - 2 * frame[at] + frame[at + distance]));
      }
    }
  }
  return { counts, lights, noise };
}

/** Of the blocks up to so many bins and a group away, the one with the smallest share of the line's light. */
function darkestAbout(
  counts: Float64Array,
  { groups, count }: LitRoi['layout'],
  ofLine: Float64Array,
  group: number,
  bin: number,
  reach: number,
): number {
  let darkest = group * count + bin;
  for (let g = Math.max(0, group - 1); g <= Math.min(groups - 1, group + 1); g++) {
    for (let b = Math.max(0, bin - reach); b <= Math.min(count - 1, bin + reach); b++) {
      const at = g * count + b;
      if (counts[at] * ofLine[darkest % count] < counts[darkest] * ofLine[b]) darkest = at;
    }
  }
  return darkest;
}

interface Partition {
  parts: Part[];
  /** Light of the darkest places of these. */
  darkest: number;
}

function partsOf({ counts, lights, noise }: Bends, frames: number): Partition {
  const order = Int32Array.from(noise.keys()).sort((a, b) => lights[4 * a + 1] - lights[4 * b + 1]);
  const found: Part[] = [];
  for (let part = 0; part < parts; part++) {
    const all = order.subarray(
      Math.floor((part * order.length) / parts),
      Math.floor(((part + 1) * order.length) / parts),
    );
    const places = all.filter(at => !Number.isNaN(counts[4 * at] + counts[4 * at + 1] + counts[4 * at + 2]));
    if (places.length < 8 || places.length < wholeShare * all.length) continue;
    const middle = (of: (place: number) => number): number =>
      medianInPlace(Float64Array.from(places, of), 0, places.length);
    found.push({
      light: middle(at => lights[4 * at + 1]),
      places,
      noise: middle(at => noise[at]) / medianOfVariance(frames),
    });
  }
  const used = found.flatMap(({ places }) => [...places]);
  const darkest = used.length > 0 ? lights[4 * used[Math.floor(darkestShare * used.length)] + 1] : 0;
  return { parts: found, darkest };
}

/** 0 of one value. */
function varianceOfMean(values: readonly number[]): number {
  const count = values.length;
  if (count < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1) / count;
}

/** Of a variance from so many values, over its mean (Wilson & Hilferty, Proc. Nat. Acad. Sci. 17, 684 (1931)). */
const medianOfVariance = (values: number): number => (values < 2 ? 1 : (1 - 2 / (9 * (values - 1))) ** 3);
