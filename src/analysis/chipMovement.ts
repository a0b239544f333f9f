import type { Pixels } from '../model/frame.ts';
import type { ChipShift } from '../model/result.ts';
import type { RoiManifest } from '../model/roi.ts';
import { type ChipPose, onFrame, onImage, type Point } from './chipPose.ts';
import { type Edge, edgesOf, profileAcross, profileStep, type SeenEdge, seeEdge } from './outlines.ts';
import { fitRobustly } from './refinePose.ts';

/** Sides of gratings that are looked at in each frame: more make nothing more exact, and cost. */
const mostEdges = 120;
/** Pixels that a chip moves between two looks, as a rule. */
const smallMove = 3;
/** Pixels that a jump is looked for in. */
const largeMove = 40;
/** So many of the sides must be seen, else nothing is said. */
const leastSeen = 0.3;

/**
 * Sees how far the chip has moved since its reference image, by the outlines of its gratings: resonances move within these and
 * change nothing. Made once for a ROI manifest, called for each frame.
 *
 * The shift is that of the chip's point in the middle of the frame, in pixels to the right and down, and the turn in degrees, of OpenCV's sign.
 *
 * @returns null for a manifest that does not say where the outlines are
 */
export function createChipMovement({
  madeFor,
  imageAngle,
}: RoiManifest): ((pixels: Pixels) => SeenMovement | null) | null {
  if (madeFor === undefined || madeFor.gratings.length === 0) return null;
  const reference: ChipPose = { angle: imageAngle, scale: madeFor.scale, offset: madeFor.offset };
  const edges = edgesOf(madeFor.gratings, mostEdges);
  return pixels => {
    const near = seeAll(pixels, edges, reference);
    if (isEnough(near, edges)) return movementOf(near, reference, reference, pixels);
    // A jump: first by whole pixels.
    const jumped = jumpOf(pixels, edges, reference);
    if (jumped === null) return null;
    const seen = seeAll(pixels, edges, jumped);
    return isEnough(seen, edges) ? movementOf(seen, jumped, reference, pixels) : null;
  };
}

/** Of the sides across and of those along: a chip that moves along its rows shows the one and not the other. */
function isEnough(seen: readonly SeenEdge[], edges: readonly Edge[]): boolean {
  return [0, 1].every(axis => {
    const count = edges.filter(({ normal }) => normal[axis] !== 0).length;
    return seen.filter(({ edge }) => edge.normal[axis] !== 0).length >= leastSeen * count;
  });
}

/** How far the chip has moved, and how it lies now. */
export interface SeenMovement {
  readonly shift: ChipShift;
  readonly pose: ChipPose;
}

/** A manifest whose regions have followed the chip, by parts of a pixel. */
export function followed(manifest: RoiManifest, { pose }: SeenMovement): RoiManifest {
  const { offset, width, height } = manifest.madeFor!;
  // One that would leave the frame stays at its border, and costs the frame nothing.
  const within = (place: number, size: number, end: number): number => Math.max(0, Math.min(end - size, place));
  const [dx, dy] = [pose.offset[0] - offset[0], pose.offset[1] - offset[1]];
  return {
    ...manifest,
    imageAngle: pose.angle,
    rois: manifest.rois.map(roi => {
      const [row, column] = roi.coords;
      const [rows, columns] = roi.size;
      return { ...roi, coords: [within(row + dy, rows, height), within(column + dx, columns, width)] as const };
    }),
  };
}

function seeAll(pixels: Pixels, edges: readonly Edge[], pose: ChipPose): SeenEdge[] {
  return edges.map(edge => seeEdge(pixels, edge, pose, smallMove)).filter(seen => seen !== null);
}

function movementOf(
  first: readonly SeenEdge[],
  start: ChipPose,
  reference: ChipPose,
  pixels: Pixels,
): SeenMovement | null {
  let seen = first;
  let pose = start;
  for (let round = 0; round < 2; round++) {
    const fitted = fitRobustly(
      seen.map(({ sighting }) => sighting),
      pose,
      pixels,
    );
    if (fitted === null) return null;
    // The chip does not grow: what looks like it is noise, and would shift regions far from the middle.
    pose = unscaled(fitted, reference, pixels);
    if (round === 0)
      seen = seeAll(
        pixels,
        first.map(({ edge }) => edge),
        pose,
      );
  }
  const middle = chipPointAtMiddle(reference, pixels);
  const before = onImage(middle, reference, pixels);
  const now = onImage(middle, pose, pixels);
  return { shift: { dx: now[0] - before[0], dy: now[1] - before[1], angle: pose.angle - reference.angle }, pose };
}

/** The same pose at the reference's scale, which leaves the middle of the frame where it is. */
function unscaled(pose: ChipPose, { scale }: ChipPose, pixels: Pixels): ChipPose {
  const middle = chipPointAtMiddle(pose, pixels);
  const [x, y] = onFrame(middle, pose);
  return { angle: pose.angle, scale, offset: [x - middle[0] * scale, y - middle[1] * scale] };
}

function chipPointAtMiddle({ scale, offset }: ChipPose, { width, height }: Pixels): Point {
  return [(Math.floor(width / 2) + 0.5 - offset[0]) / scale, (Math.floor(height / 2) + 0.5 - offset[1]) / scale];
}

/** A jump by whole pixels: where rises and falls of the light lie that the outlines should have. */
function jumpOf(pixels: Pixels, edges: readonly Edge[], reference: ChipPose): ChipPose | null {
  const along = (isDown: boolean): number | null => {
    const count = Math.round((2 * largeMove) / profileStep) + 1;
    const sums = new Float64Array(count);
    let seen = 0;
    for (const edge of edges) {
      const sign = isDown ? edge.normal[1] : edge.normal[0];
      if (sign === 0) continue;
      const profile = profileAcross(pixels, edge, reference, -largeMove - 2, largeMove + 2);
      if (profile === null) continue;
      seen++;
      const wide = Math.round(2 / profileStep);
      // The light falls along the normal; profiles of opposite sides run against each other.
      for (let k = 0; k < count; k++)
        sums[sign > 0 ? k : count - 1 - k] += Math.sqrt(profile[k]) - Math.sqrt(profile[k + 2 * wide]);
    }
    if (seen < 4) return null;
    let best = 0;
    for (let k = 1; k < count; k++) if (sums[k] > sums[best]) best = k;
    return best * profileStep - largeMove;
  };
  const right = along(false);
  const down = along(true);
  if (right === null || down === null) return null;
  return { ...reference, offset: [reference.offset[0] + right, reference.offset[1] + down] };
}
