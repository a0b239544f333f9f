import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createKernelValues, fanoKernel, gaussianKernel } from '../../src/analysis/joint/lineKernel.ts';

/** Bins of so many pixels, the last one of another size. */
function axisOf(count: number, width: number): { count: number; width: number; centres: Float64Array } {
  const centres = Float64Array.from({ length: count }, (_, bin) => bin * width + (width - 1) / 2);
  centres[count - 1] += 0.5;
  return { count, width, centres };
}

const anyLine = fc.record({
  count: fc.integer({ min: 1, max: 60 }),
  bin: fc.integer({ min: 1, max: 8 }),
  position: fc.double({ min: -300, max: 700, noNaN: true }),
  width: fc.double({ min: 0.5, max: 200, noNaN: true }),
});

test('the exponential by recurrence is the exponential, wherever the line is', () => {
  fc.assert(
    fc.property(anyLine, ({ count, bin, position, width }) => {
      const axis = axisOf(count, bin);
      const values = createKernelValues(count + 3);
      gaussianKernel.fill(axis, position, width, 0, values, 3);
      const spread = (bin ** 2 - 1) / 24 / width ** 2;
      for (let i = 0; i < count; i++) {
        const t = (axis.centres[i] - position) / width;
        const g = Math.exp(-0.5 * t * t);
        const size = 1 + spread + t * t;
        expect(Math.abs(values.line[3 + i] - g * (1 + spread * (t * t - 1)))).toBeLessThan(2e-12 * size * (1 + spread));
        expect(Math.abs(values.byPosition[3 + i] - (g * t) / width)).toBeLessThan((2e-12 * size) / width);
        expect(Math.abs(values.byWidth[3 + i] - (g * t * t) / width)).toBeLessThan((2e-12 * size) / width);
      }
      expect([...values.line.subarray(0, 3)]).toEqual([0, 0, 0]);
    }),
  );
});

test.each([
  ['gaussian', gaussianKernel],
  ['fano', fanoKernel],
] as const)('%s: the derivatives are those of the line, by differences', (_name, kernel) => {
  // Bins of one pixel: their mean is the shape itself.
  const axis = axisOf(40, 1);
  const at = (position: number, width: number, asymmetry: number): ReturnType<typeof createKernelValues> => {
    const values = createKernelValues(40);
    kernel.fill(axis, position, width, asymmetry, values, 0);
    return values;
  };
  const h = 1e-5;
  const [position, width, asymmetry] = [17.3, 6.1, kernel.isAsymmetric ? 0.4 : 0];
  const found = at(position, width, asymmetry);
  const slope = (a: Float64Array, b: Float64Array, i: number): number => (b[i] - a[i]) / (2 * h);
  const positions = [at(position - h, width, asymmetry).line, at(position + h, width, asymmetry).line] as const;
  const widths = [at(position, width - h, asymmetry).line, at(position, width + h, asymmetry).line] as const;
  const skews = [at(position, width, asymmetry - h).line, at(position, width, asymmetry + h).line] as const;
  for (let i = 0; i < 40; i++) {
    expect(found.byPosition[i]).toBeCloseTo(slope(...positions, i), 8);
    expect(found.byWidth[i]).toBeCloseTo(slope(...widths, i), 8);
    if (kernel.isAsymmetric) expect(found.byAsymmetry[i]).toBeCloseTo(slope(...skews, i), 8);
  }
});
