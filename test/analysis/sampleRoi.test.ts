import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRoiManifest } from '../../src/analysis/parseRoiManifest.ts';
import { RoiOutsideFrameError } from '../../src/analysis/roiOutsideFrameError.ts';
import { sampleRoi } from '../../src/analysis/sampleRoi.ts';
import { decodeFrame } from '../../src/image/decodeFrame.ts';
import type { Pixels } from '../../src/model/frame.ts';
import type { Roi } from '../../src/model/roi.ts';

function frame(width: number, height: number, value: (x: number, y: number) => number): Pixels {
  const data = Uint16Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width)));
  return { width, height, depth: 16, data };
}

const sample = (pixels: Pixels, roi: Roi, angle: number): number[] => {
  const out = new Float64Array(roi.size[0] * roi.size[1]);
  sampleRoi(pixels, roi, angle, out);
  return Array.from(out);
};

const whole = (pixels: Pixels, flip = false): Roi => ({
  label: 'whole',
  flip,
  coords: [0, 0],
  size: [pixels.height, pixels.width],
});

test('at angle 0 it is an exact copy, up to every border, mirrored where the ROI says so', () => {
  const pixels = frame(9, 7, (x, y) => 1000 * y + 17 * x);
  expect(sample(pixels, whole(pixels), 0)).toEqual(Array.from(pixels.data));
  const mirrored = sample(pixels, { label: 'a', flip: true, coords: [2, 3], size: [2, 4] }, 0);
  expect(mirrored).toEqual([2102, 2085, 2068, 2051, 3102, 3085, 3068, 3051]);
});

test('an angle of 180 degrees turns the frame about (⌊w/2⌋, ⌊h/2⌋)', () => {
  const pixels = frame(9, 7, (x, y) => 1000 * y + 17 * x);
  const turned = sample(pixels, whole(pixels), 180);
  for (let i = 0; i < turned.length; i++) expect(turned[i]).toBeCloseTo(pixels.data[pixels.data.length - 1 - i], 6);
});

test('a plane is sampled exactly where the inverse of OpenCV’s matrix points, black outside', () => {
  const width = 60;
  const height = 40;
  const pixels = frame(width, height, (x, y) => 100 + 20 * x + 3 * y);
  const angle = 3.7;
  // M of the reference README, and its inverse by Cramer's rule.
  const t = (-angle * Math.PI) / 180;
  const [cx, cy] = [30, 20];
  const [a, b, c] = [Math.cos(t), Math.sin(t), (1 - Math.cos(t)) * cx - Math.sin(t) * cy];
  const [d, e, f] = [-Math.sin(t), Math.cos(t), Math.sin(t) * cx + (1 - Math.cos(t)) * cy];
  const determinant = a * e - b * d;
  const out = sample(pixels, whole(pixels), angle);
  let black = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sx = (e * (x - c) - b * (y - f)) / determinant;
      const sy = (a * (y - f) - d * (x - c)) / determinant;
      const value = out[y * width + x];
      if (sx >= 0 && sx <= width - 1 && sy >= 0 && sy <= height - 1)
        expect(value).toBeCloseTo(100 + 20 * sx + 3 * sy, 6);
      if (sx < -1 || sy < -1 || sx > width || sy > height) {
        expect(value).toBe(0);
        black++;
      }
    }
  }
  expect(black).toBeGreaterThan(10);
});

test('no sample is ever outside the range of the frame and 0, whatever the angle', () => {
  const pixels = frame(23, 17, (x, y) => 500 + ((x * 31 + y * 57) % 400));
  fc.assert(
    fc.property(fc.double({ min: -720, max: 720, noNaN: true }), fc.boolean(), (angle, flip) => {
      for (const value of sample(pixels, whole(pixels, flip), angle)) {
        expect(value).toBeGreaterThanOrEqual(-1e-9);
        expect(value).toBeLessThanOrEqual(899 + 1e-9);
      }
    }),
    { numRuns: 100 },
  );
});

test.each([
  ['to the right', [0, 5], [3, 5]],
  ['below', [6, 0], [2, 2]],
  ['altogether', [100, 100], [3, 3]],
] as const)('an ROI that reaches out %s is refused with its name and the frame’s size', (_, coords, size) => {
  const pixels = frame(9, 7, () => 1);
  const attempt = () => sample(pixels, { label: '070A_N', flip: false, coords, size }, 0.5);
  expect(attempt).toThrow(RoiOutsideFrameError);
  expect(attempt).toThrow(/ROI 070A_N \(rows .*outside the frame of 9×7 pixels/);
});

const reference = '../shared/reference';
describe.skipIf(!existsSync(reference))('against OpenCV (shared reference)', () => {
  test('six ROIs agree within its 1/32 pixel steps and 8 bit rounding', async () => {
    const { cases } = JSON.parse(readFileSync(`${reference}/roi_stages.json`, 'utf8'));
    const file = `${reference}/legacy_gauss/ROI_manifest.json`;
    const manifest = parseRoiManifest(readFileSync(file, 'utf8'), file);
    expect(cases).toHaveLength(6);
    for (const { filename, label, raw_min: min, raw_max: max, roi_8bit: expected } of cases) {
      const raw = await decodeFrame(`${reference}/legacy_gauss/Pos0/${filename}`);
      const data = new Uint8Array(raw.data.length);
      for (let i = 0; i < data.length; i++) data[i] = Math.round(((raw.data[i] - min) * 255) / (max - min));
      const eight: Pixels = { ...raw, depth: 8, data };
      const roi = manifest.rois.find(one => one.label === label)!;
      const ours = sample(eight, roi, manifest.imageAngle);
      const theirs: number[] = expected.flat();
      expect(ours).toHaveLength(theirs.length);
      let sum = 0;
      let squares = 0;
      let greatest = 0;
      for (let i = 0; i < ours.length; i++) {
        const difference = ours[i] - theirs[i];
        sum += difference;
        squares += difference ** 2;
        greatest = Math.max(greatest, Math.abs(difference));
      }
      // Steps of 1/32 px in x and y, on the steepest slopes of this frame, and half a grey level.
      expect(greatest).toBeLessThan(0.5 + steepest(eight, roi) / 32);
      expect(Math.abs(sum / ours.length)).toBeLessThan(0.1);
      // Rounding alone makes 0.29.
      expect(Math.sqrt(squares / ours.length)).toBeLessThan(0.45);
    }
  });
});

/** Greatest difference between neighbours around an ROI (turned by no more than a degree). */
function steepest({ data, width, height }: Pixels, { coords, size }: Roi): number {
  let greatest = 0;
  for (let y = Math.max(0, coords[0] - 20); y < Math.min(height - 1, coords[0] + size[0] + 20); y++) {
    for (let x = Math.max(0, coords[1] - 20); x < Math.min(width - 1, coords[1] + size[1] + 20); x++) {
      const at = y * width + x;
      greatest = Math.max(greatest, Math.abs(data[at + 1] - data[at]) + Math.abs(data[at + width] - data[at]));
    }
  }
  return greatest;
}
