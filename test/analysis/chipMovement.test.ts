import { describe, expect, test } from 'vitest';
import { createChipMovement, followed } from '../../src/analysis/chipMovement.ts';
import { analyseFrame } from '../world/analyseFrame.ts';
import { movingChip } from '../world/movingChip.ts';

const { manifest, frame } = movingChip();
const see = createChipMovement(manifest)!;

test.each([
  ['stands still', [0, 0], 0],
  ['has drifted by parts of a pixel', [0.4, -0.7], 0],
  ['has drifted by some pixels', [2.3, 1.6], 0],
  ['has jumped', [-8.2, 5.1], 0],
  ['has jumped far', [21, -17], 0],
  ['is turned', [0, 0], 0.15],
  ['has moved and is turned', [3, 2], -0.3],
] as const)('a chip that %s, its resonances on the move: the shift within 0.1 px', (_, moved, turn) => {
  const shifts = [0, 97, 194].map(seconds => see(frame(seconds, moved, turn).pixels)!.shift);
  const mean = (of: 'dx' | 'dy' | 'angle'): number => shifts.reduce((sum, shift) => sum + shift[of], 0) / shifts.length;
  expect(Math.abs(mean('dx') - moved[0])).toBeLessThan(0.1);
  expect(Math.abs(mean('dy') - moved[1])).toBeLessThan(0.1);
  expect(Math.abs(mean('angle') - turn)).toBeLessThan(0.02);
});

test('a frame in which no outline is to be seen says nothing', () => {
  const { pixels } = frame(0);
  expect(see({ ...pixels, data: new Uint8Array(pixels.data.length).fill(12) })).toBeNull();
});

test('a ROI manifest that does not know the outlines sees no movement', () => {
  const { madeFor: _calibrated, ...plain } = manifest;
  expect(createChipMovement(plain)).toBeNull();
});

describe('regions that follow the chip', () => {
  const job = { method: 'gaussian', estimator: 'roi', numberOfSubRois: 0, keepValues: false } as const;

  /** Root of the mean square of what positions are from the truth, px. */
  function error(seconds: number, moved: readonly [number, number], turn: number, follows: boolean): number {
    const { pixels, positions } = frame(seconds, moved, turn);
    const rois = follows ? followed(manifest, see(pixels)!) : manifest;
    const found = analyseFrame(pixels, { ...job, rois }).positions;
    return Math.sqrt(found.reduce((sum, position, i) => sum + (position - positions[i]) ** 2, 0) / found.length);
  }

  test('positions are as good as on a chip that stands still', () => {
    const still = error(50, [0, 0], 0, false);
    expect(error(50, [4.3, -2.6], 0, false)).toBeGreaterThan(3);
    expect(error(50, [4.3, -2.6], 0, true)).toBeLessThan(still + 0.1);
    expect(error(50, [2.4, 1.7], 0.2, true)).toBeLessThan(still + 0.1);
  });

  test('one that would leave the frame stays at its border', () => {
    const { width, height } = manifest.madeFor!;
    const far = {
      shift: { dx: 300, dy: -300, angle: 0 },
      pose: { angle: 0.4, scale: 1, offset: [300, -300] as const },
    };
    for (const { coords, size } of followed(manifest, far).rois) {
      expect(coords[0]).toBeGreaterThanOrEqual(0);
      expect(coords[1] + size[1]).toBeLessThanOrEqual(width);
      expect(coords[0] + size[0]).toBeLessThanOrEqual(height);
    }
  });
});
