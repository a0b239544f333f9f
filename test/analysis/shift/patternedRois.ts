import type { Pixels } from '../../../src/model/frame.ts';
import { type RandomStream, randomStream } from '../../../src/model/randomStream.ts';
import type { Roi, RoiManifest } from '../../../src/model/roi.ts';
import { type NoiseTile, noiseTile } from '../../../src/streams/cameras/simulated/noiseTile.ts';

/** ROIs with a static pattern, by the model of `reference/realistic/README.md`. */
export interface PatternedOptions {
  rows: number;
  cols: number;
  lineShape: 'gauss' | 'fano';
  /** Standard deviation of the chip's movement, pixels. */
  jitter: number;
  fullScale: number;
  exposure: number;
  /** Contrast by length of the pattern's kernel, pixels. */
  pattern: readonly (readonly [contrast: number, length: number])[];
}

export const patternedOptions: PatternedOptions = {
  rows: 45,
  cols: 176,
  lineShape: 'gauss',
  jitter: 0,
  fullScale: 4095,
  exposure: 8,
  pattern: [
    [0.12, 1],
    [0.3, 6],
    [0.21, 15],
  ],
};

const dark = 100;
const margin = 4;
/** Room for a movement of the chip, pixels. */
const edge = 3;
const tiles = new Map<number, NoiseTile>();

function tile(sigma: number): NoiseTile {
  const known = tiles.get(sigma) ?? noiseTile(1021, 1019, sigma, randomStream(7, `tile ${sigma}`));
  tiles.set(sigma, known);
  return known;
}

/** Light of a line before its pattern, counts at an exposure of 1, at a row and column of its ROI. */
export function patternLight(
  [position, width, base, height, asymmetry, slant, bend, gainSlant, gainBend]: readonly number[],
  by: number,
  { rows, lineShape }: PatternedOptions,
): (row: number, col: number) => number {
  return (row, col) => {
    const c1 = Math.cos((Math.PI * (row + 0.5)) / rows);
    const c2 = Math.cos((2 * Math.PI * (row + 0.5)) / rows);
    const t = (col - position - by - slant * c1 - bend * c2) / width;
    const line =
      lineShape === 'gauss' ? Math.exp(-0.5 * t * t) : (asymmetry + t) ** 2 / (1 + t * t) / (1 + asymmetry ** 2);
    return base + height * (1 + gainSlant * c1 + gainBend * c2) * line;
  };
}

/** One ROI with its pattern; frames of it at any position. */
export class PatternedRoi {
  readonly roi: Roi;
  readonly mean: number;
  readonly sigma: number;
  readonly q: number;
  readonly #amplitude: number;
  readonly #offset: Float64Array;
  readonly #gain: Float64Array;
  readonly #random: RandomStream;
  readonly #options: PatternedOptions;
  /** The pattern, for a chip that has not moved. */
  readonly #still: Float64Array;
  /** Logarithm of the pattern, with {@link edge} pixels around the frame. */
  readonly #pattern: Float64Array;

  constructor(seed: number, options: PatternedOptions = patternedOptions) {
    const random = randomStream(seed, 'patterned ROI');
    this.#random = random;
    this.#options = options;
    const { rows, cols } = options;
    this.roi = { label: `R${seed}`, flip: false, coords: [margin, margin], size: [rows, cols] };
    this.sigma = (cols / 176) * random.between(21, 29) * (options.lineShape === 'fano' ? 0.85 : 1);
    this.q = random.between(3, 6);
    this.#amplitude = random.between(80, 120);
    this.mean = cols * random.between(0.34, 0.62);
    const wave = (size: number): Float64Array => {
      const parts = [1, 0.5, 0.25].map(part => part * size * random.between(-1, 1));
      return Float64Array.from({ length: rows }, (_, r) =>
        parts.reduce((sum, part, k) => sum + part * Math.cos((Math.PI * (k + 1) * (r + 0.5)) / rows), 0),
      );
    };
    this.#offset = wave(0.015 * cols);
    this.#gain = wave(0.12).map(g => 1 + g);
    const width = cols + 2 * (margin + edge);
    this.#pattern = new Float64Array(width * (rows + 2 * (margin + edge)));
    for (const [contrast, length] of options.pattern) {
      const of = tile(length);
      const left = Math.floor(random.uniform() * of.width);
      const top = Math.floor(random.uniform() * of.height);
      for (let i = 0; i < this.#pattern.length; i++) {
        const row = (top + Math.floor(i / width)) % of.height;
        this.#pattern[i] += contrast * of.values[row * of.width + ((left + (i % width)) % of.width)];
      }
    }
    this.#still = this.#pattern.map(Math.exp);
  }

  /** @param dx movement of the chip, pixels; the line lies at `position` in the ROI all the same */
  expose(position: number, light = 1, dx = 0, dy = 0): Pixels {
    const { rows, cols, fullScale } = this.#options;
    const random = this.#random;
    const width = cols + 2 * margin;
    const height = rows + 2 * margin;
    const data = new Uint16Array(width * height);
    const bright = this.#bright(position, light, dx, dy);
    const speckle = tile(0.9);
    const left = Math.floor(random.uniform() * 1021);
    const top = Math.floor(random.uniform() * 1019);
    for (let r = 0; r < height; r++) {
      for (let c = 0; c < width; c++) {
        const grain = speckle.values[((top + r) % speckle.height) * speckle.width + ((left + c) % speckle.width)];
        const lit = bright(r, c) * (1 + 0.02 * grain);
        const counts = dark + lit + Math.sqrt(lit + 4.2 ** 2) * random.normal();
        data[r * width + c] = Math.max(0, Math.min(fullScale, Math.round(counts)));
      }
    }
    return { width, height, depth: 16, data };
  }

  /** Counts above the dark level at a row and column of the ROI's frame, without noise in time. */
  #bright(position: number, light: number, dx: number, dy: number): (row: number, col: number) => number {
    const { rows, cols, exposure, lineShape } = this.#options;
    const pattern = this.#pattern;
    const stride = cols + 2 * (margin + edge);
    const still = this.#still;
    const isStill = dx === 0 && dy === 0;
    return (r, c) => {
      const row = Math.min(rows - 1, Math.max(0, r - margin));
      const t = (c - margin - position - this.#offset[row]) / this.sigma;
      const line = lineShape === 'gauss' ? Math.exp(-0.5 * t * t) : (this.q + t) ** 2 / (1 + t * t) / (1 + this.q ** 2);
      const lit = 15 + this.#amplitude * this.#gain[row] * line;
      if (isStill) return lit * still[(r + edge) * stride + c + edge] * light * exposure;
      const x = Math.floor(c - dx);
      const y = Math.floor(r - dy);
      const fx = c - dx - x;
      const fy = r - dy - y;
      const from = (y + edge) * stride + x + edge;
      const upper = (1 - fx) * pattern[from] + fx * pattern[from + 1];
      const lower = (1 - fx) * pattern[from + stride] + fx * pattern[from + stride + 1];
      const log = (1 - fy) * upper + fy * lower;
      return lit * Math.exp(log) * light * exposure;
    };
  }

  /** Whether a pixel of the ROI is below full scale while the line lies at a position. */
  isSeen(position: number): (row: number, col: number) => boolean {
    const bright = this.#bright(position, 1, 0, 0);
    const { fullScale } = this.#options;
    return (row, col) => dark + bright(row + margin, col + margin) < fullScale;
  }

  /** As the chip lies by chance. */
  frame(position: number, light = 1): Pixels {
    const { jitter } = this.#options;
    return this.expose(position, light, jitter * this.#random.normal(), jitter * this.#random.normal());
  }

  /** As `patternLight` takes it, without what varies from row to row. */
  get truth(): number[] {
    return [this.mean, this.sigma, 15, this.#amplitude, this.q, 0, 0, 0, 0];
  }

  get random(): RandomStream {
    return this.#random;
  }
}

/** Several ROIs one below the other in a frame. */
export class PatternedChip {
  readonly rois: readonly PatternedRoi[];
  readonly manifest: RoiManifest;
  readonly #options: PatternedOptions;

  constructor(seed: number, count: number, options: PatternedOptions = patternedOptions) {
    this.#options = options;
    this.rois = Array.from({ length: count }, (_, i) => new PatternedRoi(seed * 1000 + i, options));
    const pitch = options.rows + 2 * margin;
    const rois = this.rois.map(({ roi }, i) => ({ ...roi, coords: [i * pitch + margin, margin] as const }));
    this.manifest = { rois, imageAngle: 0 };
  }

  /** @param positions of the lines, by place in the manifest */
  frame(positions: readonly number[], light = 1): Pixels {
    const { jitter } = this.#options;
    const { random } = this.rois[0];
    const dx = jitter * random.normal();
    const dy = jitter * random.normal();
    const parts = this.rois.map((roi, i) => roi.expose(positions[i], light, dx, dy));
    const [{ width, height }] = parts;
    const data = new Uint16Array(width * height * parts.length);
    for (const [i, part] of parts.entries()) data.set(part.data, i * width * height);
    return { width, height: height * parts.length, depth: 16, data };
  }
}
