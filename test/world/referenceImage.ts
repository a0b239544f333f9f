import { type ChipPose, type ImageSize, onImage, type Point, toDerotated } from '../../src/analysis/chipPose.ts';
import type { Chip } from '../../src/calibration/chipMap.ts';
import type { LabelClick } from '../../src/calibration/featureLocations.ts';
import { type LabelTemplate, middleOf } from '../../src/calibration/matchLabel.ts';
import type { Pixels } from '../../src/model/frame.ts';
import { type RandomStream, randomStream } from '../../src/model/randomStream.ts';
import type { ChipRectangle } from '../../src/model/roi.ts';
import { noiseTile } from '../../src/streams/cameras/simulated/noiseTile.ts';

/** What a synthetic reference image shows; everything else follows from the seed. */
export interface ReferenceScene {
  readonly chip: Chip;
  readonly templates: readonly LabelTemplate[];
  readonly size: ImageSize;
  readonly pose: ChipPose;
  readonly seed: number;
  /** Pixels of the Gaussian that blurs it. */
  readonly blur: number;
  /** How much the light falls off over the image, 0 to 1. */
  readonly uneven: number;
  /** Strength of the static pattern: 1 is that of real pictures. */
  readonly pattern: number;
  /** Labels that are not there. */
  readonly missing: readonly string[];
  /** Specks of dust, design units. */
  readonly dust: readonly { x: number; y: number; radius: number }[];
}

const bare = 4;
const labelLight = 36;
const background = 16;

/** An image of a chip whose pose is known: gratings with resonances, labels from their pictures, speckle and static pattern. 8 bits. */
export function renderReference(scene: ReferenceScene): Pixels {
  const { chip, templates, size, pose, seed, dust, missing } = scene;
  const { width, height } = size;
  const random = randomStream(seed, 'reference');
  const cells = buckets(chip.gratings);
  const lines = new Map(
    chip.gratings.map(({ label, width: w }) => [
      label,
      [0, 1].map(() => ({
        at: random.between(0.3, 0.7) * w,
        sigma: random.between(0.08, 0.14) * w,
        gain: random.between(50, 110),
      })),
    ]),
  );
  const shown = templates.filter(({ label }) => !missing.includes(label.label));
  const light = new Float32Array(width * height);
  const inverse = 1 / pose.scale;
  for (let y = 0; y < height; y++) {
    // Along a row of the image the chip's coordinates grow evenly.
    const [u0, v0] = toDerotated([0, y], pose.angle, size);
    const [u1, v1] = toDerotated([1, y], pose.angle, size);
    for (let x = 0; x < width; x++) {
      const cx = (u0 + (u1 - u0) * x - pose.offset[0]) * inverse;
      const cy = (v0 + (v1 - v0) * x - pose.offset[1]) * inverse;
      let value = bare;
      for (const grating of cells(cx, cy)) {
        const part = cover(cx, cy, grating, pose.scale);
        if (part === 0) continue;
        const isLower = cy > grating.top + grating.height / 2;
        const { at, sigma, gain } = lines.get(grating.label)![isLower ? 1 : 0];
        value += part * (background + gain * Math.exp(-0.5 * ((cx - grating.left - at) / sigma) ** 2));
      }
      light[y * width + x] = value;
    }
  }
  for (const template of shown) drawLabel(light, scene, template);
  for (const { x, y, radius } of dust) {
    const [px, py] = onImage([x, y], pose, size);
    dim(light, size, px, py, radius * pose.scale);
  }
  const blurred = blur(light, width, height, scene.blur);
  return expose(blurred, scene, random);
}

/** Which part of a pixel a rectangle covers. */
function cover(x: number, y: number, { left, top, width, height }: ChipRectangle, scale: number): number {
  const across = Math.min(x - left, left + width - x) * scale + 0.5;
  const down = Math.min(y - top, top + height - y) * scale + 0.5;
  return across <= 0 || down <= 0 ? 0 : Math.min(1, across) * Math.min(1, down);
}

function buckets(rectangles: readonly ChipRectangle[]): (x: number, y: number) => readonly ChipRectangle[] {
  const cell = 100;
  const table = new Map<number, ChipRectangle[]>();
  const key = (column: number, row: number): number => (row + 1000) * 4000 + column + 1000;
  for (const one of rectangles) {
    for (
      let column = Math.floor((one.left - 3) / cell);
      column <= Math.floor((one.left + one.width + 3) / cell);
      column++
    ) {
      for (let row = Math.floor((one.top - 3) / cell); row <= Math.floor((one.top + one.height + 3) / cell); row++) {
        const at = key(column, row);
        table.set(at, [...(table.get(at) ?? []), one]);
      }
    }
  }
  const none: ChipRectangle[] = [];
  return (x, y) => table.get(key(Math.floor(x / cell), Math.floor(y / cell))) ?? none;
}

function drawLabel(light: Float32Array, { size, pose }: ReferenceScene, { label, picture }: LabelTemplate): void {
  const corners = [
    [label.left, label.top],
    [label.left + label.width, label.top],
    [label.left, label.top + label.height],
    [label.left + label.width, label.top + label.height],
  ].map(corner => onImage(corner as [number, number], pose, size));
  const x0 = Math.max(0, Math.floor(Math.min(...corners.map(([x]) => x))) - 1);
  const x1 = Math.min(size.width - 1, Math.ceil(Math.max(...corners.map(([x]) => x))) + 1);
  const y0 = Math.max(0, Math.floor(Math.min(...corners.map(([, y]) => y))) - 1);
  const y1 = Math.min(size.height - 1, Math.ceil(Math.max(...corners.map(([, y]) => y))) + 1);
  const { width: w, height: h, data } = picture;
  const value = (column: number, row: number): number =>
    column < 0 || row < 0 || column >= w || row >= h ? 0 : data[row * w + column] / 255;
  const parts = 3;
  for (let y = y0; y <= y1; y++) {
    for (let x = x0; x <= x1; x++) {
      let sum = 0;
      for (let i = 0; i < parts * parts; i++) {
        const sx = x + ((i % parts) + 0.5) / parts - 0.5;
        const sy = y + (Math.floor(i / parts) + 0.5) / parts - 0.5;
        const [u, v] = toDerotated([sx, sy], pose.angle, size);
        const column = Math.floor((((u - pose.offset[0]) / pose.scale - label.left) / label.width) * w);
        const row = Math.floor((((v - pose.offset[1]) / pose.scale - label.top) / label.height) * h);
        sum += value(column, row);
      }
      light[y * size.width + x] += (labelLight * sum) / parts ** 2;
    }
  }
}

function dim(light: Float32Array, { width, height }: ImageSize, px: number, py: number, radius: number): void {
  for (let y = Math.max(0, Math.floor(py - radius)); y < Math.min(height, py + radius); y++) {
    for (let x = Math.max(0, Math.floor(px - radius)); x < Math.min(width, px + radius); x++) {
      if (Math.hypot(x - px, y - py) < radius) light[y * width + x] *= 0.25;
    }
  }
}

function blur(source: Float32Array, width: number, height: number, sigma: number): Float32Array {
  if (sigma < 0.3) return source;
  const radius = Math.ceil(3 * sigma);
  const kernel = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)));
  const total = kernel.reduce((sum, value) => sum + value, 0);
  const across = new Float32Array(source.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = -radius; k <= radius; k++)
        sum += kernel[k + radius] * source[y * width + Math.max(0, Math.min(width - 1, x + k))];
      across[y * width + x] = sum / total;
    }
  }
  const result = new Float32Array(source.length);
  for (let y = 0; y < height; y++) {
    for (let k = -radius; k <= radius; k++) {
      const from = Math.max(0, Math.min(height - 1, y + k)) * width;
      const weight = kernel[k + radius] / total;
      for (let x = 0; x < width; x++) result[y * width + x] += weight * across[from + x];
    }
  }
  return result;
}

let tiles: Float32Array[] | null = null;
const tile = 512;

/** Pattern and noise as in real pictures (`../shared/reference/realistic/README.md`). */
function expose(light: Float32Array, { size, uneven, pattern, seed }: ReferenceScene, random: RandomStream): Pixels {
  tiles ??= [1, 6, 15, 0.9, 0].map(sigma => noiseTile(tile, tile, sigma, randomStream(7, `tile ${sigma}`)).values);
  const [fine, middle, coarse, speckle, white] = tiles;
  const { width, height } = size;
  const [px, py] = [Math.floor(random.between(0, tile)), Math.floor(random.between(0, tile))];
  const slope = random.between(0, 2 * Math.PI);
  const data = new Uint8Array(width * height);
  const whites = randomStream(seed, 'white');
  for (let y = 0; y < height; y++) {
    const shift = Math.floor(whites.between(0, tile));
    for (let x = 0; x < width; x++) {
      const at = ((y + py) % tile) * tile + ((x + px) % tile);
      const noise = white[((y * 7 + shift) % tile) * tile + ((x + shift) % tile)];
      const structure = Math.exp(pattern * (0.12 * fine[at] + 0.3 * middle[at] + 0.21 * coarse[at]));
      const along = (Math.cos(slope) * (x / width - 0.5) + Math.sin(slope) * (y / height - 0.5)) * 1.4;
      const fall = Math.max(0.05, 1 - uneven * (0.5 + along / 2));
      const seen =
        light[y * width + x] * structure * fall * (1 + 0.1 * speckle[((y + 3 * px) % tile) * tile + ((x + py) % tile)]);
      data[y * width + x] = Math.max(0, Math.min(255, Math.round(8 + seen + noise * (1 + 0.15 * Math.sqrt(seen)))));
    }
  }
  return { width, height, depth: 8, data };
}

/** A scene drawn by lot, with its image and the rough positions that somebody would give. */
export interface DrawnReference {
  readonly scene: ReferenceScene;
  readonly image: Pixels;
  readonly clicks: readonly LabelClick[];
}

/**
 * A reference by lot: rotation ±5°, scale 0.5 to 1.5, blur, uneven light, static pattern, dust on a label, a label missing, positions up to half
 * a label off. Two labels or more are in the image.
 */
export function drawReference(
  chip: Chip,
  templates: readonly LabelTemplate[],
  size: ImageSize,
  seed: number,
): DrawnReference {
  const random = randomStream(seed, 'draw');
  for (;;) {
    const scale = random.between(0.5, 1.5);
    const angle = random.between(-5, 5);
    // Something of the chip's rim lies in the image, where the labels are.
    const anchor = middleOf(templates[Math.floor(random.between(0, templates.length))].label);
    const offset: Point = [
      random.between(0.1, 0.9) * size.width - anchor[0] * scale,
      random.between(0.1, 0.9) * size.height - anchor[1] * scale,
    ];
    const pose: ChipPose = { angle, scale, offset };
    const visible = templates.filter(template => isWhole(template, pose, size));
    if (visible.length < 2 || !chip.gratings.some(grating => isWhole({ label: grating }, pose, size))) continue;
    const small = visible.filter(({ label }) => label.width < 200);
    if (small.length < 2) continue;
    const chosen = shuffled(small, random).slice(0, 2 + Math.floor(random.between(0, 3)));
    const clicked = chosen.map(({ label }) => label);
    const missing = clicked.length > 2 && random.uniform() < 0.3 ? [clicked[clicked.length - 1].label] : [];
    const dusty = random.uniform() < 0.4 ? [clicked[0]] : [];
    const scene: ReferenceScene = {
      chip,
      templates,
      size,
      pose,
      seed,
      blur: random.between(0, 2.2),
      uneven: random.between(0, 0.7),
      pattern: random.between(0, 1),
      missing,
      dust: dusty.map(({ left, top, width, height }) => ({
        x: left + random.between(0, 1) * width,
        y: top + random.between(0, 1) * height,
        radius: random.between(8, 20),
      })),
    };
    const clicks = clicked.map(label => {
      const [x, y] = onImage(middleOf(label), pose, size);
      return {
        label: label.label,
        x: Math.round(x + random.between(-0.5, 0.5) * label.width * scale),
        y: Math.round(y + random.between(-0.5, 0.5) * label.height * scale),
      };
    });
    return { scene, image: renderReference(scene), clicks };
  }
}

function isWhole({ label }: { label: ChipRectangle }, pose: ChipPose, size: ImageSize): boolean {
  return [
    [label.left, label.top],
    [label.left + label.width, label.top],
    [label.left, label.top + label.height],
    [label.left + label.width, label.top + label.height],
  ].every(corner => {
    const [x, y] = onImage(corner as [number, number], pose, size);
    return x > 3 && y > 3 && x < size.width - 4 && y < size.height - 4;
  });
}

function shuffled<T>(items: readonly T[], random: RandomStream): T[] {
  return items
    .map(item => ({ item, order: random.uniform() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

/** The largest distance of a found pose from the true one over the gratings in the image, px. */
export function worstGrating(pose: ChipPose, { chip, pose: truth, size }: ReferenceScene): number {
  const misses = chip.gratings.flatMap(grating => {
    if (!isWhole({ label: grating }, truth, size)) return [];
    const [x, y] = onImage(middleOf(grating), truth, size);
    const [fx, fy] = onImage(middleOf(grating), pose, size);
    return [Math.hypot(fx - x, fy - y)];
  });
  return Math.max(0, ...misses);
}
