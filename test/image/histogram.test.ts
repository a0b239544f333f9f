import { describe, expect, it } from 'vitest';
import { fullScaleOf, quantileOf, saturationOf, shareFrom } from '../../src/image/histogram.ts';

/** A histogram with these counts of pixels at these levels. */
function histogramOf(levels: number, pixels: Readonly<Record<number, number>>): Uint32Array {
  const histogram = new Uint32Array(levels);
  for (const [level, count] of Object.entries(pixels)) histogram[Number(level)] = count;
  return histogram;
}

const slope = { 100: 40, 120: 40, 140: 30, 160: 20 };

describe('the count that no pixel exceeds', () => {
  it.each([
    ['8 bits', 256, { ...slope, 255: 200 }, 255],
    ['8 bits of video levels', 256, { ...slope, 235: 200 }, 235],
    ['12 bits in 16', 65_536, { ...slope, 4095: 200 }, 4095],
    ['12 bits in the upper ones of 16', 65_536, { 16000: 40, 32000: 30, 48000: 20, 64000: 9, 65520: 200 }, 65_520],
    ['a camera that ends at 900, with a hot pixel', 65_536, { ...slope, 900: 200, 65535: 1 }, 900],
  ])('is seen in a saturated frame of %s', (_camera, levels, pixels, clip) => {
    expect(saturationOf(histogramOf(levels, pixels))).toBe(clip);
  });

  it.each([
    ['no pile', { ...slope, 235: 9 }],
    ['a flat frame', { 130: 9_000 }],
    ['a black frame with hot pixels', { 2: 9_000, 3: 500, 255: 9 }],
    ['nothing but dark counts', { 1: 9, 2: 8, 3: 9, 4: 8, 5: 900 }],
  ])('is not known from %s', (_frame, pixels) => {
    expect(saturationOf(histogramOf(256, pixels))).toBe(Number.POSITIVE_INFINITY);
  });
});

it('takes the lowest full scale that holds the frame, and 8 bits for no frame of 16', () => {
  expect(fullScaleOf(histogramOf(256, slope))).toBe(255);
  expect(fullScaleOf(histogramOf(65_536, slope))).toBe(1023);
  expect(fullScaleOf(histogramOf(65_536, { 3000: 1 }))).toBe(4095);
});

it('has quantiles and shares of the pixels', () => {
  const histogram = histogramOf(256, { 10: 5, 20: 5, 30: 90 });
  expect(quantileOf(histogram, 100, 0.5)).toBe(30);
  expect(quantileOf(histogram, 100, 0)).toBe(10);
  expect(shareFrom(histogram, 20, 100)).toBe(0.95);
});
