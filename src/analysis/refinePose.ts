import type { Pixels } from '../model/frame.ts';
import type { ChipArea } from '../model/roi.ts';
import { type ChipPose, fitPose, onImage, residual, type Sighting } from './chipPose.ts';
import { type Edge, edgesOf, evenly, type SeenEdge, seeEdge } from './outlines.ts';

/** How well the gratings' outlines of an image agree with a pose. */
export interface Outlines {
  /** Sides of gratings that lie in the image, and of these how many were seen where the pose has them. */
  readonly expected: number;
  readonly seen: readonly SeenEdge[];
  /** Root of the mean square of what is left of their shifts, px. */
  readonly residual: number;
}

/** More make nothing better: parts of a pixel are known by then. */
const mostEdges = 800;
/** What lies further off than so many of its own standard errors pulls less and less. */
const robustness = 2.5;

/**
 * Brings a pose that is right within a few pixels to where the gratings' outlines have it, together with other sightings.
 *
 * @param reach how far off the outlines may be, px
 */
export function refinePose(
  image: Pixels,
  gratings: readonly ChipArea[],
  start: ChipPose,
  others: readonly Sighting[],
  reach: number,
): { pose: ChipPose; outlines: Outlines } {
  let pose = start;
  const edges = evenly(
    edgesOf(gratings).filter(edge => isInImage(edge, start, image)),
    mostEdges,
  );
  let outlines = seeOutlines(image, edges, pose, reach);
  for (let round = 0; round < 2; round++) {
    const sightings = [...others, ...outlines.seen.map(({ sighting }) => sighting)];
    const next = fitRobustly(sightings, pose, image);
    if (next === null) break;
    pose = next;
    outlines = seeOutlines(image, edges, pose, Math.max(1.5, reach / 2 ** (round + 1)));
  }
  return { pose, outlines };
}

/** A pose by least squares in which what lies far off counts little. Null when too little was seen. */
export function fitRobustly(sightings: readonly Sighting[], start: ChipPose, image: Pixels): ChipPose | null {
  let pose: ChipPose | null = start;
  for (let round = 0; round < 8; round++) {
    const now: ChipPose = pose;
    const weighted = sightings.map(one => {
      const off = (residual(one, now, image) * Math.sqrt(one.weight)) / robustness;
      return { ...one, weight: one.weight / (1 + off * off) ** 2 };
    });
    pose = fitPose(weighted, image);
    if (pose === null) return null;
  }
  return pose;
}

/** The outlines of all gratings in the image, as a pose has them. */
export function outlinesAt(image: Pixels, gratings: readonly ChipArea[], pose: ChipPose): Outlines {
  return seeOutlines(
    image,
    edgesOf(gratings).filter(edge => isInImage(edge, pose, image)),
    pose,
    3,
  );
}

function seeOutlines(image: Pixels, edges: readonly Edge[], pose: ChipPose, reach: number): Outlines {
  const seen = edges.map(edge => seeEdge(image, edge, pose, reach)).filter(one => one !== null);
  const sum = seen.reduce((total, { sighting }) => total + residual(sighting, pose, image) ** 2, 0);
  return { expected: edges.length, seen, residual: Math.sqrt(sum / Math.max(1, seen.length)) };
}

function isInImage({ from, to }: Edge, pose: ChipPose, image: Pixels): boolean {
  const border = 12;
  return [from, to].every(point => {
    const [x, y] = onImage(point, pose, image);
    return x >= border && y >= border && x < image.width - border && y < image.height - border;
  });
}
