import { expect, test } from 'vitest';
import { createRoiBins } from '../../src/analysis/joint/roiBins.ts';
import { RoiOutsideFrameError } from '../../src/analysis/roiOutsideFrameError.ts';
import { sampleRoi } from '../../src/analysis/sampleRoi.ts';
import type { Pixels } from '../../src/model/frame.ts';
import { randomStream } from '../../src/model/randomStream.ts';
import type { Roi } from '../../src/model/roi.ts';

const width = 200;
const height = 120;
const random = randomStream(3, 'bins');
/** Smooth light with a little noise. */
const light = (x: number, y: number): number => 500 + 200 * Math.sin(x / 15) + 100 * Math.cos(y / 9);
const data = Uint16Array.from({ length: width * height }, (_, i) =>
  Math.round(light(i % width, Math.floor(i / width)) + 5 * random.normal()),
);
const pixels: Pixels = { width, height, depth: 16, data };
const roi = (flip: boolean, coords: [number, number] = [30, 20], size: [number, number] = [40, 150]): Roi => ({
  label: 'A',
  flip,
  coords,
  size,
});

/** Means over the bins of what `sampleRoi` gives. */
function reference(of: Roi, angle: number, binWidth: number, count: number): number[] {
  const [rows, cols] = of.size;
  const sampled = new Float64Array(rows * cols);
  sampleRoi(pixels, of, angle, sampled);
  return Array.from({ length: rows * count }, (_, i) => {
    const row = Math.floor(i / count);
    const bin = i % count;
    const from = bin * binWidth;
    const to = bin === count - 1 ? cols : from + binWidth;
    return sampled.subarray(row * cols + from, row * cols + to).reduce((sum, v) => sum + v, 0) / (to - from);
  });
}

test.each([
  // Turned by more than the level way allows, and next to the frame's border: pixel by pixel.
  ['at the border', roi(false, [0, 0], [40, 200]), 0, 4, 1e-9],
  ['turned far', roi(false), 8, 4, 1e-9],
  ['turned far, mirrored', roi(true), 8, 4, 1e-9],
  // Level within a bin: exact without a turn, and close to it else.
  ['not turned', roi(false), 0, 4, 1e-9],
  ['not turned, mirrored', roi(true), 0, 4, 1e-9],
  ['turned a little', roi(false), 0.6, 4, 0.7],
  ['turned a little, mirrored', roi(true), 0.6, 4, 0.7],
  ['turned the other way, wide bins', roi(false), -0.9, 7, 1.2],
  ['bins that do not divide the width', roi(true), 0.6, 8, 0.9],
] as const)('%s: the means are those of the sampled pixels', (_name, of, angle, binWidth, tolerance) => {
  const bins = createRoiBins();
  bins.fill(pixels, of, angle, binWidth, Number.POSITIVE_INFINITY);
  const expected = reference(of, angle, binWidth, bins.count);
  const errors = expected.map((value, i) => bins.means[i] - value);
  expect(Math.max(...errors.map(Math.abs))).toBeLessThan(tolerance);
  // No shift: the approximation does not lean to one side.
  expect(Math.abs(errors.reduce((sum, e) => sum + e, 0) / errors.length)).toBeLessThan(0.02);
  expect(bins.sizes.subarray(0, bins.count).reduce((sum, n) => sum + n, 0)).toBe(of.size[1]);
});

test('bins with a saturated pixel are not numbers, and the pixels are counted', () => {
  const clipped = data.slice();
  clipped[50 * width + 60] = 4095;
  clipped[50 * width + 61] = 4095;
  clipped[52 * width + 100] = 4095;
  const bins = createRoiBins();
  bins.fill({ ...pixels, data: clipped }, roi(false), 0, 5, 4095);
  expect(bins.saturated).toBe(3);
  const lost = [...bins.means.keys()].filter(i => i < 40 * bins.count && Number.isNaN(bins.means[i]));
  expect(lost).toEqual([20 * bins.count + 8, 22 * bins.count + 16]);
  expect(bins.scatter[0] / 150).toBeGreaterThan(15);
});

test('a ROI that reaches out of the frame is refused', () => {
  const bins = createRoiBins();
  expect(() => bins.fill(pixels, roi(false, [100, 20]), 0, 4, 4095)).toThrow(RoiOutsideFrameError);
});
