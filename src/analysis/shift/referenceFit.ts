import { factor, solve } from '../joint/choleskySolve.ts';
import type { Line } from '../joint/jointFit.ts';
import type { LineKernel } from '../joint/lineKernel.ts';
import {
  columnOf,
  createLogLine,
  factorOf,
  parametersOf,
  positionAt,
  priorPrecision,
  widthAt,
  writeParameters,
} from './logLine.ts';
import type { BlockLayout } from './shiftBlocks.ts';

/** The line of a reference: parameters of `logLine`, and the information that there is on them. */
export interface ReferenceLine {
  /** Of its height. */
  sign: number;
  parameters: Float64Array;
  /** Inverse covariance, row by row. */
  information: Float64Array;
}

/** What is known of each parameter beforehand, beside that of the waves over the rows: mean and inverse variance, which is 0 where nothing is known. */
export interface Expectation {
  means: Float64Array;
  precisions: Float64Array;
  /** By which slants are measured, pixels; null: each line's own. Of lines that are drawn it has to be one, or wide ones would be preferred. */
  width: number | null;
}

export function expectation(size: number, width: number | null): Expectation {
  return { means: new Float64Array(size), precisions: new Float64Array(size), width };
}

/** Lines that a ROI may have, and how likely each is. */
export interface DrawnLines {
  parameters: Float64Array[];
  /** Their sum is 1. */
  weights: Float64Array;
}

/** Directions that a fit takes out of what is left beside the line. */
export interface TakenDirections {
  /** Blocks that are used. */
  blocks: Int32Array;
  /** Of each parameter the derivative in every block, 0 where a block is not used. */
  columns: readonly Float64Array[];
  /** Solves the normal equations of least squares, in place. */
  solve(vector: Float64Array): void;
}

export interface ReferenceFit {
  /**
   * By least squares, as if blocks were independent and alike. @param logs of the light less the dark level; NaN where a block is not used
   * @returns null when the search leads nowhere
   */
  plain(layout: BlockLayout, logs: Float32Array, start: Line): ReferenceLine | null;
  /** Turns to a line that `plain` has fitted: the next two are about it. */
  look(layout: BlockLayout, logs: Float32Array, line: ReferenceLine): void;
  /** Standard error of a parameter. */
  errorOf(line: ReferenceLine, parameter: number): number;
  /** Logarithms less those of a line's light, in some blocks. */
  deviations(layout: BlockLayout, logs: Float32Array, line: ReferenceLine, blocks: Int32Array): Float64Array;
  /** What is left of the logarithms beside the line, 0 where a block is not used. */
  residuals(): Float64Array;
  /** What the line can take on. */
  directions(): TakenDirections;
  /**
   * By generalised least squares. @param pattern factor of the pattern's covariance between the blocks that are used
   * @param starts the search begins at each; of what it finds the likeliest counts
   * @param blocks those that are used
   * @param enough a shorter step ends the search
   */
  whitened(
    layout: BlockLayout,
    logs: Float32Array,
    starts: readonly ReferenceLine[],
    pattern: Float64Array,
    blocks: Int32Array,
    expected: Expectation,
    enough?: number,
  ): ReferenceLine | null;
  /**
   * Draws from what the same data leave possible (importance sampling: Geweke, Econometrica 57, 1317 (1989)), about the line that `whitened`
   * has found. @param deviates for each draw: a standard normal one for each parameter, then one over the root of a mean of `tails` squares of such
   */
  draw(
    layout: BlockLayout,
    logs: Float32Array,
    line: ReferenceLine,
    pattern: Float64Array,
    blocks: Int32Array,
    expected: Expectation,
    deviates: readonly Float64Array[],
  ): DrawnLines | null;
}

/** Lines are drawn from a Student distribution of so many degrees of freedom, wider by so much than the curvature says: no likely line is missed. */
export const tails = 5;
const drawnWider = 1.25;
const maxSteps = 60;
/** A step ends the search that is shorter, in widths, shares or angles. */
const tolerance = 1e-4;
/** Where lines are drawn about what is found, less will do. */
export const roughly = 3e-3;
/** Neighbouring blocks of a pattern say the same: so many count for one, about. */
const blocksForOne = 10;

export function createReferenceFit(kernel: LineKernel): ReferenceFit {
  const line = createLogLine(kernel);
  const size = parametersOf(kernel);
  const matrix = new Float64Array(size * size);
  const step = new Float64Array(size);
  let jacobian: Float64Array[] = [];
  let rest = new Float64Array(0);
  let blocksUsed: Int32Array = new Int32Array(0);
  /** For `directions`: the factor of the derivatives' products. */
  const normal = new Float64Array(size * size);
  let isDetermined = false;

  /** Derivatives and residuals in the blocks that are used, one after the other. */
  function evaluate(
    layout: BlockLayout,
    logs: Float32Array,
    { parameters, sign }: ReferenceLine,
    blocks: Int32Array,
  ): void {
    line.fill(layout, parameters, sign, 0);
    if (rest.length !== blocks.length) {
      rest = new Float64Array(blocks.length);
      jacobian = Array.from({ length: size }, () => new Float64Array(blocks.length));
    }
    for (let i = 0; i < blocks.length; i++) rest[i] = logs[blocks[i]] - Math.log(line.light[blocks[i]]);
    for (let p = 0; p < size; p++) {
      const column = line.columns[columnOf(p)];
      for (let i = 0; i < blocks.length; i++) {
        const group = Math.floor(blocks[i] / layout.count);
        jacobian[p][i] = column[blocks[i]] * factorOf(p, group, layout, parameters);
      }
    }
  }

  let expected = expectation(size, null);

  /** The normal equations at a line; into `information` and `step`. */
  function assemble({ parameters, information }: ReferenceLine, weight: number): void {
    const { means } = expected;
    for (let p = 0; p < size; p++) {
      for (let q = 0; q <= p; q++) {
        const product = weight * dot(jacobian[p], jacobian[q]);
        information[p * size + q] = product;
        information[q * size + p] = product;
      }
      const precision = precisionOf(p, parameters);
      information[p * size + p] += precision;
      step[p] = weight * dot(jacobian[p], rest) - precision * (parameters[p] - means[p]);
    }
  }

  function precisionOf(p: number, parameters: Float64Array): number {
    return priorPrecision(p, expected.width ?? Math.exp(parameters[widthAt])) + expected.precisions[p];
  }

  function unexpected(parameters: Float64Array): number {
    let sum = 0;
    for (let p = 0; p < size; p++) sum += precisionOf(p, parameters) * (parameters[p] - expected.means[p]) ** 2;
    return sum;
  }

  /** What the search makes least, in variances. */
  function cost({ parameters }: ReferenceLine, weight: number): number {
    return weight * dot(rest, rest) + unexpected(parameters);
  }

  /**
   * From a start to the least cost, by the damped steps of Levenberg and Marquardt (Marquardt, J. Soc. Indust. Appl. Math. 11, 431 (1963)).
   *
   * @param look makes residuals and derivatives at a line
   * @returns false when the search leads nowhere
   */
  function search(
    found: ReferenceLine,
    look: (at: ReferenceLine) => void,
    weightOf: () => number,
    cols: number,
    enough = tolerance,
  ): boolean {
    let damping = 1e-3;
    look(found);
    let weight = weightOf();
    const tried: ReferenceLine = { ...found, parameters: new Float64Array(size) };
    for (let round = 0; round < maxSteps; round++) {
      assemble(found, weight);
      const before = cost(found, weight);
      const gradient = step.slice();
      for (;;) {
        matrix.set(found.information);
        for (let p = 0; p < size; p++) matrix[p * size + p] *= 1 + damping;
        step.set(gradient);
        if (!factor(matrix, size)) return false;
        solve(matrix, size, step);
        for (let p = 0; p < size; p++) tried.parameters[p] = found.parameters[p] + step[p];
        look(tried);
        if (cost(tried, weight) <= before * (1 + 1e-12) || damping > 1e6) break;
        damping *= 10;
      }
      damping = Math.max(1e-9, damping / 10);
      found.parameters.set(tried.parameters);
      const place = found.parameters[positionAt];
      const width = Math.exp(found.parameters[widthAt]);
      if (!(width > 0.3 && width < 2 * cols && place > -cols && place < 2 * cols)) return false;
      let length = 0;
      for (let p = 0; p < size; p++)
        length = Math.max(length, Math.abs(step[p]) / (columnOf(p) === positionAt ? width : 1));
      weight = weightOf();
      if (length < enough) {
        assemble(found, weight);
        return true;
      }
    }
    return false;
  }

  return {
    plain(layout, logs, start) {
      expected = expectation(size, null);
      const blocks = usedBlocks(logs);
      blocksUsed = blocks;
      if (blocks.length < 4 * size) return null;
      const found: ReferenceLine = {
        sign: 1,
        parameters: new Float64Array(size),
        information: new Float64Array(size * size),
      };
      found.sign = writeParameters(start, found.parameters);
      const look = (at: ReferenceLine): void => evaluate(layout, logs, at, blocks);
      const weightOf = (): number => blocks.length / (blocksForOne * Math.max(dot(rest, rest), 1e-6 * blocks.length));
      return search(found, look, weightOf, layout.count * layout.width) ? found : null;
    },

    look(layout, logs, at) {
      blocksUsed = usedBlocks(logs);
      evaluate(layout, logs, at, blocksUsed);
      for (let p = 0; p < size; p++) {
        for (let q = 0; q <= p; q++) normal[p * size + q] = dot(jacobian[p], jacobian[q]);
        normal[p * size + p] *= 1 + 1e-9;
      }
      isDetermined = factor(normal, size);
    },

    errorOf({ information }, parameter) {
      matrix.set(information);
      if (!factor(matrix, size)) return Number.POSITIVE_INFINITY;
      step.fill(0);
      step[parameter] = 1;
      solve(matrix, size, step);
      return Math.sqrt(step[parameter]);
    },

    deviations(layout, logs, { parameters, sign }, blocks) {
      line.fill(layout, parameters, sign, 0);
      return Float64Array.from(blocks, at => logs[at] - Math.log(line.light[at]));
    },

    residuals() {
      const all = new Float64Array(line.light.length);
      for (let i = 0; i < blocksUsed.length; i++) all[blocksUsed[i]] = rest[i];
      return all;
    },

    directions() {
      const columns = jacobian.map(column => {
        const all = new Float64Array(line.light.length);
        for (let i = 0; i < blocksUsed.length; i++) all[blocksUsed[i]] = column[i];
        return all;
      });
      return {
        blocks: blocksUsed,
        columns,
        solve: vector => (isDetermined ? solve(normal, size, vector) : vector.fill(0)),
      };
    },

    whitened(layout, logs, starts, pattern, blocks, known, enough) {
      expected = known;
      const look = (at: ReferenceLine): void => {
        evaluate(layout, logs, at, blocks);
        whiten(pattern, [rest, ...jacobian]);
      };
      let best: ReferenceLine | null = null;
      let least = Number.POSITIVE_INFINITY;
      for (const { sign, parameters } of starts) {
        const found = { sign, parameters: parameters.slice(), information: new Float64Array(size * size) };
        if (!search(found, look, () => 1, layout.count * layout.width, enough)) continue;
        const misfit = cost(found, 1);
        if (misfit >= least) continue;
        best = found;
        least = misfit;
      }
      return best;
    },

    draw(layout, logs, { sign, parameters, information }, pattern, blocks, known, deviates) {
      expected = known;
      matrix.set(information);
      if (!factor(matrix, size)) return null;
      const drawn: Float64Array[] = [];
      const misfits: number[] = [];
      const rests = [0, 1, 2].map(() => new Float64Array(blocks.length));
      // Three at a time, as `whiten` takes them.
      for (let first = 0; first < deviates.length; first += rests.length) {
        const some = deviates.slice(first, first + rests.length);
        for (const [i, deviate] of some.entries()) {
          const at = step;
          for (let p = size - 1; p >= 0; p--) {
            at[p] = drawnWider * deviate[size] * deviate[p];
            for (let q = p + 1; q < size; q++) at[p] -= matrix[q * size + p] * at[q];
            at[p] /= matrix[p * size + p];
          }
          const tried = parameters.map((value, p) => value + at[p]);
          drawn.push(tried);
          line.fill(layout, tried, sign, 0);
          const { light } = line;
          const left = rests[i];
          for (let k = 0; k < blocks.length; k++) left[k] = logs[blocks[k]] - Math.log(light[blocks[k]]);
        }
        whiten(pattern, rests);
        for (const [i, deviate] of some.entries()) {
          let length = 0;
          for (let p = 0; p < size; p++) length += (deviate[size] * deviate[p]) ** 2;
          const proposed = (tails + size) * Math.log(1 + length / tails);
          misfits.push(dot(rests[i], rests[i]) + unexpected(drawn[first + i]) - proposed);
        }
      }
      const weights = likelihoods(misfits);
      return weights && { parameters: drawn, weights };
    },
  };
}

/** From twice the negative logarithms, so that their sum is 1; null when none is a number. */
function likelihoods(misfits: readonly number[]): Float64Array | null {
  const least = misfits.reduce((a, b) => (b < a ? b : a), Number.POSITIVE_INFINITY);
  const weights = Float64Array.from(misfits, misfit =>
    misfit < Number.POSITIVE_INFINITY ? Math.exp((least - misfit) / 2) : 0,
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return total > 0 ? weights.map(weight => weight / total) : null;
}

/** Blocks whose logarithm is a number, ascending. */
export function usedBlocks(logs: Float32Array): Int32Array {
  const used = new Int32Array(logs.length);
  let count = 0;
  for (let at = 0; at < logs.length; at++) if (!Number.isNaN(logs[at])) used[count++] = at;
  return used.slice(0, count);
}

/** Solves L·x = b in place, for each b. Three at a time: the processor works on one sum while it waits for another. */
function whiten(lower: Float64Array, columns: readonly Float64Array[]): void {
  const size = columns[0].length;
  const spare = new Float64Array(size);
  for (let c = 0; c < columns.length; c += 3) {
    const one = columns[c];
    const two = columns[c + 1] ?? spare;
    const three = columns[c + 2] ?? spare;
    for (let i = 0; i < size; i++) {
      let a = one[i];
      let b = two[i];
      let d = three[i];
      let at = i * size;
      for (let k = 0; k < i; k++, at++) {
        const l = lower[at];
        a -= l * one[k];
        b -= l * two[k];
        d -= l * three[k];
      }
      one[i] = a / lower[at];
      two[i] = b / lower[at];
      three[i] = d / lower[at];
    }
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
