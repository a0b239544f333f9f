/**
 * How the chip lies in an image: a similarity from its design units to pixels.
 *
 * Two frames of pixels are spoken of. The *image* is as the camera gave it, pixel centres at whole numbers. The *derotated frame* is
 * the image turned by −angle about (⌊w/2⌋, ⌊h/2⌋), in which the chip stands straight; there lengths are measured from pixel edges
 * (pixel k covers [k, k + 1)), so that a corner at design units c lies at c · scale + offset.
 */
export interface ChipPose {
  /** Degrees, `image_angle` of the ROI manifest. */
  readonly angle: number;
  /** Pixels a design unit. */
  readonly scale: number;
  /** Where the design's origin lies in the derotated frame, from pixel edges. */
  readonly offset: readonly [x: number, y: number];
}

export type Point = readonly [x: number, y: number];

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** A point of the derotated frame, from pixel edges, as pixels of the image. */
export function toImage([x, y]: Point, angle: number, { width, height }: ImageSize): Point {
  const [cos, sin] = turn(angle);
  const cx = Math.floor(width / 2);
  const cy = Math.floor(height / 2);
  const dx = x - 0.5 - cx;
  const dy = y - 0.5 - cy;
  return [cx + cos * dx + sin * dy, cy - sin * dx + cos * dy];
}

/** The other way round. */
export function toDerotated([x, y]: Point, angle: number, { width, height }: ImageSize): Point {
  const [cos, sin] = turn(angle);
  const cx = Math.floor(width / 2);
  const cy = Math.floor(height / 2);
  const dx = x - cx;
  const dy = y - cy;
  return [cx + 0.5 + cos * dx - sin * dy, cy + 0.5 + sin * dx + cos * dy];
}

const turn = (angle: number): [cos: number, sin: number] => {
  const radians = (angle * Math.PI) / 180;
  return [Math.cos(radians), Math.sin(radians)];
};

/** A point of the chip in the derotated frame, from pixel edges. */
export const onFrame = ([x, y]: Point, { scale, offset }: ChipPose): Point => [
  x * scale + offset[0],
  y * scale + offset[1],
];

/** A point of the chip in the image. */
export const onImage = (point: Point, pose: ChipPose, size: ImageSize): Point =>
  toImage(onFrame(point, pose), pose.angle, size);

/** One length that was measured: along the direction (dx, dy) of the image, a point of the chip lies at `at`. */
export interface Sighting {
  /** Design units. */
  readonly chip: Point;
  /** Unit vector in the image. */
  readonly direction: Point;
  /** Pixels of the image, projected on the direction. */
  readonly at: number;
  /** 1 / variance, px⁻². */
  readonly weight: number;
  /** Of a side of a grating: the direction is out of it. All of them may lie a little further in or out than the design has them. */
  readonly isSide?: true;
}

/** Both directions of a point that was seen. */
export function pointSightings(chip: Point, [x, y]: Point, weight: number): Sighting[] {
  return [
    { chip, direction: [1, 0], at: x, weight },
    { chip, direction: [0, 1], at: y, weight },
  ];
}

/**
 * The pose that fits what was seen in the sense of least squares. Two points settle it, wherever they lie: on one vertical or
 * horizontal line, and without any rotation too.
 *
 * @returns null when what was seen leaves it open (less than four lengths, or all at one point)
 */
export function fitPose(sightings: readonly Sighting[], size: ImageSize): ChipPose | null {
  // Image = (p·cx + q·cy + tx, −q·cx + p·cy + ty), with p = scale·cos, q = scale·sin: linear in four unknowns.
  // How far sides lie further out is a fifth, when there are some: else it would move the chip where more left than right ones are seen.
  const unknowns = sightings.some(({ isSide }) => isSide) ? 5 : 4;
  const normal = Array.from({ length: unknowns }, () => new Float64Array(unknowns + 1));
  const middle = centreOf(sightings);
  for (const { chip, direction, at, weight, isSide } of sightings) {
    const cx = chip[0] - middle[0];
    const cy = chip[1] - middle[1];
    const [dx, dy] = direction;
    const row = [cx * dx + cy * dy, cy * dx - cx * dy, dx, dy, ...(unknowns === 5 ? [isSide ? 1 : 0] : []), at];
    for (let i = 0; i < unknowns; i++) for (let k = 0; k <= unknowns; k++) normal[i][k] += weight * row[i] * row[k];
  }
  const solved = solve(normal);
  if (solved === null) return null;
  const [p, q, tx, ty] = solved;
  const scale = Math.hypot(p, q);
  if (!(scale > 0)) return null;
  const angle = (Math.atan2(q, p) * 180) / Math.PI;
  const [x, y] = toDerotated([tx, ty], angle, size);
  return { angle, scale, offset: [x - middle[0] * scale, y - middle[1] * scale] };
}

/** How far a sighting is from where the pose has it, in pixels along its direction. */
export function residual({ chip, direction, at }: Sighting, pose: ChipPose, size: ImageSize): number {
  const [x, y] = onImage(chip, pose, size);
  return at - (x * direction[0] + y * direction[1]);
}

function centreOf(sightings: readonly Sighting[]): Point {
  const count = Math.max(1, sightings.length);
  const sum = sightings.reduce<[number, number]>(([x, y], { chip }) => [x + chip[0], y + chip[1]], [0, 0]);
  return [sum[0] / count, sum[1] / count];
}

/** Gauss with pivots, in place; the last column is the right side. Null when it has no single solution. */
function solve(rows: readonly Float64Array[]): number[] | null {
  const count = rows.length;
  const matrix = [...rows];
  const scales = matrix.map((row, i) => Math.abs(row[i]));
  for (let i = 0; i < count; i++) {
    let best = i;
    for (let k = i + 1; k < count; k++) if (Math.abs(matrix[k][i]) > Math.abs(matrix[best][i])) best = k;
    [matrix[i], matrix[best]] = [matrix[best], matrix[i]];
    if (!(Math.abs(matrix[i][i]) > 1e-12 * scales[i])) return null;
    for (let k = i + 1; k < count; k++) {
      const factor = matrix[k][i] / matrix[i][i];
      for (let c = i; c <= count; c++) matrix[k][c] -= factor * matrix[i][c];
    }
  }
  const solution = new Array<number>(count).fill(0);
  for (let i = count - 1; i >= 0; i--) {
    let sum = matrix[i][count];
    for (let c = i + 1; c < count; c++) sum -= matrix[i][c] * solution[c];
    solution[i] = sum / matrix[i][i];
  }
  return solution;
}
