/**
 * A simulated chip under its microscope: everything that stays the same from frame to frame, computed once. Frames come
 * from `renderFrame`.
 */

import { type RandomStream, randomStream } from '../../../model/randomStream.ts';
import { type ChipLayout, chipLayout } from './chipLayout.ts';
import { type LightPattern, lightPattern } from './lightPattern.ts';
import { type NoiseTile, noiseTile } from './noiseTile.ts';
import { lineShapeAt, type Resonance, type RoiCondition, resonanceOf } from './resonance.ts';
import type { SimulatorOptions } from './simulatorOptions.ts';

export interface Scene {
  options: SimulatorOptions;
  layout: ChipLayout;
  resonances: readonly Resonance[];
  /** Line shape of each ROI by distance from its position, `tableSteps` values a pixel, from −(columns + 4) pixels. */
  shapes: readonly Float32Array[];
  dust: readonly DustSpeck[];
  /** Offsets of pixels that are always at full scale. */
  hotPixels: readonly number[];
  /** Two tiles whose sizes share no factor: their sum repeats only after the product of the sizes. */
  speckle: readonly [NoiseTile, NoiseTile];
  white: Float32Array;
  pattern: LightPattern | null;
}

/** A dark speck with a soft edge, in derotated pixels. */
export interface DustSpeck {
  x: number;
  y: number;
  radius: number;
  /** Light that passes its middle. */
  transmission: number;
}

/** Values a pixel in the tables of line shapes; straight lines between them err by less than 1e-4 of the amplitude. */
export const tableSteps = 4;
/** Pixels that a table reaches beyond the ROI's length. */
export const tableMargin = 4;

/** @throws RangeError for a layout that does not fit */
export function createScene(options: SimulatorOptions): Scene {
  const layout = chipLayout(options);
  const random = randomStream(options.seed, 'scene');
  const conditions = chooseConditions(layout.rois.length, options, random);
  const resonances = layout.rois.map((roi, i) => resonanceOf(roi, conditions[i], options));
  const { speckleSigma } = options;
  return {
    options,
    layout,
    resonances,
    shapes: resonances.map(resonance => shapeTable(resonance, options)),
    dust: resonances.filter(({ condition }) => condition === 'dust').map(resonance => speckOn(resonance, random)),
    hotPixels: Array.from({ length: options.hotPixels }, () =>
      Math.floor(random.uniform() * options.width * options.height),
    ),
    speckle: [
      noiseTile(512, 253, speckleSigma, randomStream(options.seed, 'speckle A')),
      noiseTile(419, 331, speckleSigma, randomStream(options.seed, 'speckle B')),
    ],
    white: noiseTile(1 << 16, 1, 0, randomStream(options.seed, 'white')).values,
    pattern: lightPattern(options),
  };
}

/** Hands the conditions that are asked for to ROIs drawn by lot, each to another one. */
function chooseConditions(count: number, options: SimulatorOptions, random: RandomStream): RoiCondition[] {
  const { dust, saturatedRois, edgeRois, exposure } = options;
  if (dust + saturatedRois + edgeRois > count)
    throw new RangeError(
      `simulator: dust, saturatedRois and edgeRois ask for ${dust + saturatedRois + edgeRois} ROIs; there are ${count}`,
    );
  const conditions = new Array<RoiCondition>(count).fill(exposure < 0.2 ? 'low_signal' : 'normal');
  const free = conditions.map((_, i) => i);
  const give = (condition: RoiCondition, times: number): void => {
    for (let i = 0; i < times; i++) {
      const [drawn] = free.splice(Math.floor(random.uniform() * free.length), 1);
      conditions[drawn] = condition;
    }
  };
  give('dust', dust);
  give('saturated', saturatedRois);
  give('edge', edgeRois);
  return conditions;
}

function speckOn({ roi }: Resonance, random: RandomStream): DustSpeck {
  const [rows, columns] = roi.size;
  return {
    x: roi.coords[1] + random.between(0.2, 0.8) * columns,
    y: roi.coords[0] + random.between(0.2, 0.8) * rows,
    radius: rows * random.between(0.08, 0.2),
    transmission: random.between(0.15, 0.5),
  };
}

function shapeTable(resonance: Resonance, { lineShape }: SimulatorOptions): Float32Array {
  const reach = resonance.roi.size[1] + tableMargin;
  return Float32Array.from({ length: 2 * reach * tableSteps + 2 }, (_, i) =>
    lineShapeAt(i / tableSteps - reach, resonance, lineShape),
  );
}
