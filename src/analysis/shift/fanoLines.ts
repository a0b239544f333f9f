import { randomStream } from '../../model/randomStream.ts';
import { factor, solve } from '../joint/choleskySolve.ts';
import { asymmetryAt, positionAt, widthAt } from './logLine.ts';
import {
  type DrawnLines,
  type Expectation,
  expectation,
  type ReferenceFit,
  type ReferenceLine,
  roughly,
  tails,
  usedBlocks,
} from './referenceFit.ts';
import type { BlockLayout } from './shiftBlocks.ts';

/** Fano lines of ROIs of one size, of which nothing is hidden. */
export interface FanoLines {
  fit: ReferenceFit;
  layout: BlockLayout;
  rois: readonly FanoRoi[];
  /** Factor of the pattern's covariance between all blocks. */
  pattern: Float64Array;
}

interface FanoRoi {
  logs: Float32Array;
  /** A first fit. */
  line: ReferenceLine;
}

/** What Fano lines of a chip have in common. Of each the least deviation that a few ROIs can't make smaller. */
const shared = [
  { at: 0, least: 0.2 },
  { at: 1, least: 0.2 },
  { at: widthAt, least: 0.1 },
  { at: asymmetryAt, least: 0.15 },
] as const;
/** So many ROIs the least deviation counts as. */
const leastCounts = 4;
/** As long as nothing is known of other ROIs, it is so many times that. */
const atFirst = 4;
/** From so many ROIs it is found what they have in common, in so many rounds of fits. */
const comparedRois = 32;
const rounds = 2;
const populationSteps = 60;
/** A ROI of which fewer draws count tells nothing of the others. */
const leastCounting = 8;
const fewDraws = 64;
const manyDraws = 192;
/** Fano lines have several likely places: the search begins so far from the first fit, in widths. */
const aside = [-0.5, 0.5];

/**
 * Of the waves that are as long as the line, the first fit takes a part for the line, and the measured pattern lacks it: so much of its variance is
 * measured. Chosen so that two thirds of simulated ROIs lie within the standard error.
 */
const measuredPart = 0.8;

/**
 * Fits the lines of a chip together. A Fano line has several likely places, and the pattern hides its shape; but base, height, width and asymmetry of one
 * ROI tell of those of the others (empirical Bayes: Efron & Morris, J. Am. Stat. Assoc. 70, 311 (1975)). The line bends where the pattern has pushed it, so its
 * mean and covariance are those of lines that are drawn.
 *
 * @returns for each ROI the mean line and the inverse of its covariance; null where the search leads nowhere
 */
export function fitFanoLines({ rois, pattern, ...common }: FanoLines): (ReferenceLine | null)[] {
  const ups = rois.filter(({ line }) => line.sign > 0).length;
  const sign = 2 * ups >= rois.length ? 1 : -1;
  const turned = rois.map(({ logs, line }) => ({ logs, line: turnedLine(line, sign) }));
  const louder = { ...common, rois: turned, pattern: pattern.map(each => each / Math.sqrt(measuredPart)) };
  const expected = whatTheyShare(louder);
  return turned.map((roi, place) => {
    const made = drawLines(louder, roi, expected, manyDraws, place);
    return made && summary(made.line, made.drawn);
  });
}

/** The same Fano line as one of the other sign: its asymmetry is an angle. */
function turnedLine(line: ReferenceLine, sign: number): ReferenceLine {
  if (line.sign === sign) return line;
  const angle = line.parameters[asymmetryAt];
  return {
    ...line,
    sign,
    parameters: line.parameters.with(asymmetryAt, angle > 0 ? angle - Math.PI : angle + Math.PI),
  };
}

function whatTheyShare(lines: FanoLines): Expectation {
  const { rois } = lines;
  const size = rois[0].line.parameters.length;
  const stride = Math.max(1, Math.floor(rois.length / comparedRois));
  const some = rois.filter((_, place) => place % stride === 0);
  let population = shared.map(({ at, least }): Shared => {
    const values = some.map(({ line }) => line.parameters[at]).sort((a, b) => a - b);
    const mean = values[values.length >> 1];
    const spread = values.map(value => Math.abs(value - mean)).sort((a, b) => a - b)[values.length >> 1];
    return { at, least, mean, variance: Math.max(atFirst * least, 1.5 * spread) ** 2, unsure: 0 };
  });
  for (let round = 0; round < rounds; round++) {
    const expected = expectationOf(size, population);
    const draws = some
      .flatMap((roi, place) => drawLines(lines, roi, expected, fewDraws, place)?.drawn ?? [])
      .filter(drawn => countingOf(drawn) > leastCounting);
    if (draws.length === 0) return expected;
    population = populationOf(draws, population);
  }
  return expectationOf(size, population);
}

interface Shared {
  at: number;
  least: number;
  mean: number;
  variance: number;
  /** Variance of the mean. */
  unsure: number;
}

function expectationOf(size: number, population: readonly Shared[]): Expectation {
  const width = population.find(({ at }) => at === widthAt) as Shared;
  const expected = expectation(size, Math.exp(width.mean));
  for (const { at, mean, variance, unsure } of population) {
    expected.means[at] = mean;
    expected.precisions[at] = 1 / (variance + unsure);
  }
  return expected;
}

/**
 * Mean and variance of each parameter over the ROIs, by expectation and maximisation (Dempster, Laird & Rubin, J. R. Stat. Soc. B 39, 1 (1977)), from what each
 * ROI tells by itself: mean and variance of its draws, less what was known before.
 */
function populationOf(draws: readonly DrawnLines[], before: readonly Shared[]): Shared[] {
  return before.map(({ at, least, mean: meanBefore, variance: varianceBefore, unsure }) => {
    const known = 1 / (varianceBefore + unsure);
    const alone = draws.map(each => {
      const { mean, variance } = momentsOf(each, at);
      const precision = 1 / variance - known;
      // Of some, chance makes it seem that less is known than before.
      const least = known / 50;
      return precision > least
        ? { precision, sum: mean / variance - meanBefore * known }
        : { precision: least, sum: mean * least };
    });
    let mean = meanBefore;
    let variance = varianceBefore;
    for (let round = 0; round < populationSteps; round++) {
      let sum = 0;
      let squares = 0;
      for (const { precision, sum: weighed } of alone) {
        const own = 1 / (precision + 1 / variance);
        const value = own * (weighed + mean / variance);
        sum += value;
        squares += own + value * value;
      }
      const count = alone.length;
      mean = sum / count;
      variance = (squares - count * mean * mean + leastCounts * least ** 2) / (count + leastCounts);
    }
    const together = alone.reduce((sum, { precision }) => sum + 1 / (variance + 1 / precision), 0);
    return { at, least, mean, variance, unsure: 1 / together };
  });
}

/** So many draws of one weight tell as much (Kong, Liu & Wong, J. Am. Stat. Assoc. 89, 278 (1994)). */
function countingOf({ weights }: DrawnLines): number {
  return 1 / weights.reduce((sum, weight) => sum + weight * weight, 0);
}

function momentsOf({ parameters, weights }: DrawnLines, at: number): { mean: number; variance: number } {
  let mean = 0;
  let square = 0;
  for (const [k, weight] of weights.entries()) {
    mean += weight * parameters[k][at];
    square += weight * parameters[k][at] ** 2;
  }
  return { mean, variance: Math.max(square - mean * mean, 1e-9) };
}

/** The likeliest line, and lines about it. */
function drawLines(
  { fit, layout, pattern }: FanoLines,
  { logs, line }: FanoRoi,
  expected: Expectation,
  count: number,
  place: number,
): { line: ReferenceLine; drawn: DrawnLines } | null {
  const blocks = usedBlocks(logs);
  const size = line.parameters.length;
  const starts = [line, ...aside.map(by => usual(line, expected, by))];
  const likeliest = fit.whitened(layout, logs, starts, pattern, blocks, expected, roughly);
  const drawn =
    likeliest && fit.draw(layout, logs, likeliest, pattern, blocks, expected, deviatesOf(size, count, place));
  return drawn && { line: likeliest, drawn };
}

/** A line as the others are, near this one. */
function usual({ sign, parameters, information }: ReferenceLine, { means }: Expectation, by: number): ReferenceLine {
  const own = means.slice();
  own[positionAt] = parameters[positionAt] + by * Math.exp(means[widthAt]);
  return { sign, parameters: own, information };
}

/** Of each ROI its own: what chance does to one must not be done to all. */
function deviatesOf(size: number, count: number, place: number): Float64Array[] {
  const random = randomStream(place, 'lines');
  return Array.from({ length: count }, () => {
    const normal = Float64Array.from({ length: size + 1 }, () => random.normal());
    let squares = 0;
    for (let k = 0; k < tails; k++) squares += random.normal() ** 2;
    normal[size] = Math.sqrt(tails / squares);
    return normal;
  });
}

/** Mean of the draws, and the inverse of their covariance; as far as few draws count, that of the line's curvature. */
function summary({ sign, information }: ReferenceLine, drawn: DrawnLines): ReferenceLine | null {
  const { parameters, weights } = drawn;
  const mean = parameters[0].map((_, p) => parameters.reduce((sum, each, k) => sum + weights[k] * each[p], 0));
  const size = mean.length;
  const covariance = inverse(information, size);
  if (covariance === null) return null;
  const counting = countingOf(drawn);
  const share = counting / (counting + size);
  for (let p = 0; p < size; p++) {
    for (let q = 0; q < size; q++) {
      let sum = 0;
      for (const [k, each] of parameters.entries()) sum += weights[k] * (each[p] - mean[p]) * (each[q] - mean[q]);
      covariance[p * size + q] = share * sum + (1 - share) * covariance[p * size + q];
    }
  }
  const precise = inverse(covariance, size);
  return precise && { sign, parameters: mean, information: precise };
}

function inverse(matrix: Float64Array, size: number): Float64Array | null {
  const lower = matrix.slice();
  if (!factor(lower, size)) return null;
  const out = new Float64Array(size * size);
  const column = new Float64Array(size);
  for (let p = 0; p < size; p++) {
    column.fill(0);
    column[p] = 1;
    solve(lower, size, column);
    for (let q = 0; q < size; q++) out[q * size + p] = column[q];
  }
  return out;
}
