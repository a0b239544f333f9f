import { describe, expect, test } from 'vitest';
import { createRoiEstimator } from '../../src/analysis/joint/roiEstimator.ts';
import type { RoiEstimate } from '../../src/analysis/roiEstimate.ts';
import { type Resonance, resonanceOf } from '../../src/streams/cameras/simulated/resonance.ts';
import { cramerRaoBound } from './cramerRao.ts';
import { roiAccuracy } from './roiAccuracy.ts';
import { RoiSimulator, type SimulatedRoi } from './simulatedRois.ts';

const shapeOf = { gaussian: 'gauss', fano: 'fano' } as const;
const methods = ['gaussian', 'fano'] as const;
const simulatorFor = (method: (typeof methods)[number], seed = 11): RoiSimulator =>
  new RoiSimulator({ seed, lineShape: shapeOf[method] });
const none = Number.POSITIVE_INFINITY;

test.each([
  ['gauss', 0.22, 0.24],
  ['fano', 0.48, 0.56],
] as const)('the bound is that of the reference data (0.234 px Gaussian, 0.54 px Fano): %s', (lineShape, low, high) => {
  const { options } = new RoiSimulator({ lineShape });
  const roi = { label: 'R', flip: false, coords: [0, 0], size: [45, 176] } as const;
  const line: Resonance = { ...resonanceOf(roi, 'normal', options), rest: 88, amplitude: 100, width: 25, q: 4.5 };
  if (lineShape === 'fano') line.width = 22;
  const bound = cramerRaoBound(line, options);
  expect(bound).toBeGreaterThan(low);
  expect(bound).toBeLessThan(high);
});

describe.each([
  ['gaussian', 1.15],
  ['fano', 1.25],
] as const)('%s lines with the noise of the reference data', (method, limit) => {
  test('1,000 ROIs: the scatter is near the bound, the standard error true, none missing, hardly one flagged', () => {
    const found = roiAccuracy(simulatorFor(method), createRoiEstimator(method), 'normal', 1000, 24);
    expect(found.scatter / found.bound).toBeLessThan(limit);
    expect(Math.abs(found.bias)).toBeLessThan(0.05);
    expect(found.withinOne).toBeGreaterThan(0.65);
    expect(found.withinOne).toBeLessThan(0.71);
    expect(found.withinTwo).toBeGreaterThan(0.93);
    expect(found.withinTwo).toBeLessThan(0.97);
    expect(found.chiSquared).toBeGreaterThan(0.95);
    expect(found.chiSquared).toBeLessThan(1.1);
    expect(found.missing).toBe(0);
    expect(found.flagged).toBeLessThan(0.02);
    expect(found.worst).toBeLessThan(5);
  });

  test.each([
    ['low_signal', 1.25, 'low_signal'],
    ['dust', 1.3, null],
    ['saturated', 1.6, 'saturated'],
    ['edge', 1.5, 'edge'],
  ] as const)('%s ROIs: no outlier without a flag', (condition, factor, flag) => {
    const found = roiAccuracy(simulatorFor(method, 12), createRoiEstimator(method), condition, 100);
    expect(found.missing).toBeLessThan(2);
    expect(found.worstUnflagged).toBeLessThan(5);
    expect(found.scatter / found.bound).toBeLessThan(factor);
    if (flag !== null) expect(found.byFlag[flag]).toBeGreaterThan(90);
  });
});

/** A ROI with some pixels, by row and column, set to a value. */
function withPixels({ pixels, roi }: SimulatedRoi, set: (row: number, column: number) => number | null) {
  const data = pixels.data.slice();
  const [top, left] = roi.coords;
  for (let row = 0; row < roi.size[0]; row++) {
    for (let column = 0; column < roi.size[1]; column++) {
      const value = set(row, column);
      if (value !== null) data[(top + row) * pixels.width + left + column] = value;
    }
  }
  return { ...pixels, data };
}

describe.each(methods)('%s: what should not matter', method => {
  const estimate = createRoiEstimator(method);
  const one = simulatorFor(method, 13).draw('normal');
  const clean = estimate(one.pixels, one.roi, 0, none);

  test('one hot pixel of 65535', () => {
    for (const column of [20, 70, 90, 120]) {
      const hot = estimate(
        withPixels(one, (r, c) => (r === 17 && c === column ? 65535 : null)),
        one.roi,
        0,
        none,
      );
      expect(Math.abs(hot.position! - clean.position!)).toBeLessThan(0.5 * clean.uncertainty!);
      expect(hot.flags).toEqual([]);
    }
  });

  test('dead rows; they are counted', () => {
    const dead = estimate(
      withPixels(one, r => (r % 9 === 4 ? 0 : null)),
      one.roi,
      0,
      none,
    );
    expect(Math.abs(dead.position! - clean.position!)).toBeLessThan(clean.uncertainty!);
    expect(dead.rejections.filter(reason => reason === 'differing')).toHaveLength(5);
    expect(dead.rows).toHaveLength(40);
  });

  test('what was estimated before: every ROI gives the same, bit for bit, in any order', () => {
    const simulator = simulatorFor(method, 14);
    const rois = (['normal', 'dust', 'saturated', 'edge', 'low_signal'] as const).map(c => simulator.draw(c));
    const forwards = createRoiEstimator(method);
    const plain = ({ pixels, roi }: SimulatedRoi, by = forwards): RoiEstimate =>
      structuredClone(by(pixels, roi, 0, 4095));
    const first = rois.map(roi => plain(roi));
    const backwards = createRoiEstimator(method);
    const second = rois.toReversed().map(roi => plain(roi, backwards));
    expect(second.reverse()).toEqual(first);
  });
});

describe('what is no line in the ROI has no position', () => {
  test.each(methods)('%s: noise, or a resonance that has left', method => {
    const simulator = simulatorFor(method, 15);
    const estimate = createRoiEstimator(method);
    for (const adapt of [
      (line: Resonance) => void (line.amplitude = 0),
      (line: Resonance) => void (line.rest = -25),
      (line: Resonance) => void (line.rest = method === 'fano' ? 240 : 300),
    ]) {
      for (let i = 0; i < 10; i++) {
        const { pixels, roi } = simulator.draw('normal', adapt);
        expect(estimate(pixels, roi, 0, none)).toMatchObject({ position: null, uncertainty: null, flags: ['lost'] });
      }
    }
  });

  test('nor has a ROI of one value', () => {
    const { pixels, roi } = simulatorFor('gaussian').draw('normal');
    const flat = { ...pixels, data: pixels.data.map(() => 100) };
    for (const method of methods) {
      const found = createRoiEstimator(method)(flat, roi, 0, none);
      expect(found).toMatchObject({ position: null, flags: ['lost'], rows: [] });
      expect(found.rejections).toHaveLength(45);
    }
  });
});

test('a second peak is flagged, a single one not', () => {
  const simulator = simulatorFor('gaussian', 16);
  const estimate = createRoiEstimator('gaussian');
  for (let i = 0; i < 20; i++) {
    const single = simulator.draw('normal', line => {
      line.rest = 50;
      line.width = 12;
    });
    expect(estimate(single.pixels, single.roi, 0, none).flags).toEqual([]);
    const other = simulator.draw('normal', line => {
      line.rest = 120;
      line.width = 12;
      line.amplitude *= 0.9;
    });
    // Both lines' light, one background.
    const both = {
      ...single.pixels,
      data: single.pixels.data.map((v, k) => Math.max(0, v + other.pixels.data[k] - 115)),
    };
    expect(estimate(both, single.roi, 0, none).flags).toContain('two_peaks');
  }
});

test.each([
  [1.5, 0.6],
  [4, 0.5],
  [45, 1.5],
])('a line of σ %d px is found', (width, worst) => {
  const found = roiAccuracy(simulatorFor('gaussian', 17), createRoiEstimator('gaussian'), 'normal', 60, 0, line => {
    line.width = width;
  });
  expect(found.missing).toBe(0);
  expect(found.worst).toBeLessThan(worst);
});

test('a slanted line: a pixel a row', () => {
  const found = roiAccuracy(simulatorFor('gaussian', 20), createRoiEstimator('gaussian'), 'normal', 60, 0, line => {
    line.rowOffset = line.rowOffset.map((_, row) => row - 22);
  });
  expect(found.worst).toBeLessThan(2);
});

test('rows keep their own centre and height, and share the width', () => {
  const simulator = new RoiSimulator({ seed: 18, speckleContrast: 0.02, readNoise: 1 });
  const { pixels, roi, resonance, truth } = simulator.draw('normal');
  const { rows, position } = createRoiEstimator('gaussian')(pixels, roi, 0, none);
  expect(rows).toHaveLength(45);
  rows.forEach(([amplitude, mu, sigma, offset, error], row) => {
    expect(Math.abs(mu - truth - resonance.rowOffset[row])).toBeLessThan(0.5);
    expect(amplitude / (resonance.amplitude * resonance.rowGain[row])).toBeCloseTo(1, 1);
    expect(sigma).toBe(rows[0][2]);
    expect(Math.abs(offset - 115)).toBeLessThan(1);
    expect(error).toBeGreaterThan(0.5);
    expect(error).toBeLessThan(2.5);
  });
  expect(Math.abs(sigmaOf(rows) - resonance.width)).toBeLessThan(0.2);
  expect(Math.abs(position! - truth)).toBeLessThan(0.1);
});

const sigmaOf = ([[, , sigma]]: Float64Array[]): number => sigma;

test('Fano rows are written as the row fits write them: |q| at most 1, a peak with a negative amplitude', () => {
  const simulator = new RoiSimulator({ seed: 19, lineShape: 'fano', speckleContrast: 0.01, readNoise: 0.5 });
  const { pixels, roi, resonance } = simulator.draw('normal');
  const { rows } = createRoiEstimator('fano')(pixels, roi, 0, none);
  const [amplitude, q, , gamma] = rows[20];
  expect(amplitude).toBeLessThan(0);
  expect(Math.abs(-1 / q - resonance.q)).toBeLessThan(0.2);
  expect(Math.abs(gamma - resonance.width)).toBeLessThan(0.3);
});
