import { expect, it } from 'vitest';
import { brightestRoi } from '../../src/analysis/brightestRoi.ts';
import type { Pixels } from '../../src/model/frame.ts';

const roi = (label: string, row: number, col: number) =>
  ({ label, flip: false, coords: [row, col], size: [10, 20] }) as const;

function frame(): Pixels {
  const data = new Uint8Array(100 * 60).fill(20);
  const box = (row: number, col: number, value: number): void => {
    for (let y = row; y < row + 4; y++) data.fill(value, y * 100 + col, y * 100 + col + 4);
  };
  box(12, 12, 120);
  box(32, 52, 180);
  // Brighter than any grating, and in none; a hot pixel in one.
  box(50, 80, 255);
  data[15 * 100 + 25] = 255;
  return { width: 100, height: 60, depth: 8, data };
}

it('names the brightest region of interest; neither hot pixels nor light beside the gratings count', () => {
  const rois = [roi('A1', 10, 10), roi('B2', 30, 50)];
  const found = brightestRoi(frame(), { rois, imageAngle: 0 }, 255);
  expect(found).toEqual({ label: 'B2', level: 180, saturated: 1 / 400, outside: [] });
});

it('passes over regions outside the frame, and says which', () => {
  const rois = [roi('A1', 10, 10), roi('Z9', 300, 10)];
  expect(brightestRoi(frame(), { rois, imageAngle: 0 }, 255)).toMatchObject({ label: 'A1', outside: ['Z9'] });
  expect(brightestRoi(frame(), { rois: rois.slice(1), imageAngle: 0 }, 255)).toBeNull();
});
