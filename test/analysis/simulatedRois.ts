import type { Pixels } from '../../src/model/frame.ts';
import { type RandomStream, randomStream } from '../../src/model/randomStream.ts';
import type { Roi } from '../../src/model/roi.ts';
import { type NoiseTile, noiseTile } from '../../src/streams/cameras/simulated/noiseTile.ts';
import {
  lineShapeAt,
  type Resonance,
  type RoiCondition,
  resonanceOf,
} from '../../src/streams/cameras/simulated/resonance.ts';
import { type SimulatorOptions, simulatorOptions } from '../../src/streams/cameras/simulated/simulatorOptions.ts';

/** One ROI as a frame of its own, with its truth. */
export interface SimulatedRoi {
  pixels: Pixels;
  roi: Roi;
  resonance: Resonance;
  /** Mean position of the line over the ROI's rows. */
  truth: number;
}

/** Black pixels around a ROI, so that it does not touch the border of its frame. */
const margin = 2;

/** The noise of the reference data, without shot noise, every ROI's its own. */
export const referenceNoise: Partial<SimulatorOptions> = { shotGain: 0, speckleStaticFraction: 0 };

/**
 * Draws ROIs by the simulator's model, one small frame each (no rotation), all independent: their lines by the simulator's
 * own rule, their noise from places of a large tile drawn by lot.
 */
export class RoiSimulator {
  readonly options: SimulatorOptions;
  readonly #random: RandomStream;
  readonly #tile: NoiseTile;
  #drawn = 0;

  constructor(given: Partial<SimulatorOptions> = {}) {
    this.options = simulatorOptions('microscope', { ...referenceNoise, ...given });
    this.#random = randomStream(this.options.seed, 'simulated ROIs');
    this.#tile = tileOf(this.options.speckleSigma);
  }

  /** @param adapt changes the line before it is drawn */
  draw(condition: RoiCondition, adapt: (resonance: Resonance) => void = () => {}): SimulatedRoi {
    const { roiRows, roiColumns } = this.options;
    const label = `R${this.#drawn++}`;
    const roi: Roi = { label, flip: false, coords: [margin, margin], size: [roiRows, roiColumns] };
    const resonance = resonanceOf(roi, condition, this.options);
    adapt(resonance);
    return { pixels: this.#expose(resonance, condition), roi, resonance, truth: resonance.rest };
  }

  #expose(resonance: Resonance, condition: RoiCondition): Pixels {
    const { roiRows: rows, roiColumns: cols, background, dark, fullScale, readNoise, lineShape } = this.options;
    const { shotGain, speckleContrast, depth } = this.options;
    const exposure = condition === 'low_signal' ? 0.09 : 1;
    const random = this.#random;
    const { width, height, values } = this.#tile;
    // Two places together have the same statistics as one, and there are a million times a million of them.
    const left = Math.floor(random.uniform() * width);
    const top = Math.floor(random.uniform() * height);
    const left2 = Math.floor(random.uniform() * width);
    const top2 = Math.floor(random.uniform() * height);
    const speck = condition === 'dust' ? speckOn(rows, cols, random) : null;
    const frameWidth = cols + 2 * margin;
    const frame = frameWidth * (rows + 2 * margin);
    const data = depth === 8 ? new Uint8Array(frame) : new Uint16Array(frame);
    for (let r = 0; r < rows; r++) {
      const line = ((top + r) % height) * width;
      const line2 = ((top2 + r) % height) * width;
      const position = resonance.rest + resonance.rowOffset[r];
      const gain = resonance.amplitude * resonance.rowGain[r];
      for (let x = 0; x < cols; x++) {
        const n = Math.SQRT1_2 * (values[line + ((left + x) % width)] + values[line2 + ((left2 - x + width) % width)]);
        let light = background + gain * lineShapeAt(x - position, resonance, lineShape);
        if (speck !== null) light *= speck(x, r);
        const signal = Math.max(0, light * exposure * (1 + speckleContrast * n));
        const raw = dark + signal + Math.sqrt(readNoise ** 2 + shotGain * signal) * random.normal();
        data[(r + margin) * frameWidth + margin + x] = Math.max(0, Math.min(fullScale, Math.floor(raw + 0.5)));
      }
    }
    return { width: frameWidth, height: rows + 2 * margin, depth, data };
  }
}

const tiles = new Map<number, NoiseTile>();

function tileOf(sigma: number): NoiseTile {
  const tile = tiles.get(sigma) ?? noiseTile(1021, 1019, sigma, randomStream(1, 'tile'));
  tiles.set(sigma, tile);
  return tile;
}

/** As the simulator draws dust: a dark disc with a soft edge. */
function speckOn(rows: number, cols: number, random: RandomStream): (x: number, y: number) => number {
  const x0 = random.between(0.2, 0.8) * cols;
  const y0 = random.between(0.2, 0.8) * rows;
  const radius = rows * random.between(0.08, 0.2);
  const transmission = random.between(0.15, 0.5);
  return (x, y) => {
    const edge = Math.min(1, Math.max(0, (Math.hypot(x - x0, y - y0) - radius) / 2 + 0.5));
    return transmission + (1 - transmission) * edge;
  };
}
