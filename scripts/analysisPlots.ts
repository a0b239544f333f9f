/**
 * Draws the plots of docs/analysis.md from simulated ROIs, whose truth is known. Same numbers, same pictures.
 *
 *     node scripts/analysisPlots.ts
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type EChartsOption, init } from 'echarts';
import { createRoiEstimator } from '../src/analysis/joint/roiEstimator.ts';
import type { RoiEstimator } from '../src/analysis/roiEstimate.ts';
import { createRowsEstimator } from '../src/analysis/rowsEstimator.ts';
import type { Resonance, RoiCondition } from '../src/streams/cameras/simulated/resonance.ts';
import { cramerRaoBound } from '../test/analysis/cramerRao.ts';
import { RoiSimulator } from '../test/analysis/simulatedRois.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'analysis');
const size = { width: 720, height: 400 };
const colours = { roi: '#1F5FA8', rows: '#D07A1E', bound: '#222222' };

interface Errors {
  errors: number[];
  /** Errors over their standard errors. */
  ratios: number[];
}

function simulate(
  simulator: RoiSimulator,
  estimate: RoiEstimator,
  condition: RoiCondition,
  count: number,
  adapt?: (resonance: Resonance) => void,
): Errors {
  const found: Errors = { errors: [], ratios: [] };
  for (let i = 0; i < count; i++) {
    const { pixels, roi, truth, resonance } = simulator.draw(condition, adapt);
    const { position, uncertainty, rows } = estimate(
      pixels,
      roi,
      0,
      condition === 'saturated' ? 4095 : Number.POSITIVE_INFINITY,
    );
    if (position === null || uncertainty === null || rows.length === 0) continue;
    const aim = estimate === byRows ? truth + resonance.medianOffset : truth;
    found.errors.push(position - aim);
    found.ratios.push((position - aim) / uncertainty);
  }
  return found;
}

const joint = createRoiEstimator('gaussian');
const byRows = createRowsEstimator({ method: 'gaussian', numberOfSubRois: 0 });
const rms = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

/** Scatter against the height of the line, with the bound. */
function scatterBySignal(): EChartsOption {
  const heights = [5, 8, 12, 20, 35, 60, 100, 200, 400];
  const series: Record<'roi' | 'rows' | 'bound', [number, number][]> = { roi: [], rows: [], bound: [] };
  for (const height of heights) {
    const line = (resonance: Resonance): void => {
      resonance.amplitude = height;
      resonance.width = 25;
      resonance.rest = 88;
    };
    const simulator = new RoiSimulator({ seed: 41 });
    series.roi.push([height, rms(simulate(simulator, joint, 'normal', 400, line).errors)]);
    series.rows.push([height, rms(simulate(simulator, byRows, 'normal', 200, line).errors)]);
    series.bound.push([height, cramerRaoBound(simulator.draw('normal', line).resonance, simulator.options)]);
  }
  return {
    ...frame('Scatter of the position against the height of the line (σ 25 px, 45 rows)'),
    xAxis: { type: 'log', name: 'height of the line, counts', nameLocation: 'middle', nameGap: 28, min: 4, max: 500 },
    yAxis: { type: 'log', name: 'scatter, px', min: 0.1, max: 20 },
    series: [
      { type: 'line', name: 'estimator roi', data: series.roi, color: colours.roi, symbolSize: 7 },
      { type: 'line', name: 'estimator rows', data: series.rows, color: colours.rows, symbol: 'rect', symbolSize: 7 },
      {
        type: 'line',
        name: 'Cramér–Rao bound',
        data: series.bound,
        color: colours.bound,
        symbol: 'none',
        lineStyle: { type: 'dashed' },
      },
    ],
  };
}

/** Scatter on each kind of ROI. */
function scatterByCondition(): EChartsOption {
  const conditions = ['normal', 'low_signal', 'dust', 'saturated', 'edge'] as const;
  const simulator = new RoiSimulator({ seed: 42 });
  const scatter = (estimate: RoiEstimator): number[] =>
    conditions.map(condition => Number(rms(simulate(simulator, estimate, condition, 300).errors).toFixed(3)));
  const label = { show: true, position: 'top' as const };
  return {
    ...frame('Scatter of the position by kind of ROI (noise of the reference data)'),
    xAxis: { type: 'category', data: conditions.map(name => name.replace('_', ' ')) },
    yAxis: { type: 'value', name: 'scatter, px' },
    series: [
      { type: 'bar', name: 'estimator roi', data: scatter(joint), color: colours.roi, label },
      { type: 'bar', name: 'estimator rows', data: scatter(byRows), color: colours.rows, label },
    ],
  };
}

/** Errors over their standard errors, against the normal distribution. */
function standardErrors(): EChartsOption {
  const step = 0.25;
  const count = 4000;
  const bins = Array.from({ length: 32 }, (_, i) => -4 + (i + 0.5) * step);
  const density = (shape: 'gauss' | 'fano'): [number, number][] => {
    const estimate = shape === 'gauss' ? joint : createRoiEstimator('fano');
    const { ratios } = simulate(new RoiSimulator({ seed: 43, lineShape: shape }), estimate, 'normal', count);
    return bins.map(x => [x, ratios.filter(r => Math.abs(r - x) < step / 2).length / ratios.length / step]);
  };
  return {
    ...frame('Error of the position over its standard error, 4,000 ROIs each'),
    xAxis: { type: 'value', min: -4, max: 4, name: 'standard errors', nameLocation: 'middle', nameGap: 28 },
    yAxis: { type: 'value', name: 'density', axisLine: { onZero: false } },
    series: [
      {
        type: 'line',
        name: 'Gaussian lines',
        data: density('gauss'),
        color: colours.roi,
        step: 'middle',
        symbol: 'none',
      },
      { type: 'line', name: 'Fano lines', data: density('fano'), color: colours.rows, step: 'middle', symbol: 'none' },
      {
        type: 'line',
        name: 'normal distribution',
        data: Array.from({ length: 161 }, (_, i) => -4 + i / 20).map(x => [
          x,
          Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI),
        ]),
        color: colours.bound,
        symbol: 'none',
        lineStyle: { type: 'dashed' },
      },
    ],
  };
}

function frame(text: string): EChartsOption {
  return {
    animation: false,
    backgroundColor: '#FFFFFF',
    textStyle: { fontFamily: 'DejaVu Sans, sans-serif' },
    title: { text, left: 'center', top: 6, textStyle: { fontSize: 15, fontWeight: 'normal' } },
    legend: { top: 36, itemGap: 28 },
    grid: { left: 70, right: 30, top: 90, bottom: 50 },
  };
}

await mkdir(folder, { recursive: true });
for (const [name, make] of Object.entries({ scatterBySignal, scatterByCondition, standardErrors })) {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  chart.setOption(make());
  await writeFile(join(folder, `${name}.svg`), chart.renderToSVGString());
  chart.dispose();
  console.log(`wrote docs/analysis/${name}.svg`);
}
