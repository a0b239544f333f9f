import { describe, expect, it } from 'vitest';
import { sharpness } from '../../src/image/sharpness.ts';
import type { Pixels } from '../../src/model/frame.ts';
import { randomStream } from '../../src/model/randomStream.ts';

const width = 240;
const height = 180;

/** Gratings out of focus by a Gaussian of this standard deviation, pixels. */
function gratings(blur: number, { gain = 1, noise = 0, depth = 8 as 8 | 16 } = {}): Pixels {
  const random = (): number => stream.uniform();
  const stream = randomStream(1, 'noise');
  const data = depth === 8 ? new Uint8Array(width * height) : new Uint16Array(width * height);
  // A line of width 2 becomes one of √(2² + blur²), and as much lower.
  const sigma = Math.hypot(2, blur);
  for (let i = 0; i < data.length; i++) {
    const x = (i % width) % 40;
    const y = Math.floor(i / width) % 60;
    const line = (50 * 2) / sigma;
    const value =
      30 + line * Math.exp(-0.5 * ((x - 20) / sigma) ** 2) + line * Math.exp(-0.5 * ((y - 30) / sigma) ** 2);
    data[i] = gain * (value + noise * (random() + random() + random() - 1.5) * 2);
  }
  return { width, height, depth, data };
}

describe('the sharpness of a frame', () => {
  it('falls with each step out of focus', () => {
    const found = [0, 1, 2, 3, 5, 8].map(blur => sharpness(gratings(blur)));
    expect(found).toEqual(found.toSorted((a, b) => b - a));
    expect(found[0]).toBeGreaterThan(20 * (found.at(-1) as number));
  });

  it('stays when the light, the gain or the depth is another', () => {
    const plain = sharpness(gratings(1, { depth: 16, gain: 100 }));
    expect(sharpness(gratings(1, { depth: 16, gain: 300 })) / plain).toBeCloseTo(1, 2);
    expect(sharpness(gratings(1, { gain: 2 })) / plain).toBeCloseTo(1, 1);
  });

  it('does not take noise for sharpness: a noisy frame out of focus stays below a clean one in focus', () => {
    const clean = sharpness(gratings(4));
    const noisy = sharpness(gratings(4, { noise: 6 }));
    expect(Math.abs(noisy / clean - 1)).toBeLessThan(0.25);
    expect(noisy).toBeLessThan(sharpness(gratings(2)));
  });

  it('is 0 of a black frame and of one that is too small', () => {
    expect(sharpness({ width: 9, height: 9, depth: 8, data: new Uint8Array(81) })).toBe(0);
    expect(sharpness({ width: 2, height: 2, depth: 8, data: new Uint8Array(4).fill(9) })).toBe(0);
  });

  it('looks at a part of a frame of 64 megapixels, in a fraction of a second', () => {
    const [w, h] = [9152, 6944];
    const data = new Uint8Array(w * h);
    for (let y = 0; y < h; y++) data.fill(y % 9 < 4 ? 90 : 30, y * w, (y + 1) * w);
    expect(sharpness({ width: w, height: h, depth: 8, data })).toBeGreaterThan(10);
  });
});
