/**
 * Where a chip roughly lies in an image of which nothing is known: angle up to ±10°, scale 0.5 to 1.5 pixels a unit.
 *
 * On the image made small: the angle is that at which the edges along rows, and along columns, fall together most; then, along the
 * turned rows, the scale and the offset at which the upper and lower sides of the rows of gratings stand on rises and falls of the light;
 * then, within these rows, the offset across. A chip is a lattice: what fits nearly as well one row or column further is an answer too.
 */

import type { ChipPose } from '../analysis/chipPose.ts';
import type { Pixels } from '../model/frame.ts';
import type { Chip } from './chipMap.ts';

/** A pose within some pixels of the true one, if it is the right one. */
export interface RoughPose {
  readonly pose: ChipPose;
  /** How well rises and falls of the light fit, in standard deviations. */
  readonly score: number;
}

/** Pixels on the longer side of the small image. */
const smallSize = 1200;
const maxAngle = 10.5;
const scaleRange = [0.45, 1.65] as const;

/** The small image, its counts as square roots, so that dim gratings count nearly as much as bright ones. */
export interface SmallImage {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
  /** Pixels of the image in one of it. */
  readonly factor: number;
}

export function smallImage({ width, height, data }: Pixels): SmallImage {
  const factor = Math.max(1, Math.round(Math.max(width, height) / smallSize));
  const columns = Math.floor(width / factor);
  const rows = Math.floor(height / factor);
  const values = new Float32Array(columns * rows);
  for (let row = 0, to = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, to++) {
      let sum = 0;
      for (let k = 0, from = row * factor * width + column * factor; k < factor; k++, from += width) {
        for (let i = from; i < from + factor; i++) sum += data[i];
      }
      values[to] = Math.sqrt(sum) / factor;
    }
  }
  return { width: columns, height: rows, values, factor };
}

/** The angle of the chip, degrees. */
export function roughAngle(small: SmallImage): number {
  const { down, across } = gradients(small);
  const energy = (angle: number, every: number): number =>
    alignment(down, small, angle, every, false) * alignment(across, small, angle, every, true);
  let best = 0;
  let most = Number.NEGATIVE_INFINITY;
  const look = (from: number, to: number, by: number, every: number): void => {
    most = Number.NEGATIVE_INFINITY;
    const [first, last] = [from, to];
    for (let angle = first; angle <= last + 1e-9; angle += by) {
      const found = energy(angle, every);
      if (found > most) [best, most] = [angle, found];
    }
  };
  look(-maxAngle, maxAngle, 0.25, 3);
  look(best - 0.25, best + 0.25, 0.05, 1);
  return best;
}

/** Differences over two pixels, from row to row and from column to column. */
function gradients({ width, height, values }: SmallImage): { down: Float32Array; across: Float32Array } {
  const down = new Float32Array(values.length);
  const across = new Float32Array(values.length);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      down[at] = values[at + width] - values[at - width];
      across[at] = values[at + 1] - values[at - 1];
    }
  }
  return { down, across };
}

/** How much of the differences adds up along lines of this angle: the mean square of the sums along them. */
function alignment(
  gradient: Float32Array,
  { width, height }: SmallImage,
  angle: number,
  every: number,
  isAcross: boolean,
): number {
  const sin = Math.sin((angle * Math.PI) / 180);
  const cos = Math.cos((angle * Math.PI) / 180);
  const cx = width / 2;
  const cy = height / 2;
  const bins = Math.ceil(width + height);
  const sums = new Float64Array(bins);
  const counts = new Int32Array(bins);
  const middle = bins / 2;
  // Lines along the chip's rows have one v = sin·x + cos·y, those along its columns one u = cos·x − sin·y.
  const perColumn = isAcross ? cos : sin;
  const perRow = isAcross ? -sin : cos;
  // A step along the line may be left out: neighbours on it see the same.
  const [stepX, stepY] = isAcross ? [1, every] : [every, 1];
  for (let y = 1; y < height - 1; y += stepY) {
    let at = middle + perRow * (y - cy) + perColumn * (1 - cx);
    for (let x = 1; x < width - 1; x += stepX, at += perColumn * stepX) {
      const bin = at | 0;
      sums[bin] += gradient[y * width + x];
      counts[bin]++;
    }
  }
  let energy = 0;
  let total = 0;
  for (let bin = 0; bin < bins; bin++) {
    if (counts[bin] === 0) continue;
    energy += sums[bin] ** 2 / counts[bin];
    total++;
  }
  return energy / Math.max(1, total);
}

/** The small image turned so that the chip stands straight. Outside it is NaN. */
export function straightened({ width, height, values, factor }: SmallImage, angle: number): SmallImage {
  const cos = Math.cos((angle * Math.PI) / 180);
  const sin = Math.sin((angle * Math.PI) / 180);
  const cx = width / 2;
  const cy = height / 2;
  const turned = new Float32Array(width * height).fill(Number.NaN);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const dx = column + 0.5 - cx;
      const dy = row + 0.5 - cy;
      const x = cx + cos * dx + sin * dy - 0.5;
      const y = cy - sin * dx + cos * dy - 0.5;
      if (!(x >= 0 && y >= 0 && x < width - 1 && y < height - 1)) continue;
      const at = (y | 0) * width + (x | 0);
      const fx = x - (x | 0);
      const fy = y - (y | 0);
      const upper = values[at] + fx * (values[at + 1] - values[at]);
      const lower = values[at + width] + fx * (values[at + width + 1] - values[at + width]);
      turned[row * width + column] = upper + fy * (lower - upper);
    }
  }
  return { width, height, values: turned, factor };
}

/** A side of gratings as a rise (+) or a fall (−) of the light along one axis, design units. */
interface Side {
  readonly at: number;
  readonly sign: 1 | -1;
}

/** Rows of gratings: those that share their upper and lower sides. */
interface GratingRow {
  readonly top: number;
  readonly bottom: number;
  readonly sides: readonly Side[];
}

function rowsOf({ gratings }: Chip): GratingRow[] {
  const rows = new Map<string, { top: number; bottom: number; sides: Side[] }>();
  for (const { left, top, width, height } of gratings) {
    const key = `${top} ${height}`;
    const row = rows.get(key) ?? { top, bottom: top + height, sides: [] };
    row.sides.push({ at: left, sign: 1 }, { at: left + width, sign: -1 });
    rows.set(key, row);
  }
  return [...rows.values()];
}

const maxScales = 12;
const maxPlaces = 24;

/** The poses of a chip that may be right, in an image that was straightened by `angle`; the best first. */
export function roughPoses(straight: SmallImage, angle: number, chip: Chip): RoughPose[] {
  const rows = rowsOf(chip);
  const profile = standardised(differences(meanRows(straight, 0, straight.width)));
  const sides = rows.flatMap(({ top, bottom }): Side[] => [
    { at: top, sign: 1 },
    { at: bottom, sign: -1 },
  ]);
  const { factor } = straight;
  const found: { scale: number; offset: number; score: number }[] = [];
  for (let scale = scaleRange[0]; scale <= scaleRange[1]; scale *= 1.002) {
    const scores = combScores([{ profile, sides }], { length: profile.length, scale: scale / factor, fewest: 3 });
    for (const { at, value } of peaks(scores.values, maxPlaces))
      found.push({ scale, offset: at + scores.first, score: value });
  }
  const downs = apart(found.sort((a, b) => b.score - a.score)).map(down => sharpened(profile, sides, down, factor));
  const poses = downs.flatMap(({ scale, offset, score }) => {
    const combs = combsAcross(straight, rows, scale / factor, offset);
    const across = combScores(combs, { length: straight.width, scale: scale / factor, fewest: 2 });
    return peaks(across.values, maxPlaces).map(({ at, value }) => ({
      pose: {
        angle,
        scale,
        offset: [(at + across.first) * factor, offset * factor] as const,
      },
      score: score + value,
    }));
  });
  return poses.sort((a, b) => b.score - a.score);
}

/** Near scales give nearly one answer: the best of each place is kept. */
function apart<T extends { scale: number; offset: number; score: number }>(sorted: readonly T[]): T[] {
  const kept: T[] = [];
  for (const one of sorted) {
    if (kept.length >= maxScales * 4) break;
    const isNew = kept.every(
      ({ scale, offset }) => Math.abs(scale / one.scale - 1) > 0.012 || Math.abs(offset - one.offset) > 6,
    );
    if (isNew && one.score > 0.45 * sorted[0].score) kept.push(one);
  }
  return kept;
}

/** Scale and offset to parts of a pixel, near where they are about right. */
function sharpened(
  profile: Float64Array,
  sides: readonly Side[],
  near: { scale: number; offset: number; score: number },
  factor: number,
): { scale: number; offset: number; score: number } {
  const middle = mean(sides.map(({ at }) => at));
  let best = { ...near, fit: Number.NEGATIVE_INFINITY };
  for (let zoom = 0.994; zoom <= 1.006; zoom += 0.0005) {
    const scale = near.scale * zoom;
    // The middle of what is seen stays; the offset goes with the scale.
    const still = near.offset + (middle * (near.scale - scale)) / factor;
    for (let shift = -4; shift <= 4; shift += 0.25) {
      let fit = 0;
      for (const { at, sign } of sides) fit += sign * between(profile, (at * scale) / factor + still + shift);
      if (fit > best.fit) best = { scale, offset: still + shift, score: near.score, fit };
    }
  }
  return best;
}

/** A value between two of a curve; 0 beyond its ends. */
function between(values: Float64Array, at: number): number {
  const first = Math.floor(at);
  if (first < 0 || first + 1 >= values.length) return 0;
  return values[first] + (at - first) * (values[first + 1] - values[first]);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean of each row of the part between two columns. NaN where too little of it is in the image. */
function meanRows({ width, height, values }: SmallImage, from: number, to: number): Float64Array {
  const means = new Float64Array(height);
  for (let row = 0; row < height; row++) {
    let sum = 0;
    let count = 0;
    for (let column = from; column < to; column++) {
      const value = values[row * width + column];
      if (Number.isNaN(value)) continue;
      sum += value;
      count++;
    }
    means[row] = count < 0.3 * (to - from) ? Number.NaN : sum / count;
  }
  return means;
}

function meanColumns({ width, height, values }: SmallImage, from: number, to: number): Float64Array {
  const sums = new Float64Array(width);
  const counts = new Int32Array(width);
  for (let row = Math.max(0, from); row < Math.min(height, to); row++) {
    for (let column = 0; column < width; column++) {
      const value = values[row * width + column];
      if (Number.isNaN(value)) continue;
      sums[column] += value;
      counts[column]++;
    }
  }
  return sums.map((sum, column) => (counts[column] < 0.5 * (to - from) ? Number.NaN : sum / counts[column]));
}

/** The difference at each border between two values; 0 where one is missing. Border k lies before value k. */
function differences(values: Float64Array): Float64Array {
  const result = new Float64Array(values.length + 1);
  for (let k = 1; k < values.length; k++) {
    // Over two to each side, as sharp as edges are after reduction.
    const before = (values[k - 1] + (values[k - 2] ?? values[k - 1])) / 2;
    const after = (values[k] + (values[k + 1] ?? values[k])) / 2;
    const difference = after - before;
    result[k] = Number.isNaN(difference) ? 0 : difference;
  }
  return result;
}

/** Of variance 1, with what is very large cut: one bright edge must not be worth many. */
function standardised(values: Float64Array): Float64Array {
  const deviation = (limit: number): number => {
    let sum = 0;
    for (const value of values) sum += Math.min(limit, Math.abs(value)) ** 2;
    return Math.sqrt(sum / Math.max(1, values.length)) || 1;
  };
  const most = 2.5 * deviation(Number.POSITIVE_INFINITY);
  const unit = deviation(most);
  return values.map(value => Math.max(-most, Math.min(most, value)) / unit);
}

/** Sides of gratings in one line, and how bright the image is along it. */
interface Comb {
  profile: Float64Array;
  sides: readonly Side[];
}

/**
 * For each offset (from `first` on) how well the sides stand on rises and falls, all combs together.
 * @param fewest sides that must lie in the image
 */
function combScores(
  combs: readonly Comb[],
  { length, scale, fewest }: { length: number; scale: number; fewest: number },
): { first: number; values: Float64Array } {
  const places = combs.flatMap(({ sides }) => sides.map(({ at }) => at));
  const first = Math.floor(-Math.max(...places) * scale);
  const last = Math.ceil(length - Math.min(...places) * scale);
  const values = new Float64Array(Math.max(0, last - first + 1));
  const counts = new Int32Array(values.length);
  for (const { profile, sides } of combs) {
    for (const { at, sign } of sides) {
      const place = at * scale;
      for (let border = 1; border < profile.length - 1; border++) {
        const i = Math.round(border - place) - first;
        if (i < 0 || i >= values.length) continue;
        values[i] += sign * profile[border];
        counts[i]++;
      }
    }
  }
  return { first, values: values.map((value, i) => (counts[i] < fewest ? 0 : value / Math.sqrt(counts[i]))) };
}

/** Each row of gratings has a profile of its own across; none where it does not lie in the image. */
function combsAcross(straight: SmallImage, rows: readonly GratingRow[], scale: number, offset: number): Comb[] {
  return rows.map(({ top, bottom, sides }) => {
    const from = Math.round(top * scale + offset + 1);
    const to = Math.round(bottom * scale + offset - 1);
    const isOutside = from < 0 || to > straight.height || to - from < 4;
    const profile = isOutside ? new Float64Array() : standardised(differences(meanColumns(straight, from, to)));
    return { profile, sides };
  });
}

/** The highest places of a curve that are higher than their neighbours and half as high as the highest. */
function peaks(values: Float64Array, most: number): { at: number; value: number }[] {
  const found: { at: number; value: number }[] = [];
  let highest = 0;
  for (const value of values) if (value > highest) highest = value;
  for (let i = 1; i < values.length - 1; i++) {
    if (values[i] > 0.5 * highest && values[i] >= values[i - 1] && values[i] > values[i + 1])
      found.push({ at: i, value: values[i] });
  }
  return found.sort((a, b) => b.value - a.value).slice(0, most);
}
