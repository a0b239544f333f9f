/**
 * Draws frames of a scene: raw = clip(round(dark + offset + gain·(L + √(read² + shot·L)·w))), L = light·pattern·exposure·(1 + contrast·n), where
 * light = background + amplitude·gain[r]·shape(u − position − offset[r]) at the ROI coordinates (r, u) of the pixel's
 * centre in the derotated frame, n is the speckle and w white. A frame depends on scene, time and its faults alone.
 */

import type { Pixels } from '../../../model/frame.ts';
import { randomStream } from '../../../model/randomStream.ts';
import { type Mark, overhang } from './chipLayout.ts';
import type { FrameFault } from './frameFaults.ts';
import { type Band, FrameGeometry } from './frameGeometry.ts';
import { FrameNoise } from './frameNoise.ts';
import { applyPattern } from './lightPattern.ts';
import { positionAt, type Resonance } from './resonance.ts';
import { type DustSpeck, type Scene, tableMargin, tableSteps } from './scene.ts';
import type { SimulatorOptions } from './simulatorOptions.ts';

export interface SimulatedFrame {
  pixels: Pixels;
  /** Mean position over each ROI's rows, in the order of the scene's ROIs, pixels. */
  positions: Float64Array;
  /** Pixels to the right and down that the chip lies from where its manifest has it. */
  moved: readonly [number, number];
}

/** Pixels drawn between two chances to do something else: a few milliseconds' work, on a Raspberry Pi some tens. */
const pixelsAStep = 1 << 16;
/** Light on bare chip and on labels, as parts of the gratings' background. */
const bareChip = 0.35;
const markBrightness = 2.6;

/**
 * Draws a frame in steps; run the iterator to its end, doing something else in between at will.
 *
 * @param timeMs milliseconds since 1970 UTC
 * @param faults what is wrong with the frame; the truth stays as it is
 */
export function* renderSteps(
  scene: Scene,
  timeMs: number,
  faults: readonly FrameFault[] = [],
): Generator<void, SimulatedFrame> {
  const { options, resonances } = scene;
  const { width, height, depth, fullScale } = options;
  const positions = Float64Array.from(resonances, resonance => positionAt(resonance, timeMs / 1000, options));
  const data = depth === 8 ? new Uint8Array(width * height) : new Uint16Array(width * height);
  const fault = <K extends FrameFault['kind']>(kind: K): Extract<FrameFault, { kind: K }> | undefined =>
    faults.find((each): each is Extract<FrameFault, { kind: K }> => each.kind === kind);
  const moved = movementAt(timeMs, options, fault('moved')?.pixels ?? [0, 0]);
  const geometry = new FrameGeometry(options, moved);
  const noise = new FrameNoise(scene, timeMs);
  const bandRows = Math.max(1, Math.floor(pixelsAStep / width));
  const light = new Float32Array(bandRows * width);
  // The rows below a tear have never come: they stay at 0.
  const end = fault('torn')?.row ?? height;
  for (let top = 0; top < end; top += bandRows) {
    const bottom = Math.min(end, top + bandRows);
    const band: Band = { light, width, top, bottom };
    light.fill(bareChip * options.background);
    for (const mark of scene.layout.marks) drawMark(band, geometry, mark, markBrightness * options.background);
    resonances.forEach((resonance, i) => {
      drawHalf(band, geometry, resonance, scene.shapes[i], positions[i], options.background);
    });
    for (const speck of scene.dust) dim(band, geometry, speck);
    if (scene.pattern) applyPattern(band, scene.pattern, { moved, timeMs, seed: options.seed });
    if (fault('black')) light.fill(0);
    else if (fault('saturated')) light.fill(Number.MAX_SAFE_INTEGER);
    noise.expose(band, data);
    if (bottom < end) yield;
  }
  for (const offset of scene.hotPixels) if (offset < end * width) data[offset] = fullScale;
  return { pixels: { width, height, depth, data }, positions, moved };
}

/** Draws a frame at once. */
export function renderFrame(scene: Scene, timeMs: number, faults: readonly FrameFault[] = []): SimulatedFrame {
  const steps = renderSteps(scene, timeMs, faults);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

function movementAt(
  timeMs: number,
  { seed, chipJitter }: SimulatorOptions,
  [right, down]: readonly [number, number],
): readonly [number, number] {
  if (chipJitter === 0) return [right, down];
  const random = randomStream(seed, `chip ${timeMs}`);
  return [right + chipJitter * random.normal(), down + chipJitter * random.normal()];
}

function drawMark(band: Band, geometry: FrameGeometry, mark: Mark, light: number): void {
  const u0 = mark.left - 0.5;
  const u1 = u0 + mark.width;
  const v0 = mark.top - 0.5;
  const v1 = v0 + mark.height;
  const [first, end] = geometry.rows(band, u0, u1, v0, v1);
  for (let y = first; y < end; y++) {
    const [from, to] = geometry.columns(y, u0, u1, v0, v1);
    if (from < to) band.light.fill(light, (y - band.top) * band.width + from, (y - band.top) * band.width + to);
  }
}

/** One half of a grating, with its resonance. */
function drawHalf(
  band: Band,
  geometry: FrameGeometry,
  { roi, rowOffset, rowGain, amplitude }: Resonance,
  shape: Float32Array,
  position: number,
  background: number,
): void {
  const [top, left] = roi.coords;
  const [rows, columns] = roi.size;
  const u0 = left - 0.5 - overhang;
  const u1 = left + columns - 0.5 + overhang;
  const v0 = top - 0.5 - overhang;
  const v1 = top + rows - 0.5 + overhang;
  // Edges are soft, as a lens makes them: a pixel has the part of the light that falls on it. The halves of a grating meet without an edge.
  const [edge0, edge1] = roi.flip ? [v0 - 1, v1] : [v0, v1 + 1];
  const [first, end] = geometry.rows(band, u0 - 0.5, u1 + 0.5, roi.flip ? v0 : v0 - 0.5, roi.flip ? v1 + 0.5 : v1);
  const start = tableSteps * (columns + tableMargin);
  const lastIndex = shape.length - 2;
  for (let y = first; y < end; y++) {
    const [from, to] = geometry.columns(y, u0 - 0.5, u1 + 0.5, roi.flip ? v0 : v0 - 0.5, roi.flip ? v1 + 0.5 : v1);
    const atRow = (y - band.top) * band.width;
    const uRow = geometry.u(y) - left;
    const vRow = geometry.v(y) - top;
    for (let x = from; x < to; x++) {
      const u = uRow + geometry.cos * x;
      // The overhang goes on as the first and last row do.
      const r = Math.min(rows - 1, Math.max(0, vRow - geometry.sin * x));
      const r0 = Math.min(rows - 2, r | 0);
      const part = r - r0;
      const offset = rowOffset[r0] + part * (rowOffset[r0 + 1] - rowOffset[r0]);
      const gain = rowGain[r0] + part * (rowGain[r0 + 1] - rowGain[r0]);
      const at = start + tableSteps * ((roi.flip ? columns - 1 - u : u) - position - offset);
      const index = at < 0 ? 0 : at > lastIndex ? lastIndex : at | 0;
      const value = shape[index] + (at - index) * (shape[index + 1] - shape[index]);
      const light = background + amplitude * gain * value;
      const across = Math.min(u + left - u0, u1 - u - left);
      const v = vRow + top - geometry.sin * x;
      const cover = Math.min(1, across + 0.5) * Math.min(1, Math.min(v - edge0, edge1 - v) + 0.5);
      band.light[atRow + x] += cover * (light - band.light[atRow + x]);
    }
  }
}

function dim(band: Band, geometry: FrameGeometry, { x: u0, y: v0, radius, transmission }: DustSpeck): void {
  const reach = radius + 2;
  const [first, end] = geometry.rows(band, u0 - reach, u0 + reach, v0 - reach, v0 + reach);
  for (let y = first; y < end; y++) {
    const [from, to] = geometry.columns(y, u0 - reach, u0 + reach, v0 - reach, v0 + reach);
    for (let x = from; x < to; x++) {
      const distance = Math.hypot(geometry.u(y) + geometry.cos * x - u0, geometry.v(y) - geometry.sin * x - v0);
      const edge = Math.min(1, Math.max(0, (distance - radius) / 2 + 0.5));
      band.light[(y - band.top) * band.width + x] *= transmission + (1 - transmission) * edge;
    }
  }
}
