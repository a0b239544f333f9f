import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseRoiManifest } from '../../src/analysis/parseRoiManifest.ts';
import type { FrameAnalysis } from '../../src/analysis/roiPiece.ts';
import { decodeFrame } from '../../src/image/decodeFrame.ts';
import type { Pixels } from '../../src/model/frame.ts';
import { type AnalysisMethod, analysisMethods, type Estimator, methodParameters } from '../../src/model/method.ts';
import type { FrameStatistics, ParameterStatistics, RoiResult } from '../../src/model/result.ts';
import type { Roi } from '../../src/model/roi.ts';
import { analyseFrame } from '../world/analyseFrame.ts';

const cols = 120;
const rows = 10;

/** A frame of stacked ROIs, each with a Gaussian line (σ 12) at its own place, and a little fixed structure. */
function frameOf(lines: { position: number; amplitude: number }[], noise = 3): { pixels: Pixels; rois: Roi[] } {
  const height = rows * lines.length;
  const data = Uint16Array.from({ length: cols * height }, (_, i) => {
    const { position, amplitude } = lines[Math.floor(i / (cols * rows))];
    const d = (i % cols) - position;
    const structure = noise * Math.sin(i * 12.9898 + (i >> 3));
    return Math.min(4095, Math.round(100 + amplitude * Math.exp((-d * d) / 288) + structure));
  });
  const rois = lines.map((_, k): Roi => ({ label: `R${k}`, flip: false, coords: [k * rows, 0], size: [rows, cols] }));
  return { pixels: { width: cols, height, depth: 16, data }, rois };
}

function analyse(pixels: Pixels, rois: Roi[], options: Partial<FrameAnalysis> = {}) {
  const job: FrameAnalysis = {
    rois: { rois, imageAngle: 0 },
    method: 'gaussian',
    estimator: 'rows',
    numberOfSubRois: 0,
    keepValues: false,
    ...options,
  };
  const analysed = analyseFrame(pixels, job);
  const text = new TextDecoder().decode(analysed.imageAnalysis);
  const [statistics, ...results] = JSON.parse(text) as [FrameStatistics, ...RoiResult[]];
  return { analysed, text, statistics, results };
}

test.each(analysisMethods)('%s: keys stand in the order of the formats, position counts from 0', method => {
  const { pixels, rois } = frameOf([{ position: 50.3, amplitude: 800 }]);
  const { results, analysed, statistics } = analyse(pixels, rois, { method });
  expect(Object.keys(results[0])).toEqual([
    'ROI-label',
    'Analysis-method',
    ...methodParameters[method],
    'position',
    'uncertainty',
    'shift',
    'shift_uncertainty',
    'rows_used',
    'rows_rejected',
    'flags',
  ]);
  expect(results[0]).toMatchObject({
    'ROI-label': 'R0',
    'Analysis-method': method,
    rows_used: 10,
    rows_rejected: 0,
    flags: [],
  });
  expect(Math.abs(results[0].position! - 50.3)).toBeLessThan(1);
  expect(results[0].uncertainty).toBeGreaterThanOrEqual(0);
  expect(analysed).toMatchObject({
    width: cols,
    height: rows,
    depth: 16,
    statistics,
    rois: 1,
    seen: [true],
    rowsFitted: 10,
    rowsRejected: {},
  });
  expect(Array.from(analysed.positions)).toEqual([results[0].position]);
});

test.each(['gaussian', 'fano'] as const)('%s, estimator roi: the same keys, and the reduced χ²', method => {
  const { pixels, rois } = frameOf([
    { position: 50.3, amplitude: 800 },
    { position: 50.3, amplitude: 0 },
  ]);
  const { results, analysed, text } = analyse(pixels, rois, { method, estimator: 'roi' });
  const keys = [
    'position',
    'uncertainty',
    'shift',
    'shift_uncertainty',
    'chi_squared',
    'rows_used',
    'rows_rejected',
    'flags',
  ];
  expect(Object.keys(results[0])).toEqual(['ROI-label', 'Analysis-method', ...methodParameters[method], ...keys]);
  expect(results[0]).toMatchObject({ rows_used: 10, rows_rejected: 0, flags: [] });
  expect(Math.abs(results[0].position! - 50.3)).toBeLessThan(method === 'gaussian' ? 0.1 : 1);
  expect(results[1]).toEqual({
    'ROI-label': 'R1',
    'Analysis-method': method,
    position: null,
    uncertainty: null,
    shift: null,
    shift_uncertainty: null,
    chi_squared: null,
    rows_used: 0,
    rows_rejected: 10,
    flags: ['lost'],
  });
  expect(analysed.positions[1]).toBeNaN();
  expect(text).not.toMatch(/NaN|Infinity/);
});

test.each(['max_intensity', 'centre'] as const)('%s goes by rows, whatever the estimator', method => {
  const { pixels, rois } = frameOf([{ position: 50.3, amplitude: 800 }]);
  expect(analyse(pixels, rois, { method, estimator: 'roi' }).text).toBe(
    analyse(pixels, rois, { method, estimator: 'rows' }).text,
  );
});

test('the flip mirrors the position', () => {
  const { pixels, rois } = frameOf([{ position: 30, amplitude: 800 }]);
  const [{ position }] = analyse(pixels, [{ ...rois[0], flip: true }]).results;
  expect(position).toBeCloseTo(cols - 1 - 30, 1);
});

test('number_of_subROIs gives that many averaged rows, whose noise is smaller', () => {
  const { pixels, rois } = frameOf([{ position: 50, amplitude: 60 }], 9);
  const every = analyse(pixels, rois, { keepValues: true }).results[0];
  const averaged = analyse(pixels, rois, { numberOfSubRois: 2, keepValues: true }).results[0];
  expect((every.mu as ParameterStatistics).Values).toHaveLength(10);
  expect(averaged).toMatchObject({ rows_used: 2, rows_rejected: 0 });
  expect((averaged.error as ParameterStatistics).Median).toBeLessThan(
    0.8 * (every.error as ParameterStatistics).Median,
  );
  const one = analyse(pixels, rois, { numberOfSubRois: 1 }).results[0];
  expect(one).toMatchObject({ rows_used: 1, uncertainty: null });
});

test('an ROI without a usable row has no position and no parameters, and says so; no NaN is written', () => {
  const { pixels, rois } = frameOf(
    [
      { position: 50, amplitude: 500 },
      { position: 0, amplitude: 0 },
    ],
    0,
  );
  for (const method of analysisMethods) {
    const { results, analysed, text } = analyse(pixels, rois, { method });
    expect(results[1]).toEqual({
      'ROI-label': 'R1',
      'Analysis-method': method,
      position: null,
      uncertainty: null,
      shift: null,
      shift_uncertainty: null,
      rows_used: 0,
      rows_rejected: 10,
      flags: ['lost'],
    });
    expect(analysed.rowsRejected).toEqual({ constant: 10 });
    expect(analysed.positions[1]).toBeNaN();
    expect(text).not.toMatch(/NaN|Infinity/);
  }
});

test('flags: a weak line, a line at the border, and clipped pixels', () => {
  const { pixels, rois } = frameOf(
    [
      { position: 60, amplitude: 800 },
      { position: 60, amplitude: 12 },
      { position: 8, amplitude: 800 },
      { position: 60, amplitude: 9000 },
    ],
    8,
  );
  expect(analyse(pixels, rois).results.map(({ flags }) => flags)).toEqual([
    [],
    ['low_signal'],
    ['edge'],
    ['saturated'],
  ]);
});

const reference = '../shared/reference/legacy_gauss';
describe.skipIf(!existsSync(reference))('the legacy folder of the shared reference', () => {
  interface Compared {
    ours: number[];
    theirs: number[];
    /** Ours over their standard errors. */
    ratios: number[];
    condition: string;
  }
  const manifestFile = `${reference}/ROI_manifest.json`;
  const rms = (values: number[]): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);

  /**
   * Errors against the truth, ours and the Python system's, by condition; with all ROIs of all eight frames. The truth is the
   * median over a ROI's rows, with the estimator roi the mean.
   */
  async function compare(method: AnalysisMethod, estimator: Estimator = 'rows'): Promise<Map<string, Compared>> {
    const rois = parseRoiManifest(readFileSync(manifestFile, 'utf8'), manifestFile);
    const truth = JSON.parse(readFileSync(`${reference}/truth.json`, 'utf8'));
    const originalFile = `${reference}/original_${method}/processing_results.jsonl`;
    const lines = existsSync(originalFile) ? readFileSync(originalFile, 'utf8').trim().split('\n') : [];
    const byCondition = new Map<string, Compared>();
    for (let frame = 0; frame < 8; frame++) {
      const pixels = await decodeFrame(`${reference}/Pos0/img_00000000${frame}_Default_000.tif`);
      const analysed = analyseFrame(pixels, { rois, method, estimator, numberOfSubRois: 0, keepValues: false });
      const [statistics, ...results] = JSON.parse(new TextDecoder().decode(analysed.imageAnalysis));
      expect(results).toHaveLength(80);
      const original = lines.length > 0 ? JSON.parse(lines[frame]).image_analysis : null;
      if (original !== null) expect(statistics).toEqual(original[0]);
      for (const result of results as RoiResult[]) {
        const label = result['ROI-label'];
        const { median, mean, condition } = truth.frames[frame].rois[label];
        let compared = byCondition.get(condition);
        if (!compared) byCondition.set(condition, (compared = { ours: [], theirs: [], ratios: [], condition }));
        const error = result.position! - (estimator === 'roi' ? mean : median);
        compared.ours.push(error);
        if (result.uncertainty !== null) compared.ratios.push(error / result.uncertainty);
        if (estimator === 'roi' && method === 'gaussian' && result.flags.length === 0)
          expect(Math.abs(error), label).toBeLessThan(5);
        if (original === null) continue;
        const theirs = original.find((one: RoiResult) => one['ROI-label'] === label);
        compared.theirs.push(theirs[method === 'gaussian' ? 'mu' : 'resonance'].Median - median);
      }
    }
    expect([...byCondition.keys()].sort()).toEqual([
      'collateral_saturation',
      'dust',
      'edge',
      'low_snr',
      'normal',
      'saturated',
    ]);
    return byCondition;
  }

  test('gaussian: agrees with the Python system, and is nearer the truth where it was squeezed to 8 bits', async () => {
    const conditions = await compare('gaussian');
    const { ours, theirs } = conditions.get('normal')!;
    const within = ours.filter((error, i) => Math.abs(error - theirs[i]) <= 0.1).length;
    expect(within / ours.length).toBeGreaterThanOrEqual(0.99);
    expect(rms(ours)).toBeLessThan(0.49);
    expect(rms(ours)).toBeLessThan(1.01 * rms(theirs));
    for (const condition of ['saturated', 'low_snr', 'dust', 'edge']) {
      const one = conditions.get(condition)!;
      expect(rms(one.ours), condition).toBeLessThan(rms(one.theirs));
    }
    const collateral = conditions.get('collateral_saturation')!;
    expect(rms(collateral.ours)).toBeLessThan(1.01 * rms(collateral.theirs));
  });

  test('fano: nowhere farther from the truth than the Python system, and right at the edge', async () => {
    const conditions = await compare('fano');
    for (const { condition, ours, theirs } of conditions.values()) {
      expect(rms(ours), condition).toBeLessThan(1.01 * rms(theirs));
    }
    const edge = conditions.get('edge')!;
    expect(rms(edge.theirs)).toBeGreaterThan(13);
    expect(rms(edge.ours)).toBeLessThan(1.5);
    expect(Math.max(...edge.ours.map(Math.abs))).toBeLessThan(5);
    const saturated = conditions.get('saturated')!;
    expect(rms(saturated.ours)).toBeLessThan(0.8 * rms(saturated.theirs));
  });

  test('gaussian, estimator roi: near the bound on all kinds of ROIs, with a true standard error', async () => {
    const conditions = await compare('gaussian', 'roi');
    // The bound is 0.234 px for normal ROIs of the noise of these frames.
    const limits = { normal: 0.27, dust: 0.27, saturated: 0.4, collateral_saturation: 0.34, low_snr: 0.6, edge: 1.2 };
    for (const [condition, limit] of Object.entries(limits)) {
      const { ours, ratios } = conditions.get(condition)!;
      expect(rms(ours), condition).toBeLessThan(limit);
      expect(rms(ratios), condition).toBeLessThan(1.3);
    }
    expect(rms(conditions.get('normal')!.ratios)).toBeGreaterThan(0.9);
  });

  test('fano, estimator roi: the Gaussian lines of the frame at the edge are taken for symmetric', async () => {
    const edge = (await compare('fano', 'roi')).get('edge')!;
    expect(rms(edge.ours)).toBeLessThan(1.2);
  });

  test.each([
    ['max_intensity', 2.3],
    ['centre', 0.65],
  ] as const)('%s: a result for every ROI of every frame', async (method, scatter) => {
    const conditions = await compare(method);
    for (const { ours } of conditions.values()) for (const error of ours) expect(Math.abs(error)).toBeLessThan(15);
    expect(rms(conditions.get('normal')!.ours)).toBeLessThan(scatter);
  });
});

test.each(['rows', 'roi'] as const)('a ROI of any size is named, and no memory is asked for it: %s', estimator => {
  const { pixels, rois } = frameOf([{ position: 50, amplitude: 1000 }]);
  const huge: Roi = { label: 'huge', flip: false, coords: [0, 0], size: [200_000, 200_000] };
  expect(() => analyse(pixels, [...rois, huge], { estimator })).toThrow(
    expect.objectContaining({ kind: 'roi_outside_frame', label: 'huge' }),
  );
});

test('a frame of another size than the ROI manifest was made for is refused before any of its ROIs is analysed', () => {
  const { pixels, rois } = frameOf([{ position: 60, amplitude: 900 }]);
  const madeFor = { width: cols, height: rows, chipType: 'A', scale: 1, offset: [0, 0], gratings: [] } as const;
  const made = (height: number) => ({ rois: { rois, imageAngle: 0, madeFor: { ...madeFor, height } } });
  expect(analyse(pixels, rois, made(rows)).analysed.rois).toBe(1);
  expect(() => analyse(pixels, rois, made(rows + 1))).toThrow(
    'the frame has 120×10 pixels; the ROI manifest was made for images of another size, 120×11',
  );
});
