import { describe, expect, test } from 'vitest';
import { parseRoiManifest } from '../../src/analysis/parseRoiManifest.ts';
import { selectRois } from '../../src/calibration/selectRois.ts';
import { surveyRois } from '../../src/calibration/surveyRois.ts';
import type { Pixels } from '../../src/model/frame.ts';
import type { Roi } from '../../src/model/roi.ts';

describe('selectRois', () => {
  const labels = ['001A_N', '001A_S', '006A_N', '101B_N'];
  const text = JSON.stringify({
    ...Object.fromEntries(labels.map(label => [`ROI_${label}`, { label, flip: true, coords: [0, 0], size: [2, 3] }])),
    image_angle: 0.5,
    calibration: { image_size: [10, 10], chip_type: 'A', scale: 1, offset: [0, 0] },
    note: 'kept',
  });
  const left = (...patterns: string[]): string[] =>
    parseRoiManifest(selectRois(text, patterns).text, 'm').rois.map(({ label }) => label);

  test('keeps what fits a pattern, and none that fits one after an exclamation mark', () => {
    expect(left('0[0-9][0-5]A*')).toEqual(['001A_N', '001A_S']);
    expect(left('*_N', '!1*')).toEqual(['001A_N', '006A_N']);
    expect(left('!*_S')).toEqual(['001A_N', '006A_N', '101B_N']);
  });

  test('all else in the manifest stays', () => {
    const { text: selected, kept, of } = selectRois(text, ['101*']);
    expect([kept, of]).toEqual([1, 4]);
    expect(JSON.parse(selected)).toMatchObject({ image_angle: 0.5, calibration: { scale: 1 }, note: 'kept' });
  });

  test('nothing left is an error that names some labels', () => {
    expect(() => selectRois(text, ['9*'])).toThrow('no region fits 9*; their labels are 001A_N, 001A_S');
  });
});

test('surveyRois tells regions on light from those partly outside, in a black corner, and on nothing', () => {
  const pixels: Pixels = { width: 200, height: 100, depth: 8, data: new Uint8Array(200 * 100).fill(10) };
  for (let y = 20; y < 80; y++) pixels.data.fill(90, y * 200 + 20, y * 200 + 120);
  const roi = (label: string, row: number, column: number): Roi => ({
    label,
    flip: false,
    coords: [row, column],
    size: [20, 40],
  });
  const rois = [roi('a', 30, 30), roi('b', 50, 60), roi('beside', 30, 150), roi('out', 90, 30), roi('corner', 0, 0)];
  const labels = (angle: number) => {
    const { onLight, outside, onNothing } = surveyRois(pixels, { rois, imageAngle: angle });
    return [onLight, outside, onNothing].map(some => some.map(({ label }) => label));
  };
  expect(labels(0)).toEqual([['a', 'b'], ['out'], ['beside', 'corner']]);
  expect(labels(3)).toEqual([['a', 'b'], ['out', 'corner'], ['beside']]);
});
