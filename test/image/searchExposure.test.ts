import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ExposureView, searchExposure } from '../../src/image/searchExposure.ts';

interface Sensor {
  /** Counts per unit of exposure, of the brightest grating. */
  light: number;
  black?: number;
  clip?: number;
  /** Bits of a stored value. */
  depth?: 8 | 16;
}

const scales = [255, 1023, 4095, 16383, 65535];

/** What a linear sensor shows that saturates. */
function seen({ light, black = 4, clip = 255, depth = 8 }: Sensor, exposure: number): ExposureView {
  const level = Math.min(clip, black + light * exposure);
  const fullScale = depth === 8 ? 255 : (scales.slice(1).find(scale => scale >= level) as number);
  return {
    level,
    clip: depth === 8 || level >= clip ? clip : Number.POSITIVE_INFINITY,
    fullScale,
    saturated: level >= clip ? 0.2 : 0,
  };
}

const search = (sensor: Sensor, given: Partial<Parameters<typeof searchExposure>[1]> = {}) =>
  searchExposure(async exposure => seen(sensor, exposure), {
    start: 150,
    least: 0.15,
    most: 150_000,
    target: 0.85,
    maxFrames: 12,
    round: exposure => Number(exposure.toPrecision(3)),
    ...given,
  });

describe('the search for an exposure', () => {
  it.each([
    ['a dark start', { light: 0.05 }],
    ['a start that is right', { light: 1.42 }],
    ['a saturated start', { light: 30 }],
    ['a start far above saturation', { light: 900 }],
    ['a large offset', { light: 0.3, black: 60 }],
    ['12 bits in 16, from the dark', { light: 0.5, clip: 4095, depth: 16, black: 64 }],
    ['12 bits in 16 at a level that 10 bits would have', { light: 6, clip: 4095, depth: 16 }],
    ['12 bits in the upper ones of 16', { light: 100, clip: 65_520, depth: 16 }],
    ['10 bits that saturate', { light: 100, clip: 1023, depth: 16 }],
  ] as const)('finds it from %s', async (_start, sensor) => {
    const found = await search(sensor);
    const clip = 'clip' in sensor ? sensor.clip : 255;
    expect(found).toMatchObject({ verdict: 'found', fullScale: clip, isScaleSure: true });
    expect(found.best.level / clip).toBeGreaterThan(0.8);
    expect(found.best.level / clip).toBeLessThan(0.9);
    expect(found.frames).toBeLessThanOrEqual(10);
  });

  it('takes one frame when that is right already', async () => {
    expect((await search({ light: 1.42 })).frames).toBe(1);
  });

  it('says that there is too little light when the longest exposure is too short', async () => {
    const found = await search({ light: 0.001 }, { most: 1000 });
    expect(found).toMatchObject({ verdict: 'too dark', best: { exposure: 1000 } });
  });

  it('says that there is too much light when the shortest exposure is saturated', async () => {
    expect(await search({ light: 1e6 }, { least: 1 })).toMatchObject({ verdict: 'too bright', best: { exposure: 1 } });
  });

  it('says that the camera does not follow when every exposure gives the same picture', async () => {
    expect(await search({ light: 0, black: 100 })).toMatchObject({ verdict: 'no reaction' });
  });

  it('ends between two whole exposures with the one that is not saturated', async () => {
    const found = await search({ light: 130 }, { start: 3, least: 1, most: 5000, round: Math.round });
    expect(found).toMatchObject({ verdict: 'near', best: { exposure: 1 } });
  });

  it('goes on from a black frame', async () => {
    expect((await search({ light: 0.02, black: 0 }, { start: 0.2 })).verdict).toBe('found');
  });

  it('ends as it should in a bounded number of frames, whatever the light, and never recommends what is saturated', async () => {
    const sensor = fc.record({
      light: fc.double({ min: -5, max: 5, noNaN: true }).map(power => 10 ** power),
      black: fc.integer({ min: 0, max: 60 }),
      clip: fc.constantFrom(235, 255, 1023, 4095, 65_520),
    });
    await fc.assert(
      fc.asyncProperty(sensor, fc.boolean(), async (given, whole) => {
        const round = whole ? Math.round : (value: number): number => Number(value.toPrecision(3));
        const least = whole ? 1 : 0.15;
        const found = await search({ ...given, depth: given.clip > 255 ? 16 : 8 }, { round, least });
        expect(found.frames).toBeLessThanOrEqual(12);
        if (found.verdict === 'found' || found.verdict === 'near') expect(found.best.saturated).toBe(0);
        const best = (0.85 * given.clip - given.black) / given.light;
        if (!whole && best > 1 && best < 100_000) expect(found.verdict).toBe('found');
      }),
    );
  });
});
