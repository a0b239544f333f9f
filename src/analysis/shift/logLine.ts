import type { Line } from '../joint/jointFit.ts';
import { createKernelValues, type KernelValues, type LineKernel } from '../joint/lineKernel.ts';
import type { BlockLayout } from './shiftBlocks.ts';

/**
 * The line of a ROI in the logarithm of the light: log(b + h·(1 + g₁c₁ + g₂c₂)·shape((x − p − s₁c₁ − s₂c₂)/w)), c₁ and c₂ cosines
 * over the rows. In the logarithm, what multiplies the light is a sum.
 *
 * Parameters, in this order: log b, log |h|, p, log w, s₁, s₂, g₁, g₂, and of a Fano line its asymmetry.
 */
export const parametersOf = (kernel: LineKernel): number => (kernel.isAsymmetric ? 9 : 8);
export const positionAt = 2;
export const widthAt = 3;
export const slantAt = 4;
export const gainAt = 6;
export const asymmetryAt = 8;

/** Columns of derivatives: by log b, by the height (before its waves over the rows), by place, log w, asymmetry. */
export const lineColumns = 5;

/** A line below this share of its base has no logarithm that means anything. */
export const leastLight = 0.02;

/** Values of the model in every block. */
export interface LogLine {
  /** The light itself. */
  readonly light: Float64Array;
  readonly columns: readonly Float64Array[];
  /** @param by added to the position, pixels */
  fill(layout: BlockLayout, parameters: Float64Array, sign: number, by: number): void;
}

export function createLogLine(kernel: LineKernel): LogLine {
  let values: KernelValues = createKernelValues(0);
  let lights = new Float64Array(0);
  let columns: Float64Array[] = [];
  return {
    get light() {
      return lights;
    },
    get columns() {
      return columns;
    },
    fill(layout, parameters, sign, by) {
      const { groups, count, waves } = layout;
      const size = groups * count;
      if (lights.length < size) {
        values = createKernelValues(size);
        lights = new Float64Array(size);
        columns = Array.from({ length: lineColumns }, () => new Float64Array(size));
      }
      const base = Math.exp(parameters[0]);
      const height = sign * Math.exp(parameters[1]);
      const width = Math.exp(parameters[widthAt]);
      const asymmetry = kernel.isAsymmetric ? parameters[asymmetryAt] : 0;
      const { line, byPosition, byWidth, byAsymmetry } = values;
      const [byBase, byHeight, byPlace, byLogWidth, byTurn] = columns;
      const least = leastLight * base;
      for (let group = 0; group < groups; group++) {
        const c1 = waves[0][group];
        const c2 = waves[1][group];
        const place = parameters[positionAt] + by + parameters[slantAt] * c1 + parameters[slantAt + 1] * c2;
        const own = height * (1 + parameters[gainAt] * c1 + parameters[gainAt + 1] * c2);
        const first = group * count;
        kernel.fill(layout, place, width, asymmetry, values, first);
        for (let at = first; at < first + count; at++) {
          const light = Math.max(least, base + own * line[at]);
          const share = 1 / light;
          lights[at] = light;
          byBase[at] = base * share;
          byHeight[at] = height * line[at] * share;
          byPlace[at] = own * byPosition[at] * share;
          byLogWidth[at] = own * byWidth[at] * width * share;
          if (kernel.isAsymmetric) byTurn[at] = own * byAsymmetry[at] * share;
        }
      }
    },
  };
}

/** Parameters of a line. @returns the sign of its height */
export function writeParameters({ base, height, position, width, asymmetry }: Line, out: Float64Array): number {
  out.fill(0);
  out[0] = Math.log(Math.max(base, 0.02 * Math.abs(height), Number.MIN_VALUE));
  out[1] = Math.log(Math.max(Math.abs(height), Number.MIN_VALUE));
  out[positionAt] = position;
  out[widthAt] = Math.log(width);
  if (out.length > asymmetryAt) out[asymmetryAt] = asymmetry;
  return height < 0 ? -1 : 1;
}

/** Which column a parameter's derivative is, and what it is multiplied with in a group of rows. */
export function columnOf(parameter: number): number {
  if (parameter < slantAt) return parameter;
  if (parameter < gainAt) return positionAt;
  return parameter < asymmetryAt ? 1 : 4;
}

/** See {@link columnOf}. */
export function factorOf(parameter: number, group: number, { waves }: BlockLayout, parameters: Float64Array): number {
  const [first, second] = waves;
  if (parameter === 1) return 1 + parameters[gainAt] * first[group] + parameters[gainAt + 1] * second[group];
  if (parameter === slantAt || parameter === gainAt) return first[group];
  if (parameter === slantAt + 1 || parameter === gainAt + 1) return second[group];
  return 1;
}

/** What is known of the waves beforehand, as standard deviations: slant and bend in line widths, gains of the height. */
const expectedSlant = [0.3, 0.1];
const expectedGain = [0.2, 0.1];

/** Inverse variances of what is known beforehand of each parameter, 0 of most. @param width of the line, pixels */
export function priorPrecision(parameter: number, width: number): number {
  if (parameter >= slantAt && parameter < gainAt) return (expectedSlant[parameter - slantAt] * width) ** -2;
  if (parameter >= gainAt && parameter < asymmetryAt) return expectedGain[parameter - gainAt] ** -2;
  return 0;
}
