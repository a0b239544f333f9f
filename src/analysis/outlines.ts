import type { Pixels } from '../model/frame.ts';
import type { ChipArea } from '../model/roi.ts';
import { type ChipPose, onFrame, type Point, type Sighting, toImage } from './chipPose.ts';

/** One side of a grating: there the chip gets dark, and after the gap the next grating may begin. Design units. */
export interface Edge {
  readonly from: Point;
  readonly to: Point;
  /** Out of the grating; one of the four directions of the chip. */
  readonly normal: Point;
  /** To the next grating that lies opposite; Infinity where none does. */
  readonly gap: number;
}

/** An edge as it was seen in an image. */
export interface SeenEdge {
  readonly edge: Edge;
  /** Pixels along the normal from where the pose has it. */
  readonly shift: number;
  /** Variance of the shift, px². */
  readonly variance: number;
  readonly sighting: Sighting;
}

/** The sides of gratings. @param most when there are more, so many of them, evenly chosen */
export function edgesOf(gratings: readonly ChipArea[], most = Number.POSITIVE_INFINITY): Edge[] {
  const sides = gratings.flatMap(({ left, top, width, height }): Omit<Edge, 'gap'>[] => {
    const right = left + width;
    const bottom = top + height;
    return [
      { from: [left, top], to: [right, top], normal: [0, -1] },
      { from: [left, bottom], to: [right, bottom], normal: [0, 1] },
      { from: [left, top], to: [left, bottom], normal: [-1, 0] },
      { from: [right, top], to: [right, bottom], normal: [1, 0] },
    ];
  });
  return evenly(sides, most).map(side => ({ ...side, gap: gapBeyond(side.from, side.to, side.normal, gratings) }));
}

/** So many of them at most, evenly chosen. */
export function evenly<T>(items: readonly T[], most: number): T[] {
  const every = Math.max(1, items.length / most);
  return Array.from({ length: Math.floor(items.length / every) }, (_, i) => items[Math.floor(i * every)]);
}

function gapBeyond(from: Point, to: Point, [nx, ny]: Point, gratings: readonly ChipArea[]): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (const { left, top, width, height } of gratings) {
    const along = ny !== 0 ? [left, left + width, from[0], to[0]] : [top, top + height, from[1], to[1]];
    const overlap = Math.min(along[1], along[3]) - Math.max(along[0], along[2]);
    if (overlap < 0.2 * (along[3] - along[2])) continue;
    const distance =
      nx > 0 ? left - from[0] : nx < 0 ? from[0] - left - width : ny > 0 ? top - from[1] : from[1] - top - height;
    if (distance > 0 && distance < nearest) nearest = distance;
  }
  return nearest;
}

/** Steps of a profile across an edge, pixels. */
export const profileStep = 0.5;
/** Pixels of the grating that a profile has at least. */
const inside = 6;
/** Pixels of a gap that a profile has at most. */
const widest = 15;
/** Points along an edge of which a profile is the mean. */
const longest = 96;

/**
 * Looks for an edge near where a pose has it. The profile across the edge is taken as the light of its grating, that of the next one and
 * a dark gap between, each with a height of its own: light that differs from grating to grating moves nothing.
 *
 * @param reach how far it may be from there, px
 * @returns null when it lies outside of the image, or there is none to be seen
 */
export function seeEdge(image: Pixels, edge: Edge, pose: ChipPose, reach: number): SeenEdge | null {
  // A gap that is wide has one side only, and the profile ends before the next grating. Beyond a narrow one lies nearly as much of the next
  // grating as of this one, and the search must not take one side for the other.
  const whole = edge.gap * pose.scale;
  const gap = whole > widest ? Number.POSITIVE_INFINITY : whole;
  const most = Math.max(1, Math.min(reach, gap / 2 + 1));
  const beyond = whole > widest ? Math.min(widest, whole - 2 - 2 * most) : gap + 5;
  const profile = profileAcross(image, edge, pose, -inside - most, beyond + most);
  if (profile === null) return null;
  const fits: { shift: number; sum: number; inner: number; outer: number }[] = [];
  for (let shift = -most; shift <= most + 1e-9; shift += profileStep / 2)
    fits.push({ shift, ...fitGap(profile, -inside - most, shift, gap) });
  let best = 0;
  for (let i = 1; i < fits.length; i++) if (fits[i].sum < fits[best].sum) best = i;
  // At the end of the search it may be anything.
  if (best === 0 || best === fits.length - 1) return null;
  const { sum, inner, outer } = fits[best];
  const total = spread(profile);
  if (!(inner > 0) || (Number.isFinite(gap) && !(outer > 0)) || !(sum < 0.5 * total)) return null;
  const curve = (fits[best - 1].sum - 2 * sum + fits[best + 1].sum) / (profileStep / 2) ** 2;
  if (!(curve > 0)) return null;
  const shift = fits[best].shift + vertex(-fits[best - 1].sum, -sum, -fits[best + 1].sum) * (profileStep / 2);
  // Samples half a pixel apart of a smoothed image tell little that their neighbours don't.
  const variance = (6 * sum) / Math.max(1, profile.length / 3 - 4) / curve;
  return { edge, shift, variance, sighting: sightingOf(edge, pose, image, shift, variance) };
}

function sightingOf(edge: Edge, pose: ChipPose, image: Pixels, shift: number, variance: number): Sighting {
  const chip: Point = [(edge.from[0] + edge.to[0]) / 2, (edge.from[1] + edge.to[1]) / 2];
  const [x, y] = onFrame(chip, pose);
  const [nx, ny] = edge.normal;
  const here = toImage([x, y], pose.angle, image);
  const there = toImage([x + nx, y + ny], pose.angle, image);
  const direction: Point = [there[0] - here[0], there[1] - here[1]];
  const at = here[0] * direction[0] + here[1] * direction[1] + shift;
  // None is better than the model of its picture.
  return { chip, direction, at, weight: 1 / (variance + 0.1 ** 2), isSide: true };
}

/** Mean light along the edge, in steps across it. Null when a part of it is outside of the image. */
export function profileAcross(
  image: Pixels,
  { from, to, normal }: Edge,
  pose: ChipPose,
  first: number,
  last: number,
): Float64Array | null {
  const { width, height, data } = image;
  const [x0, y0] = onFrame(from, pose);
  const [x1, y1] = onFrame(to, pose);
  // Not the corners, where another edge is near.
  const length = 0.9 * Math.hypot(x1 - x0, y1 - y0);
  const count = Math.max(2, Math.min(longest, Math.round(length)));
  const startX = x0 + 0.05 * (x1 - x0);
  const startY = y0 + 0.05 * (y1 - y0);
  const stepX = (0.9 * (x1 - x0)) / (count - 1);
  const stepY = (0.9 * (y1 - y0)) / (count - 1);
  const size = Math.round((last - first) / profileStep) + 1;
  const at = (i: number, k: number): Point =>
    toImage(
      [
        startX + i * stepX + (first + k * profileStep) * normal[0],
        startY + i * stepY + (first + k * profileStep) * normal[1],
      ],
      pose.angle,
      image,
    );
  const corners = [at(0, 0), at(count - 1, 0), at(0, size - 1), at(count - 1, size - 1)];
  if (corners.some(([x, y]) => !(x >= 0 && y >= 0 && x < width - 1 && y < height - 1))) return null;
  const [ox, oy] = corners[0];
  const ax = (corners[1][0] - ox) / (count - 1);
  const ay = (corners[1][1] - oy) / (count - 1);
  const bx = (corners[2][0] - ox) / (size - 1);
  const by = (corners[2][1] - oy) / (size - 1);
  const profile = new Float64Array(size);
  for (let k = 0; k < size; k++) {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const x = ox + i * ax + k * bx;
      const y = oy + i * ay + k * by;
      const column = x | 0;
      const row = y | 0;
      const fx = x - column;
      const place = row * width + column;
      const upper = data[place] + fx * (data[place + 1] - data[place]);
      const lower = data[place + width] + fx * (data[place + width + 1] - data[place + width]);
      sum += upper + (y - row) * (lower - upper);
    }
    profile[k] = sum / count;
  }
  return profile;
}

/** How soft an edge is, px. */
const softness = 0.9;
const edgeStep = (x: number): number => 1 / (1 + Math.exp((-1.7 * x) / softness));

/** Least squares of a profile: dark + inner · (light of the grating) + outer · (light of the next one). */
function fitGap(
  profile: Float64Array,
  first: number,
  shift: number,
  gap: number,
): { sum: number; inner: number; outer: number } {
  let [n, a, b, aa, ab, bb, y, ay, by, yy] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (let k = 0; k < profile.length; k++) {
    const s = first + k * profileStep - shift;
    const inner = edgeStep(-s);
    const outer = Number.isFinite(gap) ? edgeStep(s - gap) : 0;
    const value = profile[k];
    n++;
    a += inner;
    b += outer;
    aa += inner * inner;
    ab += inner * outer;
    bb += outer * outer;
    y += value;
    ay += inner * value;
    by += outer * value;
    yy += value * value;
  }
  // Without the dark level.
  const saa = aa - (a * a) / n;
  const sab = ab - (a * b) / n;
  const sbb = bb - (b * b) / n;
  const say = ay - (a * y) / n;
  const sby = by - (b * y) / n;
  const syy = yy - (y * y) / n;
  const determinant = saa * sbb - sab * sab;
  if (!(sbb > 1e-6) || !(determinant > 1e-9)) {
    const inner = say / saa;
    return { sum: syy - inner * say, inner, outer: 0 };
  }
  const inner = (say * sbb - sby * sab) / determinant;
  const outer = (sby * saa - say * sab) / determinant;
  return { sum: syy - inner * say - outer * sby, inner, outer };
}

function spread(profile: Float64Array): number {
  let sum = 0;
  let squares = 0;
  for (const value of profile) {
    sum += value;
    squares += value * value;
  }
  return squares - (sum * sum) / profile.length;
}

/** Where a parabola through three values at −1, 0, 1, the middle one the highest, has its vertex. */
export function vertex(before: number, at: number, after: number): number {
  const curve = before - 2 * at + after;
  return curve < 0 ? Math.max(-0.5, Math.min(0.5, (before - after) / (2 * curve))) : 0;
}
