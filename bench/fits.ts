import { levenbergMarquardt } from 'ml-levenberg-marquardt';
import { rowMethods } from '../src/analysis/rowMethods.ts';
import type { BenchRow } from './benchRow.ts';

const length = 176;
const count = 2000;
/** The best of these counts: others share the machine. */
const rounds = 7;

/**
 * Rows fitted a second on one core: 176 pixels, a line of σ 25 px, amplitude 100 on a background of 15 with the
 * reference data's noise (speckle 0.17, read noise 4.2), each against a plain loop that reads the same pixels and takes
 * one exponential for each, and against `ml-levenberg-marquardt` with analytic derivatives and a good start.
 */
export async function fitsBench(): Promise<BenchRow[]> {
  const values = noisyRows();
  const out = new Float64Array(8);
  const gaussian = rowMethods.gaussian();
  const fano = rowMethods.fano();
  const works = {
    plain: (offset: number) => plainLoop(values, offset),
    gaussian: (offset: number) => gaussian.fitRow(values, offset, length, Number.POSITIVE_INFINITY, out),
    fano: (offset: number) => fano.fitRow(values, offset, length, Number.POSITIVE_INFINITY, out),
  };
  const best = { plain: 0, gaussian: 0, fano: 0 };
  // In turns, so that a busy moment of the machine falls on all of them.
  for (let round = 0; round < rounds; round++) {
    for (const name of ['plain', 'gaussian', 'fano'] as const) best[name] = Math.max(best[name], rate(works[name]));
  }
  const against = 'a loop that reads the pixels and takes one exponential each';
  return (['gaussian', 'fano'] as const).flatMap(name => {
    const row = { value: Math.round(best[name]), unit: 'rows/s' };
    return [
      { name: `fits.${name}`, ...row, against, ratio: best[name] / best.plain },
      {
        name: `fits.${name}.library`,
        ...row,
        against: 'ml-levenberg-marquardt',
        ratio: best[name] / library(name, values),
      },
    ];
  });
}

/** Rows a second. */
function rate(work: (offset: number) => unknown): number {
  const begin = performance.now();
  for (let row = 0; row < count; row++) work(row * length);
  return (1000 * count) / (performance.now() - begin);
}

/** Rows that the library fits: it is slow. */
const libraryRows = 40;

interface Model {
  start: number[];
  value(p: number[]): (x: number) => number;
  gradient(p: number[]): (x: number) => number[];
}

const models: Record<'gaussian' | 'fano', Model> = {
  gaussian: {
    start: [90, 88, 22, 110],
    value:
      ([a, mu, sigma, base]) =>
      x =>
        a * Math.exp(-((x - mu) ** 2) / (2 * sigma * sigma)) + base,
    gradient:
      ([a, mu, sigma]) =>
      x => {
        const t = (x - mu) / sigma;
        const g = Math.exp(-0.5 * t * t);
        return [g, (a * g * t) / sigma, (a * g * t * t) / sigma, 1];
      },
  },
  // Of the form c0 + c1·L + c2·D.
  fano: {
    start: [90, 1, 88, 22, 110],
    value:
      ([c1, c2, x0, gamma, base]) =>
      x => {
        const t = (x - x0) / gamma;
        return (c1 + c2 * t) / (1 + t * t) + base;
      },
    gradient:
      ([c1, c2, x0, gamma]) =>
      x => {
        const t = (x - x0) / gamma;
        const l = 1 / (1 + t * t);
        const slope = (c2 - 2 * t * (c1 + c2 * t) * l) * l;
        return [l, t * l, -slope / gamma, (-slope * t) / gamma, 1];
      },
  },
};

/** Rows a second of `ml-levenberg-marquardt`, which needs a start: the row's highest pixel gives the position. */
function library(name: 'gaussian' | 'fano', values: Float64Array): number {
  const { start, value, gradient } = models[name];
  const position = name === 'gaussian' ? 1 : 2;
  const x = Array.from({ length }, (_, i) => i);
  const begin = performance.now();
  for (let row = 0; row < libraryRows; row++) {
    const y = Array.from(values.subarray(row * length, (row + 1) * length));
    const initialValues = start.with(position, y.indexOf(Math.max(...y)));
    levenbergMarquardt({ x, y }, value, { initialValues, jacobianFunction: gradient, maxIterations: 30 });
  }
  return (1000 * libraryRows) / (performance.now() - begin);
}

/** What keeps the plain loop from being optimised away. */
export let plainSum = 0;

function plainLoop(values: Float64Array, offset: number): void {
  let sum = 0;
  for (let i = offset; i < offset + length; i++) sum += Math.exp(-1e-3 * values[i]);
  plainSum += sum;
}

function noisyRows(): Float64Array {
  let seed = 20251;
  const uniform = (): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed + 0.5) / 2 ** 32;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const values = new Float64Array(count * length);
  for (let row = 0; row < count; row++) {
    const mu = 60 + 55 * uniform();
    for (let x = 0; x < length; x++) {
      const light = 15 + 100 * Math.exp(-((x - mu) ** 2) / (2 * 25 ** 2));
      values[row * length + x] = Math.round(100 + light * (1 + 0.17 * normal()) + 4.2 * normal());
    }
  }
  return values;
}
