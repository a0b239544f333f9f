import { rowMethods } from '../src/analysis/rowMethods.ts';
import type { BenchRow } from './benchRow.ts';

const length = 176;
const count = 2000;
/** The best of these counts: others share the machine. */
const rounds = 7;

/**
 * Rows fitted a second on one core: 176 pixels, a line of σ 25 px, amplitude 100 on a background of 15 with the
 * reference data's noise (speckle 0.17, read noise 4.2), each against a plain loop that reads the same pixels and takes
 * one exponential for each.
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
  return (['gaussian', 'fano'] as const).map(name => ({
    name: `fits.${name}`,
    value: Math.round(best[name]),
    unit: 'rows/s',
    against,
    ratio: best[name] / best.plain,
  }));
}

/** Rows a second. */
function rate(work: (offset: number) => unknown): number {
  const begin = performance.now();
  for (let row = 0; row < count; row++) work(row * length);
  return (1000 * count) / (performance.now() - begin);
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
