/**
 * Draws the plots of docs/analysis.md from simulated ROIs, whose truth is known. Same numbers, same pictures.
 *
 *     node scripts/analysisPlots.ts [NAME…]
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
import { colours, density, frame, normalDensity, rms } from './plotFrame.ts';
import { shiftPlots } from './shiftPlots.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'analysis');
const size = { width: 720, height: 400 };

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
  const ratios = (shape: 'gauss' | 'fano'): number[] => {
    const estimate = shape === 'gauss' ? joint : createRoiEstimator('fano');
    return simulate(new RoiSimulator({ seed: 43, lineShape: shape }), estimate, 'normal', 4000).ratios;
  };
  return {
    ...frame('Error of the position over its standard error, 4,000 ROIs each'),
    xAxis: { type: 'value', min: -4, max: 4, name: 'standard errors', nameLocation: 'middle', nameGap: 28 },
    yAxis: { type: 'value', name: 'density', axisLine: { onZero: false } },
    series: [
      {
        type: 'line',
        name: 'Gaussian lines',
        data: density(ratios('gauss')),
        color: colours.roi,
        step: 'middle',
        symbol: 'none',
      },
      {
        type: 'line',
        name: 'Fano lines',
        data: density(ratios('fano')),
        color: colours.rows,
        step: 'middle',
        symbol: 'none',
      },
      {
        type: 'line',
        name: 'normal distribution',
        data: normalDensity,
        color: colours.bound,
        symbol: 'none',
        lineStyle: { type: 'dashed' },
      },
    ],
  };
}

await mkdir(folder, { recursive: true });
const plots: Record<string, () => EChartsOption> = {
  scatterBySignal,
  scatterByCondition,
  standardErrors,
  ...shiftPlots,
};
const wanted = process.argv.slice(2);
for (const name of wanted.length > 0 ? wanted : Object.keys(plots)) {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  chart.setOption(plots[name]());
  await writeFile(join(folder, `${name}.svg`), chart.renderToSVGString());
  chart.dispose();
  console.log(`wrote docs/analysis/${name}.svg`);
}
