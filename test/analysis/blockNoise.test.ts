import { expect, test } from 'vitest';
import { type BlockNoise, createBlockNoise } from '../../src/analysis/joint/blockNoise.ts';
import { randomStream } from '../../src/model/randomStream.ts';

const groups = 12;
const bins = 44;

interface Blocks {
  residuals: Float64Array;
  heights: Float64Array;
  pixels: Float64Array;
}

/** Blocks of a line of height 100 whose noise has given terms, with outliers and a misfit that all groups share. */
function blocksOf(p0: number, p1: number, p2: number, seed: number): Blocks {
  const random = randomStream(seed, 'noise');
  const heights = new Float64Array(groups * bins);
  const residuals = new Float64Array(groups * bins);
  const pixels = new Float64Array(groups * bins);
  for (let i = 0; i < groups * bins; i++) {
    const h = 100 * Math.exp(-(((i % bins) - 20) ** 2) / 72);
    heights[i] = h;
    pixels[i] = i % 97 === 0 ? 0 : 16 + (i % 2) * 4;
    const misfit = 30 * Math.sin((i % bins) / 3);
    residuals[i] = Math.sqrt((p0 + p1 * h + p2 * h * h) / (pixels[i] || 1)) * random.normal() + misfit;
    if (i % 61 === 0) residuals[i] += 5000;
  }
  return { residuals, heights, pixels };
}

function measure(noise: BlockNoise, { residuals, heights, pixels }: Blocks, rounds: readonly boolean[]): void {
  noise.prepare(groups, bins, pixels);
  for (const isRobust of rounds) noise.measure(residuals, heights, 0, Math.max(...heights), isRobust);
}

test.each([
  [20, 0, 0.3],
  [20, 5, 0],
  [400, 0, 0],
])('finds the variance %d + %d·h + %d·h² of the blocks', (p0, p1, p2) => {
  const noise = createBlockNoise();
  const ratios = [0, 30, 90].map(() => 0);
  const runs = 40;
  for (let seed = 1; seed <= runs; seed++) {
    const blocks = blocksOf(p0, p1, p2, seed);
    measure(noise, blocks, [true, false]);
    for (const term of noise.terms) expect(term).toBeGreaterThanOrEqual(0);
    [0, 30, 90].forEach((h, k) => {
      const found = noise.terms[0] + h * (noise.terms[1] + h * noise.terms[2]);
      ratios[k] += found / (p0 + p1 * h + p2 * h * h) / runs;
    });
  }
  for (const ratio of ratios) expect(Math.abs(ratio - 1)).toBeLessThan(0.12);
});

test('noise that is none is still above zero', () => {
  const noise = createBlockNoise();
  const blocks = blocksOf(0, 0, 0, 1);
  blocks.residuals.fill(0);
  measure(noise, blocks, [true]);
  expect(noise.terms[0]).toBeGreaterThan(0);
});
