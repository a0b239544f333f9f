import { randomStream } from '../../model/randomStream.ts';
import { createKernelValues, type LineKernel } from '../joint/lineKernel.ts';
import type { RoiEstimator } from '../roiEstimate.ts';
import { asymmetryAt, leastLight, positionAt, widthAt } from './logLine.ts';
import type { PatternModel } from './patternModel.ts';
import type { ReferenceLine } from './referenceFit.ts';

/** What a static pattern does to the positions that an estimator finds in single frames: root mean squared errors, in widths of the line. */
export interface PatternErrors {
  /** Of a position. */
  position: number;
  /** Of the difference of two, in frames between which the line has moved by each of `steps`, widths; ascending. */
  differences: readonly number[];
  steps: readonly number[];
}

/** A ROI with the line that was found in it, and the pattern of its chip. */
export interface PatternedLine {
  rows: number;
  cols: number;
  line: ReferenceLine;
  pattern: PatternModel;
  /** Deviation of a pixel's logarithm from frame to frame, where it matters; else 0. */
  noise: number;
}

/** Draws in all, spread over the lines. */
const draws = 96;
/** Waves that a pattern is made of. */
const waves = 32;
/** Below this contrast a pattern longer than that, pixels, is none: what is shorter the fits' own errors know. */
const leastContrast = 0.03;
const knownLength = 2;
/** Less of white noise is left out. */
const leastWhite = 0.01;
/** Counts of the line's brightest pixel, before its pattern, and at most. */
const brightest = 8000;
const fullScale = 65_535;
const none = Number.POSITIVE_INFINITY;

/**
 * Draws patterns over lines and estimates (a parametric bootstrap: Efron & Tibshirani, An Introduction to the Bootstrap, 1993), so that it
 * holds for every estimator, also for those that no formula describes.
 *
 * @param steps of the line whose differences are tried, widths
 * @returns null where there is no pattern to speak of
 */
export function drawPatternErrors(
  lines: readonly PatternedLine[],
  kernel: LineKernel,
  estimate: RoiEstimator,
  steps: readonly number[],
): PatternErrors | null {
  const patterned = lines.filter(({ pattern }) => isPatterned(pattern));
  if (2 * patterned.length < lines.length || patterned.length === 0) return null;
  const random = randomStream(1, 'pattern');
  const squares = new Sum();
  const byStep = steps.map(() => new Sum());
  for (let draw = 0; draw < draws; draw++) {
    const { rows, cols, line, pattern, noise } = patterned[draw % patterned.length];
    const field = drawField(rows, cols, pattern, random);
    const data = new Uint16Array(rows * cols);
    const pixels = { width: cols, height: rows, depth: 16, data } as const;
    const found = (moved: number): number | null => {
      const light = lightOf(cols, line, kernel, moved);
      for (let at = 0, col = 0; at < data.length; at++, col = col + 1 === cols ? 0 : col + 1) {
        const change = noise > 0 ? 1 + noise * random.normal() : 1;
        data[at] = Math.min(fullScale, field[at] * light[col] * change);
      }
      return estimate(pixels, { label: '', flip: false, coords: [0, 0], size: [rows, cols] }, 0, none).position;
    };
    const width = Math.exp(line.parameters[widthAt]);
    const at = line.parameters[positionAt];
    const rest = found(0);
    if (rest === null) continue;
    squares.add((rest - at) / width);
    for (const [k, step] of steps.entries()) {
      const way = (at < cols / 2 ? 1 : -1) * step * width;
      if (at + way < 0 || at + way > cols - 1) continue;
      const moved = found(way);
      if (moved !== null) byStep[k].add((moved - rest - way) / width);
    }
  }
  const position = squares.rms;
  return { position, steps, differences: byStep.map(sum => (sum.count > 0 ? sum.rms : Math.SQRT2 * position)) };
}

/**
 * Root mean squared error of a difference of positions, widths. The line may have moved by more than what was found: the brightest pixel
 * stays where the pattern is bright, and then jumps. So it is that of a step which is longer by the error of the step that was found.
 *
 * @param found between the positions, widths
 */
export function differenceError(errors: PatternErrors, found: number): number {
  const size = Math.abs(found);
  return errorAt(errors, size + errorAt(errors, size));
}

function errorAt({ steps, differences }: PatternErrors, size: number): number {
  const next = steps.findIndex(drawn => drawn >= size);
  if (next <= 0) return differences.at(next) as number;
  const share = (size - steps[next - 1]) / (steps[next] - steps[next - 1]);
  return (1 - share) * differences[next - 1] + share * differences[next];
}

class Sum {
  count = 0;
  #squares = 0;

  add(value: number): void {
    this.count++;
    this.#squares += value * value;
  }

  get rms(): number {
    return Math.sqrt(this.#squares / this.count);
  }
}

/** Whether there is a pattern to speak of. */
export function isPatterned({ lengths, variances }: PatternModel): boolean {
  const variance = variances.reduce((sum, each, k) => (lengths[k] > knownLength ? sum + each : sum), 0);
  return variance > leastContrast ** 2;
}

/**
 * exp of a field that correlates as the pattern does: waves of random directions and phases, whose wave numbers have the field's
 * spectrum (exp(−d²/4s²) has a normal one of deviation 1/√2·s), and white noise.
 */
function drawField(
  rows: number,
  cols: number,
  { lengths, variances }: PatternModel,
  random: ReturnType<typeof randomStream>,
): Float64Array {
  const field = new Float64Array(rows * cols);
  const total = variances.reduce((sum, variance, k) => (lengths[k] > 0 ? sum + variance : sum), 0);
  const height = Math.sqrt((2 * total) / waves);
  /** Every length has its part of the waves. */
  const lengthAt = (variance: number): number => {
    let left = variance;
    return lengths.find((length, k) => length > 0 && (left -= variances[k]) <= 0) ?? lengths[lengths.length - 1];
  };
  const cos = new Float64Array(cols);
  const sin = new Float64Array(cols);
  for (let wave = 0; wave < waves; wave++) {
    const scale = Math.SQRT1_2 / lengthAt(((wave + random.uniform()) / waves) * total);
    const [x, y, phase] = [scale * random.normal(), scale * random.normal(), random.between(0, 2 * Math.PI)];
    for (let col = 0; col < cols; col++) {
      cos[col] = height * Math.cos(x * col + phase);
      sin[col] = height * Math.sin(x * col + phase);
    }
    for (let row = 0; row < rows; row++) {
      const c = Math.cos(y * row);
      const s = Math.sin(y * row);
      for (let col = 0, at = row * cols; col < cols; col++, at++) field[at] += c * cos[col] - s * sin[col];
    }
  }
  const white = Math.sqrt(variances[lengths.indexOf(0)]);
  for (let at = 0; at < field.length; at++)
    field[at] = Math.exp(white > leastWhite ? field[at] + white * random.normal() : field[at]);
  return field;
}

/** Of a line that has moved, in each column, counts. */
function lightOf(cols: number, { parameters, sign }: ReferenceLine, kernel: LineKernel, moved: number): Float64Array {
  const values = createKernelValues(cols);
  const axis = { count: cols, width: 1, centres: Float64Array.from({ length: cols }, (_, col) => col) };
  const asymmetry = kernel.isAsymmetric ? parameters[asymmetryAt] : 0;
  kernel.fill(axis, parameters[positionAt] + moved, Math.exp(parameters[widthAt]), asymmetry, values, 0);
  const base = Math.exp(parameters[0]);
  const height = sign * Math.exp(parameters[1]);
  const light = values.line.map(line => Math.max(leastLight * base, base + height * line));
  const scale = brightest / light.reduce((most, value) => Math.max(most, value), 0);
  return light.map(value => scale * value);
}
