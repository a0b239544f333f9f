import { describe, expect, it } from 'vitest';
import { gaussianKernel } from '../../../src/analysis/joint/lineKernel.ts';
import { estimateDarkLevel, type LitRoi } from '../../../src/analysis/shift/darkLevel.ts';
import { randomStream } from '../../../src/model/randomStream.ts';

const groups = 10;
const count = 44;
const waves: [Float64Array, Float64Array] = [new Float64Array(groups), new Float64Array(groups)];
const layout = {
  ...{ count, width: 4, groups, waves, rows: 45, pixels: new Float64Array(groups * count).fill(18) },
  centres: Float64Array.from({ length: count }, (_, bin) => 4 * bin + 1.5),
};

/** 30 ROIs on a dark level of 100, with a pattern that correlates over some bins of a row, in five frames. */
function litRois({
  contrast = 0.3,
  reach = 1.5,
  noise = 0.005,
  ceiling = Number.POSITIVE_INFINITY,
  unlit = 0,
}): LitRoi[] {
  const random = randomStream(11, 'dark level');
  return Array.from({ length: 30 }, () => {
    const line = {
      base: 220,
      height: random.between(600, 900),
      position: random.between(60, 110),
      width: 25,
      asymmetry: 0,
    };
    const lights = Float64Array.from({ length: groups * count }, (_, at) => {
      const t = (layout.centres[at % count]! - line.position) / line.width;
      return at % count < unlit ? 0 : 120 + line.height * Math.exp(-0.5 * t * t);
    });
    const white = Float64Array.from({ length: groups * (count + 20) }, () => random.normal());
    const pattern = lights.map((_, at) => {
      const first = Math.floor(at / count) * (count + 20) + (at % count) + 10;
      let sum = 0;
      let energy = 0;
      for (let d = -10; d <= 10; d++) {
        const weight = Math.exp(-0.5 * (d / reach) ** 2);
        sum += weight * white[first + d]!;
        energy += weight * weight;
      }
      return contrast * (sum / Math.sqrt(energy));
    });
    const each = Array.from({ length: 5 }, () =>
      Float32Array.from(lights, (light, at) => {
        const counts = 100 + light * Math.exp(pattern[at]!) * (1 + noise * random.normal());
        return counts < ceiling ? counts : Number.NaN;
      }),
    );
    const means = lights.map((_, at) => each.reduce((sum, frame) => sum + frame[at]! / 5, 0));
    return { layout, each, means: [means], line };
  });
}

describe('the dark level', () => {
  it.each([
    ['under a strong pattern', {}],
    ['under a pattern of 5 %', { contrast: 0.05 }],
    ['under a pattern of waves that are as long as a line is wide, in noisy frames', { reach: 5, noise: 0.02 }],
    ['where the middle of each line is saturated', { ceiling: 800 }],
    ['where a part of each ROI has no light at all', { unlit: 8 }],
  ])('is found within 8 counts %s', (_, given) => {
    expect(Math.abs(estimateDarkLevel(litRois(given), gaussianKernel) - 100)).toBeLessThan(8);
  });

  it('is 0 where there is no pattern to tell it, and of no ROIs', () => {
    expect(estimateDarkLevel(litRois({ contrast: 0 }), gaussianKernel)).toBe(0);
    expect(estimateDarkLevel([], gaussianKernel)).toBe(0);
  });

  it('of a single frame, in which nothing tells the noise, is found where the pattern is louder', () => {
    const rois = litRois({}).map(roi => ({
      ...roi,
      each: roi.each.slice(0, 1),
      means: [Float64Array.from(roi.each[0]!)],
    }));
    expect(Math.abs(estimateDarkLevel(rois, gaussianKernel) - 100)).toBeLessThan(8);
  });
});
