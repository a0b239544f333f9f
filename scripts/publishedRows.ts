import { readFileSync } from 'node:fs';
import type { Line } from '../src/analysis/joint/jointFit.ts';
import { gaussianShape } from '../src/analysis/joint/jointShape.ts';
import { createRoiEstimator } from '../src/analysis/joint/roiEstimator.ts';
import type { RoiEstimate, RoiEstimator } from '../src/analysis/roiEstimate.ts';
import { createRowsEstimator } from '../src/analysis/rowsEstimator.ts';
import { parametersOf, positionAt, widthAt } from '../src/analysis/shift/logLine.ts';
import { blockCovariance, factorPattern, measurePattern, patternLengths } from '../src/analysis/shift/patternModel.ts';
import { createReferenceFit, expectation, type ReferenceLine, usedBlocks } from '../src/analysis/shift/referenceFit.ts';
import type { BlockLayout } from '../src/analysis/shift/shiftBlocks.ts';
import { medianOfNormal } from '../src/analysis/shift/shiftFit.ts';
import type { Pixels } from '../src/model/frame.ts';

/** Position of a row's line by three ways, and their standard errors (null: it has none), pixels. */
export interface RowFits {
  camera: string;
  row: number;
  rows: number | null;
  roi: number | null;
  roiError: number | null;
  pattern: number | null;
  patternError: number | null;
}

export interface CameraFits {
  rows: RowFits[];
  /** All rows as one ROI. */
  together: Omit<RowFits, 'row'> & { rowsError: number | null };
  /** Standard deviation of the pattern's logarithm that the rows show, and the mean length of its kernel, pixels. */
  contrast: number;
  length: number;
}

/** Counts without light, and from which a pixel is saturated: as the pictures show them. */
const cameras = {
  large_camera: { dark: 0, saturation: 250 },
  microscope: { dark: 100, saturation: 4095 },
} as const;
/** Parts of a count, so that what was read off a plot is not rounded once more. */
const scale = 16;
/** Pixels of a block. */
const binPixels = 4;
const leastLight = 0.02;
/** What `makeReference` does with the information and with the widths of other ROIs. */
const trusted = 0.75;
const leastSpread = 0.15;
const edge = 2;

/** Fits of the rows that users of the Python system have published. @throws Error when the file is not there */
export function fitPublishedRows(path: string): Record<string, CameraFits> {
  const read = JSON.parse(readFileSync(path, 'utf8')) as Record<
    keyof typeof cameras,
    { rows: Record<string, (number | null)[]> }
  >;
  return Object.fromEntries(
    (Object.keys(cameras) as (keyof typeof cameras)[]).map(camera => [camera, fitCamera(camera, read[camera].rows)]),
  );
}

function fitCamera(camera: keyof typeof cameras, given: Record<string, (number | null)[]>): CameraFits {
  const { dark, saturation } = cameras[camera];
  const numbers = Object.keys(given).map(Number);
  const rows = Object.values(given).map(withoutGaps);
  const [{ length: cols }] = rows;
  const byRows = createRowsEstimator({ method: 'gaussian', numberOfSubRois: 0 });
  const joint = createRoiEstimator('gaussian');
  const estimate = (of: RoiEstimator, values: readonly number[][]): RoiEstimate => {
    const pixels = frameOf(values);
    const roi = { label: camera, flip: false, coords: [edge, edge], size: [values.length, cols] } as const;
    const found = of(pixels, roi, 0, saturation * scale);
    return { ...found, rows: found.rows.map(row => row.slice()) };
  };
  const alone = rows.map(row => estimate(byRows, [row]));
  const starts = alone.map(({ rows: [[height, position, width, base]] }): Line => {
    const [a, b] = [height / scale, base / scale - dark];
    return { base: Math.max(b, 0.05 * a), height: a, position, width, asymmetry: 0 };
  });

  const single = layoutOf([0], cols, rows.length);
  const logs = rows.map(row => logsOf(row, single, { dark, saturation }));
  const fit = createReferenceFit(gaussianShape.kernel);
  const lines = logs.map((log, i) => fit.plain(single, log, starts[i]));
  const covariance = { alongBins: blockCovariance(single).alongBins, alongGroups: distancesOf([0]) };
  const measurement = measurePattern(single, covariance);
  for (const [i, line] of lines.entries()) {
    if (line === null) continue;
    fit.look(single, logs[i], line);
    measurement.add(fit.residuals(), fit.directions());
  }
  const pattern = measurement.estimate();
  const widths = widthsOf(lines.filter(line => line !== null));
  const expected = expectation(parametersOf(gaussianShape.kernel), null);
  expected.means[widthAt] = widths.mean;
  expected.precisions[widthAt] = widths.deviation ** -2;
  const whitened = (layout: BlockLayout, log: Float32Array, line: ReferenceLine | null, places: readonly number[]) => {
    if (line === null) return null;
    const blocks = usedBlocks(log);
    const own = { ...covariance, alongGroups: distancesOf(places) };
    const factor = factorPattern(pattern, own, layout, blocks);
    return factor && fit.whitened(layout, log, [line], factor, blocks, expected);
  };
  const result = (line: ReferenceLine | null) => ({
    pattern: line?.parameters[positionAt] ?? null,
    patternError: line && fit.errorOf(line, positionAt) / Math.sqrt(trusted),
  });

  const all = layoutOf(numbers, cols, rows.length);
  const together = Float32Array.from(logs.flatMap(log => [...log]));
  const middle = starts.toSorted((a, b) => a.position - b.position)[starts.length >> 1];
  const roi = estimate(joint, rows);
  const median = estimate(byRows, rows);
  const variance = pattern.variances.reduce((sum, each) => sum + each, 0);
  return {
    rows: rows.map((row, i) => {
      const found = estimate(joint, [row]);
      const ownRoi = { roi: found.position, roiError: found.uncertainty };
      const { pattern: position, patternError } = result(whitened(single, logs[i], lines[i], [0]));
      return { camera, row: numbers[i], rows: alone[i].position, ...ownRoi, pattern: position, patternError };
    }),
    together: {
      camera,
      rows: median.position,
      rowsError: median.uncertainty,
      roi: roi.position,
      roiError: roi.uncertainty,
      ...result(whitened(all, together, fit.plain(all, together, middle), numbers)),
    },
    contrast: Math.sqrt(variance),
    length: pattern.variances.reduce((sum, each, k) => sum + each * patternLengths[k], 0) / variance,
  };
}

/** A straight line where another curve hides this one. */
function withoutGaps(values: readonly (number | null)[]): number[] {
  const known = values.flatMap((value, at) => (value === null ? [] : [{ at, value }]));
  return values.map((value, at) => {
    if (value !== null) return value;
    const before = known.findLast(each => each.at < at);
    const after = known.find(each => each.at > at);
    if (!before || !after) return (before ?? after)?.value ?? 0;
    return before.value + ((after.value - before.value) * (at - before.at)) / (after.at - before.at);
  });
}

function frameOf(rows: readonly (readonly number[])[]): Pixels {
  const width = rows[0].length + 2 * edge;
  const height = rows.length + 2 * edge;
  const data = Uint16Array.from({ length: width * height }, (_, i) => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, Math.floor(i / width) - edge))];
    return Math.max(0, Math.round(scale * row[Math.min(row.length - 1, Math.max(0, (i % width) - edge))]));
  });
  return { width, height, depth: 16, data };
}

/** Rows that lie apart, each of them one pixel high. @param places their numbers */
function layoutOf(places: readonly number[], cols: number, published: number): BlockLayout {
  const count = Math.floor(cols / binPixels);
  const extent = (places.at(-1) ?? 0) - places[0];
  const share = (place: number): number => (place - places[0]) / extent;
  const wave = (half: number): Float64Array =>
    Float64Array.from(places, place => Math.cos(Math.PI * half * share(place)));
  const centred = (values: Float64Array): Float64Array => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return values.map(value => value - mean);
  };
  return {
    count,
    width: binPixels,
    centres: Float64Array.from({ length: count }, (_, bin) => bin * binPixels + (binPixels - 1) / 2),
    groups: places.length,
    // Of one row nothing runs over the rows; a column of zeros has no inverse.
    waves: extent === 0 ? [Float64Array.of(1e-9), Float64Array.of(1e-9)] : [centred(wave(1)), centred(wave(2))],
    pixels: new Float64Array(places.length * count).fill(binPixels),
    rows: extent === 0 ? 1 : Math.round((extent * published) / (published - 1)),
  };
}

/** Correlation of the pattern between rows, for each of its lengths. */
const distancesOf = (places: readonly number[]): Float64Array[] =>
  patternLengths.map(length =>
    Float64Array.from({ length: places.length ** 2 }, (_, i) => {
      const apart = places[Math.floor(i / places.length)] - places[i % places.length];
      return length === 0 ? Number(apart === 0) : Math.exp(-(apart ** 2) / (4 * length ** 2));
    }),
  );

function logsOf(
  row: readonly number[],
  { count }: BlockLayout,
  { dark, saturation }: { dark: number; saturation: number },
): Float32Array {
  const blocks = Array.from({ length: count }, (_, bin) => row.slice(bin * binPixels, (bin + 1) * binPixels));
  const light = blocks.map(block =>
    block.some(value => value >= saturation)
      ? Number.NaN
      : block.reduce((sum, value) => sum + value - dark, 0) / block.length,
  );
  const brightest = Math.max(...light.filter(Number.isFinite));
  return Float32Array.from(light, value => (value > leastLight * brightest ? Math.log(value) : Number.NaN));
}

function widthsOf(lines: readonly ReferenceLine[]): { mean: number; deviation: number } {
  const sorted = lines.map(({ parameters }) => parameters[widthAt]).sort((a, b) => a - b);
  const mean = sorted[sorted.length >> 1];
  const spread = sorted.map(log => Math.abs(log - mean)).sort((a, b) => a - b)[sorted.length >> 1];
  return { mean, deviation: Math.max(leastSpread, spread / medianOfNormal) };
}

/** Of positions about their weighted mean, over the degrees of freedom. */
export function reducedChiSquared(positions: readonly number[], errors: readonly number[]): number {
  const weights = errors.map(error => error ** -2);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = positions.reduce((sum, position, i) => sum + weights[i] * position, 0) / total;
  return positions.reduce((sum, position, i) => sum + weights[i] * (position - mean) ** 2, 0) / (positions.length - 1);
}
