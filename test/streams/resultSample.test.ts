import { describe, expect, it } from 'vitest';
import type { ResultLine, RoiResult } from '../../src/model/result.ts';
import { composeResultLine } from '../../src/sinks/results/composeResultLine.ts';
import { readResultSample } from '../../src/streams/console/resultSample.ts';
import { sampleResult } from '../sinks/sampleResult.ts';

/** The line as the pipeline writes it. */
function written({ image_analysis, ...head }: ResultLine): Buffer {
  return Buffer.from(composeResultLine(head, image_analysis && Buffer.from(JSON.stringify(image_analysis))));
}

const labels = ['001A_N', '001A_S', 'Gitter µ "quoted" \\', '{"ROI-label":"odd', 'x","position":5,"uncertainty":1'];
const taken = new Date(2025, 7, 12, 13, 45, 0).getTime() + 352.591;

/** What parsing the line says, by another way than the one that is tested. */
function parsed(line: Buffer): { labels: string[]; positions: number[] } {
  const { image_analysis } = JSON.parse(line.toString()) as ResultLine;
  const rois = image_analysis!.slice(1) as { 'ROI-label': string; position: number | null }[];
  return { labels: rois.map(roi => roi['ROI-label']), positions: rois.map(({ position }) => position ?? Number.NaN) };
}

describe('the sample of a result line', () => {
  it.each([
    ['plain labels', labels.slice(0, 2)],
    ['labels that look like the line around them', labels],
    ['one ROI', ['a']],
  ])('has time, positions and temperatures: %s', (_, names) => {
    const line = written(
      sampleResult({
        labels: names,
        position: index => (index === 1 ? null : 100.125 * (index + 1)),
        temperatures: { 'Sensor 1': 21.5, 'Sensor "2"': null, image_analysis: 3 },
      }),
    );
    const sample = readResultSample(line);
    expect(sample).toMatchObject({ ...parsed(line), positions: expect.anything() });
    expect([...sample!.positions]).toEqual(parsed(line).positions);
    expect(sample!.at).toBeCloseTo(taken, 3);
    expect(sample!.temperatures).toEqual({ 'Sensor 1': 21.5, image_analysis: 3 });
    expect(readResultSample(line.subarray(0, -1))).toEqual(sample);
  });

  it('takes no value of a row, and no position of a parameter, for that of a ROI', () => {
    const result = sampleResult({ labels: ['a', 'b'], position: 7 });
    for (const roi of result.image_analysis!.slice(1)) {
      Object.assign((roi as RoiResult).mu as object, { Values: [1, 2, 3], position: 999 });
    }
    expect([...readResultSample(written(result))!.positions]).toEqual([7, 7]);
    for (const roi of result.image_analysis!.slice(1) as { position?: number }[]) delete roi.position;
    expect([...readResultSample(written(result))!.positions]).toEqual([Number.NaN, Number.NaN]);
  });

  it('reads lines in any other form too', () => {
    const line = written(sampleResult({ labels: ['a', 'b'], position: index => index }));
    const other = Buffer.from(JSON.stringify(JSON.parse(line.toString()), null, 1).replaceAll('\n', ' '));
    expect(readResultSample(other)).toEqual(readResultSample(line));
  });

  it('takes the time of the entry when the image has none', () => {
    const line = written({ ...sampleResult(), image_timestamp: null });
    expect(readResultSample(line)?.at).toBeCloseTo(new Date(2026, 10, 22, 6, 35, 50).getTime() + 524.653, 3);
    expect(readResultSample(written({ ...sampleResult(), image_timestamp: null, manifest_entry_timestamp: 'x' }))).toBe(
      null,
    );
  });

  it('is null for a failed result, a torn line, any cut of one that another follows, and what is none', () => {
    expect(readResultSample(written(sampleResult({ failed: true })))).toBeNull();
    expect(readResultSample(Buffer.from('null\n'))).toBeNull();
    expect(readResultSample(Buffer.from('\n'))).toBeNull();
    expect(readResultSample(Buffer.from('{"image_analysis":[5,null]}'))).toBeNull();
    const line = written(sampleResult({ labels: ['a', 'b'], temperatures: { T: 1 } }));
    for (let end = 1; end < line.length - 2; end++) {
      expect(readResultSample(line.subarray(0, end))).toBeNull();
      expect(readResultSample(Buffer.concat([line.subarray(0, end), line]))).toBeNull();
    }
  });
});
