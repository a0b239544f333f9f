import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { EChartsOption, SeriesOption } from 'echarts';
import { factor, solve } from '../src/analysis/joint/choleskySolve.ts';
import { gaussianShape } from '../src/analysis/joint/jointShape.ts';
import { binWidth, createRoiBins } from '../src/analysis/joint/roiBins.ts';
import { createRoiEstimator } from '../src/analysis/joint/roiEstimator.ts';
import { columnOf, createLogLine, factorOf, parametersOf, widthAt } from '../src/analysis/shift/logLine.ts';
import { createReferenceBuilder } from '../src/analysis/shift/makeReference.ts';
import type { FittedReference } from '../src/analysis/shift/reference.ts';
import { createShiftFinder } from '../src/analysis/shift/roiShift.ts';
import { blockMeans } from '../src/analysis/shift/shiftBlocks.ts';
import type { Pixels } from '../src/model/frame.ts';
import type { Roi } from '../src/model/roi.ts';
import { PatternedChip, PatternedRoi, patternedOptions } from '../test/analysis/shift/patternedRois.ts';
import { shiftAccuracy } from '../test/analysis/shift/shiftAccuracy.ts';
import { shiftBound } from '../test/analysis/shift/shiftBound.ts';
import { colours, density, frame, normalDensity, rms } from './plotFrame.ts';
import { fitPublishedRows, reducedChiSquared } from './publishedRows.ts';

/** Error of a step against its size, for the shift and for the difference of positions, with the bound. */
function shiftByStep(): EChartsOption {
  const sizes = [1, 2, 4, 8, 16, 32, 64];
  const stepOf = (_: unknown, at: number): number => sizes[at];
  const { each } = shiftAccuracy(patternedOptions, { chips: 4, frames: sizes.length, bounded: 0, seed: 61, stepOf });
  const rois = Array.from({ length: 6 }, (_, i) => new PatternedRoi(61_000 + i));
  const bySize = (value: (of: (typeof each)[number]) => number): [number, number][] =>
    sizes.map(size => [size, rms(each.filter(({ step }) => step === size).map(value))]);
  const dots = { type: 'line', symbolSize: 7 } as const;
  return {
    ...frame('Error of a step against its size (45 × 176 pixels, static pattern, Gaussian lines)'),
    xAxis: { type: 'log', name: 'step, px', nameLocation: 'middle', nameGap: 28, min: 0.8, max: 100 },
    yAxis: { type: 'log', name: 'r.m.s. error, px', min: 0.1, max: 20 },
    series: [
      { ...dots, name: 'shift', data: bySize(({ error }) => error), color: colours.roi },
      {
        ...dots,
        name: 'difference of positions',
        data: bySize(({ difference }) => difference),
        color: colours.rows,
        symbol: 'rect',
      },
      {
        type: 'line',
        name: 'Cramér–Rao bound',
        data: sizes.map(size => [size, rms(rois.map(roi => shiftBound(roi, size, 5, patternedOptions).step))]),
        color: colours.bound,
        symbol: 'none',
        lineStyle: { type: 'dashed' },
      },
    ],
  };
}

/** Errors of the shift over their standard errors, against the normal distribution. */
function shiftErrors(): EChartsOption {
  const ratios = (lineShape: 'gauss' | 'fano'): [number, number][] => {
    const { each } = shiftAccuracy({ ...patternedOptions, lineShape }, { chips: 10, frames: 5, bounded: 0, seed: 71 });
    const compared = each.filter(({ flags }) => !flags.includes('pattern_changed'));
    return density(compared.map(({ error, uncertainty }) => error / uncertainty));
  };
  const line = { type: 'line', symbol: 'none' } as const;
  return {
    ...frame('Error of the shift over its standard error, 2,000 steps each'),
    xAxis: { type: 'value', min: -4, max: 4, name: 'standard errors', nameLocation: 'middle', nameGap: 28 },
    yAxis: { type: 'value', name: 'density', axisLine: { onZero: false } },
    series: [
      { ...line, name: 'Gaussian lines', data: ratios('gauss'), color: colours.roi, step: 'middle' },
      { ...line, name: 'Fano lines', data: ratios('fano'), color: colours.rows, step: 'middle' },
      {
        ...line,
        name: 'normal distribution',
        data: normalDensity,
        color: colours.bound,
        lineStyle: { type: 'dashed' },
      },
    ],
  };
}

const none = Number.POSITIVE_INFINITY;

/** One ROI: the light of its rows in the reference and in a frame, and their ratio with the fit. */
function shiftOfOneRoi(): EChartsOption {
  const step = 8;
  const chip = new PatternedChip(83, 40);
  const rest = chip.rois.map(({ mean }) => mean);
  const builder = createReferenceBuilder({
    rois: chip.manifest,
    method: 'gaussian',
    estimator: createRoiEstimator('gaussian'),
    shifts: true,
    darkLevel: 100,
  });
  for (let i = 0; i < 5; i++) builder.add(chip.frame(rest), none, chip.manifest);
  const reference = builder.finish();
  const still = chip.frame(rest);
  const moved = chip.frame(rest.map(at => at + step));
  const estimate = createRoiEstimator('gaussian');
  const finder = createShiftFinder(reference);
  const all = chip.manifest.rois.flatMap(roi => {
    const known = reference.rois.get(roi.label);
    const alone = estimate(moved, roi, 0, none);
    const found = finder.find(moved, roi, 0, none, alone);
    if (!known?.fit || found === null || alone.position === null) return [];
    const before = Number(estimate(still, roi, 0, none).position);
    return [{ roi, known: known.fit, found, difference: alone.position - before }];
  });
  // The one that is as wrong as they are all in all, not the best or the worst.
  const usual = rms(all.map(({ difference }) => difference - step));
  const [{ roi, known, found, difference }] = all.toSorted(
    (a, b) => Math.abs(Math.abs(a.difference - step) - usual) - Math.abs(Math.abs(b.difference - step) - usual),
  );
  const { light, logs, centres } = blocksOf(moved, roi, known);
  const middle = known.layout.groups >> 1;
  const rowOf = (values: ArrayLike<number>): [number, number][] =>
    Array.from(centres, (x, bin) => [x, values[middle * centres.length + bin]]);
  const ratio = logs.map((log, at) => log - known.logs[at]);
  const fit = fitOf(known, ratio, found.shift);
  const axis = { type: 'value', min: 0, max: 175 } as const;
  const line = { type: 'line', symbol: 'none' } as const;
  const right = { xAxisIndex: 1, yAxisIndex: 1 };
  return {
    ...frame(
      `One ROI: a step of ${step} px, shift ${found.shift.toFixed(2)} ± ${found.uncertainty.toFixed(2)} px, ` +
        `difference of positions ${difference.toFixed(1)} px`,
    ),
    grid: [
      { left: 70, right: 30, top: 70, height: 130 },
      { left: 70, right: 30, top: 240, height: 110 },
    ],
    xAxis: [
      { ...axis, axisLabel: { show: false } },
      { ...axis, gridIndex: 1, name: 'column of the ROI, px', nameLocation: 'middle', nameGap: 28 },
    ],
    yAxis: [
      { type: 'value', name: 'counts' },
      { type: 'value', gridIndex: 1, name: 'log(frame / reference)', nameGap: 8, axisLine: { onZero: false } },
    ],
    series: [
      { ...line, name: 'reference', data: rowOf(known.logs.map(Math.exp)), color: colours.bound },
      { ...line, name: 'frame', data: rowOf(light), color: colours.rows },
      {
        type: 'scatter',
        name: 'ratio',
        data: rowOf(ratio),
        color: colours.rows,
        symbolSize: 5,
        ...right,
      },
      { ...line, name: 'fit', data: rowOf(fit), color: colours.roi, ...right },
    ],
  };
}

function blocksOf(pixels: Pixels, roi: Roi, { layout }: FittedReference) {
  const bins = createRoiBins();
  bins.fill(pixels, roi, 0, binWidth(roi.size[1]), none);
  const light = new Float64Array(layout.pixels.length);
  blockMeans(bins, layout, light);
  for (let at = 0; at < light.length; at++) light[at] -= 100;
  return { light, logs: light.map(Math.log), centres: layout.centres };
}

/** The ratio that a shift means, with the line's shape as the reference and this ratio together give it. */
function fitOf(reference: FittedReference, ratio: Float64Array, shift: number): Float64Array {
  const { kernel } = gaussianShape;
  const size = parametersOf(kernel);
  const before = createLogLine(kernel);
  const after = createLogLine(kernel);
  const { layout, information, sign } = reference;
  const parameters = reference.parameters.slice();
  const fit = new Float64Array(ratio.length);
  for (let round = 0; round < 12; round++) {
    before.fill(layout, parameters, sign, 0);
    after.fill(layout, parameters, sign, shift);
    for (let at = 0; at < fit.length; at++) fit[at] = Math.log(after.light[at] / before.light[at]);
    const light = ratio.reduce((sum, value, at) => sum + value - fit[at], 0) / ratio.length;
    for (let at = 0; at < fit.length; at++) fit[at] += light;
    const weight = 1 / rms(Array.from(ratio, (value, at) => value - fit[at])) ** 2;
    const matrix = information.slice();
    const right = new Float64Array(size);
    const columns = Array.from({ length: size }, (_, p) =>
      Float64Array.from(fit, (__, at) => {
        const group = Math.floor(at / layout.count);
        const c = columnOf(p);
        return (after.columns[c][at] - before.columns[c][at]) * factorOf(p, group, layout, parameters);
      }),
    );
    for (let p = 0; p < size; p++) {
      for (let q = 0; q < size; q++) {
        for (let at = 0; at < fit.length; at++) matrix[p * size + q] += weight * columns[p][at] * columns[q][at];
        right[p] += information[p * size + q] * (reference.parameters[q] - parameters[q]);
      }
      for (let at = 0; at < fit.length; at++) right[p] += weight * columns[p][at] * (ratio[at] - fit[at]);
    }
    if (!factor(matrix, size)) throw new Error('the shape of this ROI can not be fitted');
    solve(matrix, size, right);
    const length = Math.max(1, Math.abs(right[widthAt]) / 0.3, Math.abs(right[2]) / 8);
    for (let p = 0; p < size; p++) parameters[p] += right[p] / length;
  }
  return fit;
}

const published = join(import.meta.dirname, '..', '..', 'shared', 'reference', 'realistic', 'published_rows.json');

/** Rows of real cameras: positions with their standard errors, by three ways; and the numbers themselves, on the console. */
function publishedRows(): EChartsOption {
  const cameras = Object.entries(fitPublishedRows(published));
  const ways = [
    { name: 'rows', color: colours.rows, apart: 0.22 },
    { name: 'roi', color: colours.other, apart: 0 },
    { name: 'pattern', color: colours.roi, apart: -0.22 },
  ] as const;
  const names = { rows: 'rows', roi: 'roi (no pattern known)', pattern: 'fit of the reference (pattern known)' };
  const titles: Record<string, string> = { large_camera: 'large camera', microscope: 'microscope' };
  for (const [camera, { rows, together, contrast, length }] of cameras) {
    console.log(`${camera}: pattern ${contrast.toFixed(2)} at ${length.toFixed(1)} px`);
    console.table([...rows, { ...together, row: 'all' }]);
    for (const way of ['roi', 'pattern'] as const) {
      const chi = reducedChiSquared(
        rows.map(row => Number(row[way])),
        rows.map(row => Number(row[`${way}Error`])),
      );
      console.log(`${way}: reduced χ² of the rows about their mean ${chi.toFixed(1)}`);
    }
  }
  const series = cameras.flatMap(([, { rows, together }], panel) =>
    ways.flatMap(({ name, color, apart }) => {
      const points = [...rows, together].map((fit, i) => {
        const error = name === 'rows' ? ('rowsError' in fit ? fit.rowsError : null) : fit[`${name}Error`];
        return [Number(fit[name]), rows.length - i + apart, error ?? 0] as const;
      });
      const on = { xAxisIndex: panel, yAxisIndex: panel, name: names[name], color };
      const bars = points.map(
        ([x, y, error]): SeriesOption => ({
          ...on,
          type: 'line',
          symbol: 'none',
          data: [
            [x - error, y],
            [x + error, y],
          ],
        }),
      );
      return [{ ...on, type: 'scatter', symbolSize: 7, data: points.map(([x, y]) => [x, y]) } as SeriesOption, ...bars];
    }),
  );
  const side = (panel: number) => ({ gridIndex: panel, nameLocation: 'middle', nameGap: 28 }) as const;
  return {
    ...frame('Published rows of two cameras: position of the line, ± 1 standard error'),
    grid: [
      { left: 90, width: 260, top: 90, bottom: 50 },
      { left: 430, width: 260, top: 90, bottom: 50 },
    ],
    xAxis: cameras.map(([camera], panel) => ({
      ...side(panel),
      type: 'value',
      name: `${titles[camera]}, px`,
      axisLine: { onZero: false },
      min: panel === 0 ? 185 : 75,
      max: panel === 0 ? 220 : 105,
    })),
    yAxis: cameras.map(([, { rows }], panel) => ({
      gridIndex: panel,
      type: 'value',
      min: -1,
      max: rows.length + 1,
      interval: 1,
      splitLine: { show: false },
      axisLine: { onZero: false },
      axisTick: { show: false },
      axisLabel: {
        formatter: (place: number) =>
          place === 0 ? 'all rows' : rows[rows.length - place] ? `row ${rows[rows.length - place].row}` : '',
      },
    })),
    series,
  };
}

/** The last one only where the published rows are: they are no part of the repository. */
export const shiftPlots: Record<string, () => EChartsOption> = {
  shiftByStep,
  shiftErrors,
  shiftOfOneRoi,
  ...(existsSync(published) ? { publishedRows } : {}),
};
