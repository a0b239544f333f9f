import { describe, expect, it } from 'vitest';
import type { RoiInspection } from '../../../src/model/roiInspection.ts';
import { inspectionPicture, pictureHeight } from '../../../src/sinks/inspection/inspectionPicture.ts';

const inspection: RoiInspection = {
  roi: { label: 'A', flip: false, coords: [0, 0], size: [3, 4] },
  method: 'gaussian',
  estimator: 'roi',
  pixels: Float64Array.from({ length: 12 }, (_, i) => i),
  saturation: null,
  rows: [0, 1, 2].map(from => ({
    from,
    to: from + 1,
    position: from === 1 ? null : 1.5 + from,
    rejection: from === 1 ? 'differing' : null,
    fit: from === 1 ? null : Float64Array.of(1, 2, 3, 4),
  })),
  result: {
    'ROI-label': 'A',
    'Analysis-method': 'gaussian',
    position: 2,
    uncertainty: 0.1,
    rows_used: 2,
    rows_rejected: 1,
    flags: [],
  },
  reference: null,
};

describe('the picture of a ROI', () => {
  const image = { uri: 'data:a', black: 96, white: 1820.4 };
  const data = { inspection, title: 'A in image_1.png', words: ['one', 'two'], pixels: image, residuals: image };
  const seriesOf = (of: typeof data) => inspectionPicture(of).series as { data: unknown[]; xAxisIndex: number }[];

  it('marks the position of each used row, and the rejected ones at the border', () => {
    const [used, rejected] = seriesOf(data);
    expect(used!.data).toEqual([
      [1.5, 0.5],
      [3.5, 2.5],
    ]);
    expect(rejected!.data).toEqual([[0, 1.5]]);
  });

  it('draws the mean of the used rows and of their fits, and what is left', () => {
    const [measured, fit] = seriesOf(data).filter(({ xAxisIndex }) => xAxisIndex === 2);
    expect(measured!.data).toEqual([
      [0, 4],
      [1, 5],
      [2, 6],
      [3, 7],
    ]);
    expect(fit!.data).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
    const [left] = seriesOf(data).filter(({ xAxisIndex }) => xAxisIndex === 3);
    expect(left!.data).toEqual([0, 1, 2, 3].map(x => [x, 3]));
  });

  it('has the ratio only where the frame was compared, and says why not', () => {
    const titles = (of: typeof data): string => JSON.stringify(inspectionPicture(of).title);
    expect(titles(data)).toContain('There is no reference of this ROI');
    const ratio = {
      columns: Float64Array.of(1, 2),
      frame: Float64Array.of(1, 2),
      reference: Float64Array.of(1, 2),
      measured: Float64Array.of(0.1, Number.NaN),
      fitted: Float64Array.of(0.1, 0.2),
      usedShare: 1,
    };
    const reference = { hash: 'r', position: 2, positionError: 0.1, darkLevel: 90, ratio };
    const compared = { ...data, inspection: { ...inspection, reference } };
    expect(titles(compared)).toContain('ln(frame / reference)');
    const drawn = seriesOf(compared).filter(({ xAxisIndex }) => xAxisIndex === 5);
    expect(drawn.map(({ data: of }) => of)).toContainEqual([[1, 0.1]]);
    expect(pictureHeight({ ...data, words: ['one'] })).toBeLessThan(pictureHeight(data));
    expect(pictureHeight(data)).toBeLessThan(pictureHeight(compared));
  });

  it('says what black and white stand for, and has no axes where there is nothing', () => {
    const lost: RoiInspection = {
      ...inspection,
      rows: inspection.rows.map(row => ({ ...row, position: null, rejection: 'saturated', fit: null })),
      result: { ...inspection.result, position: null, uncertainty: null, rows_used: 0, flags: ['lost'] },
    };
    const { title, grid } = inspectionPicture({ ...data, inspection: lost, residuals: null });
    const words = JSON.stringify(title);
    expect(words).toContain('black 96 to white 1,820 counts');
    expect(words).toContain('No row has a fit');
    expect(words).toContain('No row has a position');
    expect(grid).toHaveLength(2);
  });
});
