import { describe, expect, it } from 'vitest';
import { inspectFrame } from '../../src/analysis/inspectRoi.ts';
import type { FrameAnalysis } from '../../src/analysis/roiPiece.ts';
import type { Pixels } from '../../src/model/frame.ts';
import { analysisMethods } from '../../src/model/method.ts';
import type { RoiResult } from '../../src/model/result.ts';
import { meanRow } from '../../src/model/roiInspection.ts';
import { analyseFrame } from '../world/analyseFrame.ts';

const [rows, cols] = [24, 120];

/** A Gaussian line (σ 12) at 50.3, with a little fixed structure, and these rows dead. */
function frame(dead: readonly number[] = []): Pixels {
  const data = Uint16Array.from({ length: rows * cols }, (_, i) => {
    const d = (i % cols) - 50.3;
    const structure = 3 * Math.sin(i * 12.9898 + (i >> 3));
    return dead.includes(Math.floor(i / cols)) ? 0 : Math.round(100 + 800 * Math.exp((-d * d) / 288) + structure);
  });
  return { width: cols, height: rows, depth: 16, data };
}

const job = (over: Partial<FrameAnalysis> = {}): FrameAnalysis => ({
  rois: { rois: [{ label: 'A', flip: false, coords: [0, 0], size: [rows, cols] }], imageAngle: 0 },
  method: 'gaussian',
  estimator: 'roi',
  numberOfSubRois: 0,
  keepValues: false,
  ...over,
});

describe('a ROI that is looked into', () => {
  it.each(analysisMethods.flatMap(method => (['rows', 'roi'] as const).map(estimator => [method, estimator] as const)))(
    'has the very numbers of the analysis: %s, %s',
    (method, estimator) => {
      const of = job({ method, estimator });
      const { result } = inspectFrame(frame([7]), of).inspect('A');
      const [, recorded] = JSON.parse(new TextDecoder().decode(analyseFrame(frame([7]), of).imageAnalysis)) as [
        unknown,
        RoiResult,
      ];
      expect(JSON.parse(JSON.stringify(result))).toEqual(recorded);
    },
  );

  it('says of each row where its line is, and of a rejected one why', () => {
    const { rows: found, result } = inspectFrame(frame([7, 8]), job()).inspect('A');
    expect(found).toHaveLength(rows);
    for (const { from, position, rejection, fit } of found) {
      if (from === 7 || from === 8)
        expect({ position, rejection, fit }).toEqual({ position: null, rejection: 'differing', fit: null });
      else expect(position).toBeCloseTo(50.3, 0);
    }
    expect(result.rows_rejected).toBe(2);
  });

  it.each(['gaussian', 'fano'] as const)('has the fitted line of each row, which is that of the pixels: %s', method => {
    const { rows: found, pixels } = inspectFrame(frame(), job({ method })).inspect('A');
    for (const { from, fit } of found) {
      const squares = fit!.reduce((sum, value, x) => sum + (value - pixels[from * cols + x]!) ** 2, 0);
      expect(Math.sqrt(squares / cols)).toBeLessThan(method === 'gaussian' ? 4 : 90);
    }
    const mean = meanRow({ roi: job().rois.rois[0]!, pixels, rows: found });
    expect(mean.measured[50]).toBeCloseTo(900, -1);
  });

  it('stands for several rows where these were averaged', () => {
    const { rows: found } = inspectFrame(frame(), job({ estimator: 'rows', numberOfSubRois: 6 })).inspect('A');
    expect(found.map(({ from, to }) => [from, to])).toEqual([0, 1, 2, 3, 4, 5].map(i => [4 * i, 4 * i + 4]));
  });

  it('shows no fit where there is no line, and says of every row why', () => {
    const flat: Pixels = { ...frame(), data: new Uint16Array(rows * cols).fill(300) };
    const { rows: found, result } = inspectFrame(flat, job()).inspect('A');
    expect(result.flags).toContain('lost');
    expect(found.every(({ rejection, fit }) => rejection !== null && fit === null)).toBe(true);
  });

  it('refuses a label that no ROI has', () => {
    expect(() => inspectFrame(frame(), job()).inspect('B')).toThrow('no ROI has the label "B"');
  });
});
