import { describe, expect, it } from 'vitest';
import { type DarkFrame, measureDark } from '../../src/image/darkFrame.ts';
import { reduceFrame } from '../../src/image/reducedFrame.ts';
import { randomStream } from '../../src/model/randomStream.ts';

const width = 200;
const height = 150;

/** Of a sensor with these mean counts and noise. */
function dark(
  mean: (x: number, y: number) => number,
  { depth = 16, noise = 4.2 }: { depth?: 8 | 16; noise?: number } = {},
): Promise<DarkFrame> {
  const random = randomStream(3, 'dark frame');
  const most = 2 ** depth - 1;
  const values = Array.from({ length: width * height }, (_, i) =>
    Math.max(0, Math.min(most, Math.round(mean(i % width, Math.floor(i / width)) + noise * random.normal()))),
  );
  const pixels = { width, height, depth, data: depth === 8 ? Uint8Array.from(values) : Uint16Array.from(values) };
  return reduceFrame(pixels, AbortSignal.timeout(60_000)).then(reduced => measureDark(pixels, reduced));
}

describe('a frame without light', () => {
  it('has its level to a part of a count, and the noise of a pixel, whatever hot pixels say', async () => {
    const found = await dark((x, y) => ((x * 31 + y * 17) % 211 === 0 ? 4000 : 104.3));
    expect(found.level).toBeCloseTo(104.3, 0);
    expect(found.spread).toBeCloseTo(4.2, 0);
    expect(found.hot).toBeGreaterThan(0.004);
    expect(found.light).toBeNull();
  });

  it('of 8 bits has a level between two counts', async () => {
    const found = await dark(() => 2.4, { depth: 8, noise: 0.4 });
    expect(found.level).toBeCloseTo(2.4, 1);
    expect(found).toMatchObject({ median: 2, light: null });
  });

  it('whose black is cut off at 0 is told by the share of its pixels there', async () => {
    const found = await dark(() => 0, { depth: 8, noise: 1 });
    expect(found.zero).toBeGreaterThan(0.5);
    expect(found.light).toBeNull();
    expect(await dark(() => 0, { depth: 8, noise: 0 })).toMatchObject({ level: 0, spread: 0, zero: 1, light: null });
  });

  it.each([
    ['that is brighter to the right', 'uneven', (x: number) => 100 + x / 10],
    ['with a corner that light reaches', 'uneven', (x: number, y: number) => (x < 25 && y < 19 ? 115 : 100)],
    ['with gratings in weak light', 'uneven', (x: number, y: number) => (x > 60 && y % 50 > 25 ? 160 : 110)],
    ['with bright spots', 'spots', (x: number, y: number) => (x % 10 < 2 && y % 10 < 2 ? 300 : 100)],
    ['that is bright all over', 'bright', () => 3000],
  ] as const)('is not one %s', async (_, why, mean) => {
    expect((await dark(mean)).light).toBe(why);
  });
});
