import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parameterStatistics } from '../../src/analysis/parameterStatistics.ts';
import { quantile } from '../../src/analysis/quantile.ts';
import { positionUncertainty } from '../../src/analysis/rowsEstimator.ts';
import { createSurvey, frameStatistics } from '../../src/image/frameStatistics.ts';
import type { Pixels } from '../../src/model/frame.ts';
import { roundDecimals } from '../../src/model/roundDecimals.ts';

test('rounding is numpy’s: halves to even, of the product as a double', () => {
  const cases: [number, number, number][] = [
    [0.5, 0, 0],
    [1.5, 0, 2],
    [2.5, 0, 2],
    [-0.5, 0, 0],
    [-1.5, 0, -2],
    [-2.5, 0, -2],
    [2.675, 2, 2.68],
    [0.0005, 3, 0],
    [0.0015, 3, 0.002],
    [95.1724999, 3, 95.172],
    [-1.23456, 3, -1.235],
    [1e300, 3, 1e300],
  ];
  for (const [value, decimals, expected] of cases) expect(roundDecimals(value, decimals)).toBe(expected);
});

test('quantiles interpolate between neighbours', () => {
  expect(quantile([1, 2, 4, 8], 0.5)).toBe(3);
  expect(quantile([1, 2, 4, 8], 0.25)).toBe(1.75);
  expect([0, 1].map(share => quantile([7], share))).toEqual([7, 7]);
});

test('one row has no spread, and equal rows no smoothness', () => {
  expect(parameterStatistics(Float64Array.of(7.65449), false)).toEqual({
    Mean: 7.654,
    STD: 0,
    LQ: 7.654,
    Median: 7.654,
    UQ: 7.654,
    Max: 7.654,
    Min: 7.654,
    Smoothness: 0,
  });
  expect(parameterStatistics(Float64Array.of(2, 2.0001, 2), false).Smoothness).toBe(0);
});

test('values stand first, as measured and in row order, when they are kept', () => {
  const statistics = parameterStatistics(Float64Array.of(3.00001, 1, 2), true);
  expect(Object.keys(statistics)).toEqual(['Values', 'Mean', 'STD', 'LQ', 'Median', 'UQ', 'Max', 'Min', 'Smoothness']);
  expect(statistics.Values).toEqual([3.00001, 1, 2]);
});

test('the uncertainty of a median is 1.2533 σ/√n for normal scatter; whole pixels fall back to the plain σ', () => {
  // Normal quantiles: their median absolute deviation is 0.6745 σ.
  const normal = Float64Array.from([-1.2816, -0.6745, -0.3186, 0, 0.3186, 0.6745, 1.2816], z => 50 + 2 * z);
  expect(positionUncertainty(normal)).toBeCloseTo((1.2533 * 2) / Math.sqrt(7), 3);
  expect(positionUncertainty(Float64Array.of(4, 4, 4, 4, 9))).toBeCloseTo((1.2533 * Math.sqrt(5)) / Math.sqrt(5), 3);
  expect(positionUncertainty(Float64Array.of(4, 4))).toBe(0);
  expect(positionUncertainty(Float64Array.of(4))).toBeNull();
});

describe('the frame', () => {
  const pixels = (data: Uint8Array | Uint16Array): Pixels => ({
    width: data.length,
    height: 1,
    depth: data instanceof Uint16Array ? 16 : 8,
    data,
  });

  test('brightness and contrast are those of the sorted pixels', () => {
    fc.assert(
      fc.property(fc.uint16Array({ minLength: 1, maxLength: 500 }), data => {
        const sorted = data.slice().sort();
        const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
        const contrast = quantile(sorted, 0.95) - quantile(sorted, 0.05);
        const { statistics } = frameStatistics(pixels(data));
        expect(statistics.brightness).toBe(roundDecimals(mean, 2));
        expect(Math.abs(statistics.contrast - contrast)).toBeLessThan(0.0051);
      }),
      { numRuns: 100 },
    );
  });

  test('saturation is found where pixels pile up at a camera’s full scale, not at a hot pixel', () => {
    const clipped = Uint16Array.from({ length: 4000 }, (_, i) => Math.min(4095, 2 * i));
    expect(frameStatistics(pixels(clipped)).saturation).toBe(4095);
    expect(frameStatistics(pixels(Uint16Array.of(...clipped, 65535))).saturation).toBe(4095);
    const ramp = Uint16Array.from({ length: 9000 }, (_, i) => i);
    expect(frameStatistics(pixels(ramp)).saturation).toBe(Number.POSITIVE_INFINITY);
    expect(frameStatistics(pixels(new Uint8Array(100).fill(255))).saturation).toBe(255);
    expect(frameStatistics(pixels(new Uint8Array(100).fill(254))).saturation).toBe(Number.POSITIVE_INFINITY);
  });
});

const reference = '../shared/reference/roi_stages.json';
describe.skipIf(!existsSync(reference))('statistics of the Python system (shared reference)', () => {
  test('every one of its summaries comes out the same from its values', () => {
    const { cases } = JSON.parse(readFileSync(reference, 'utf8'));
    let compared = 0;
    for (const { results } of cases) {
      for (const parameters of Object.values<Record<string, unknown>>(results)) {
        for (const summary of Object.values(parameters)) {
          if (typeof summary !== 'object' || summary === null) continue;
          const { Values, ...expected } = summary as { Values: number[] };
          expect(parameterStatistics(Float64Array.from(Values), false)).toEqual(expected);
          compared++;
        }
      }
    }
    expect(compared).toBe(6 * 12);
  });
});

test('a frame’s statistics are the same in parts of any length, wherever they lie', () => {
  for (const depth of [8, 16] as const) {
    const length = 4999;
    const data = depth === 8 ? new Uint8Array(length) : new Uint16Array(length);
    for (let i = 0; i < length; i++) data[i] = Math.min(2 ** depth - 1, (i * 7919) % (2 ** depth + 40));
    const sorted = Float64Array.from(data).sort();
    const whole = frameStatistics({ width: length, height: 1, depth, data });
    expect(whole.statistics).toEqual({
      brightness: roundDecimals(Array.from(data).reduce((sum, value) => sum + value, 0) / length, 2),
      contrast: roundDecimals(quantile(sorted, 0.95) - quantile(sorted, 0.05), 2),
    });
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: length }), { maxLength: 20 }), cuts => {
        cuts.push(length - 1, length - 1, 1);
        const parts = createSurvey(depth);
        const places = [0, ...cuts.sort((a, b) => a - b), length];
        for (let i = 1; i < places.length; i++) parts.add(data.subarray(places[i - 1], places[i]));
        expect(parts.survey()).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  }
});
