import { randomStream } from '../../../model/randomStream.ts';
import type { Band } from './frameGeometry.ts';
import { lightAt } from './resonance.ts';
import type { Scene } from './scene.ts';

/** What sensor and coherent light add; new for each frame but for the static part of the speckle. */
export class FrameNoise {
  readonly #scene: Scene;
  /** Offsets into the two speckle tiles for the static part, then for this frame's. */
  readonly #offsets: readonly number[];
  readonly #rowStarts: Uint16Array;
  readonly #light: number;

  constructor(scene: Scene, timeMs: number) {
    this.#scene = scene;
    const { seed, height } = scene.options;
    const fixed = randomStream(seed, 'static speckle');
    const fresh = randomStream(seed, `frame ${timeMs}`);
    const draw = (random: typeof fixed): number[] =>
      scene.speckle.flatMap(tile => [
        Math.floor(random.uniform() * tile.width),
        Math.floor(random.uniform() * tile.height),
      ]);
    this.#offsets = [...draw(fixed), ...draw(fresh)];
    this.#light = lightAt(timeMs / 1000, scene.options);
    // Every row starts elsewhere in the table, so no two rows of a frame share their noise.
    this.#rowStarts = Uint16Array.from({ length: height }, () => fresh.uniform() * 65536);
  }

  expose({ light, width, top, bottom }: Band, data: Uint8Array | Uint16Array): void {
    const { options, speckle, white } = this.#scene;
    const { gain, fullScale, shotGain, speckleContrast, speckleStaticFraction } = options;
    const exposure = options.exposure * this.#light;
    const zero = options.dark + options.offset;
    const readVariance = options.readNoise ** 2;
    // Two tiles each: their sum has twice the variance of one.
    const fixedPart = speckleContrast * Math.sqrt(speckleStaticFraction / 2);
    const freshPart = speckleContrast * Math.sqrt((1 - speckleStaticFraction) / 2);
    const [a, b] = speckle;
    const [ax, ay, bx, by, cx, cy, dx, dy] = this.#offsets;
    for (let y = top; y < bottom; y++) {
      const rowA = ((y + ay) % a.height) * a.width;
      const rowB = ((y + by) % b.height) * b.width;
      const rowC = ((y + cy) % a.height) * a.width;
      const rowD = ((y + dy) % b.height) * b.width;
      const whiteStart = this.#rowStarts[y];
      const from = (y - top) * width;
      const to = y * width;
      let ia = ax;
      let ib = bx;
      let ic = cx;
      let id = dx;
      for (let x = 0; x < width; x++) {
        const n =
          fixedPart * (a.values[rowA + ia] + b.values[rowB + ib]) +
          freshPart * (a.values[rowC + ic] + b.values[rowD + id]);
        if (++ia === a.width) ia = 0;
        if (++ib === b.width) ib = 0;
        if (++ic === a.width) ic = 0;
        if (++id === b.width) id = 0;
        const signal = Math.max(0, light[from + x] * exposure * (1 + n));
        const raw =
          zero +
          gain * signal +
          gain * Math.sqrt(readVariance + shotGain * signal) * white[(whiteStart + x) & 0xffff] +
          0.5;
        data[to + x] = raw <= 0 ? 0 : raw >= fullScale ? fullScale : raw;
      }
    }
  }
}
