import { expect, test } from 'vitest';
import { chipMap, multiples } from '../../../src/sinks/report/pictures/chipPictures.ts';
import { exposure, intervalPicture } from '../../../src/sinks/report/pictures/framePictures.ts';
import { type Look, robustRange, withUnit } from '../../../src/sinks/report/pictures/pictureParts.ts';
import { sensorgram } from '../../../src/sinks/report/pictures/sensorgram.ts';
import { countIntervals } from '../../../src/sinks/report/readReportData.ts';
import { sampleReport } from './sampleReport.ts';

const look: Look = { dark: false, font: 'DejaVu Sans', width: 1200, interactive: false };
const labels = Array.from({ length: 24 }, (_, i) => `${String(i).padStart(3, '0')}A_N`);

test('a few far values do not stretch a scale, and the scale says how many it leaves out', () => {
  const values = Float32Array.from({ length: 1000 }, (_, i) => (i < 3 ? 500 : Math.sin(i)));
  const range = robustRange([values, Float32Array.of(Number.NaN)]);
  expect(range).toMatchObject({ total: 1000, cut: 3 });
  expect(range.max).toBeLessThan(2);
  expect(robustRange([[0, 1, 2]])).toMatchObject({ cut: 0 });
});

test('a scale ends with the tick at or after the last value, and shows a constant between two', () => {
  expect(robustRange([[0, 1, 2, 6]])).toMatchObject({ min: 0, max: 6, step: 1 });
  expect(robustRange([[100, 4080]], 0.005, 4)).toMatchObject({ min: 0 });
  const constant = robustRange([[5, 5, 5]]);
  expect([constant.min < 5, constant.max > 5]).toEqual([true, true]);
  // One tick alone is near enough to be shown.
  expect(robustRange([[909.92, 909.9996]], 0.005, 4)).toMatchObject({ min: 905, max: 915, step: 5 });
});

test('shares are drawn from 0 to a round share that none is beyond', () => {
  const data = sampleReport(labels, (roi, i) => {
    if (i < 2) Object.assign(roi, { warning: 'lost', figures: { ...roi.figures, flagged: i === 0 ? 100 : 30 } });
  });
  const map = chipMap(data, look, 'flagged')!;
  expect(map.option.visualMap).toMatchObject({ min: 0, max: 100 });
  expect(map.notes.join(' ')).not.toContain('leaves out');
  const saturated = Float32Array.from({ length: 60 }, (_, at) => (at === 30 ? 0.6 : 0.1));
  const picture = exposure({ ...data, saturated }, look);
  expect(picture.option.yAxis).toContainEqual(
    expect.objectContaining({ name: 'Saturated / % of ROIs', min: 0, max: 1 }),
  );
  expect(picture.notes.join(' ')).not.toContain('leaves out');
});

test('a line leaves the picture for a value that lies beyond all measure, and has no place there', () => {
  const data = sampleReport(labels, ({ shifts }, i) => {
    if (i === 3) shifts[20] = 1e9;
  });
  const series = sensorgram(data, look).option.series as { name: string; data: [number, number | null][] }[];
  const values = series.find(({ name }) => name === 'ROI 003A_N')!.data.flatMap(([, value]) => value ?? []);
  expect(values).toHaveLength(60);
  expect([Math.max(...values) > 2, Math.max(...values) < 100]).toEqual([true, true]);
});

test('of a curve of many values only those without neighbours are points; a step with a long name is shortened', () => {
  const data = sampleReport(['a'], ({ shifts }) => {
    shifts[19] = shifts[21] = Number.NaN;
  });
  const text = 'ethanol of a long name that does not end before the picture does';
  const { option } = sensorgram({ ...data, marks: [{ time: data.times[30]!, text }] }, look);
  const [line] = option.series as { symbolSize: (point: readonly number[]) => number }[];
  expect([...data.times].flatMap((time, at) => (line!.symbolSize([time, 0]) > 0 ? [at] : []))).toEqual([20]);
  expect(JSON.stringify(option.series)).toMatch(/"ethanol of a long name [^"]*…"/);
});

test('of many ROIs the sensorgram has the median and band of the group, and a line of each that is picked', () => {
  const data = sampleReport([...labels, 'one more']);
  const named = (picks?: readonly number[]) =>
    (sensorgram(data, look, picks).option.series as { type: string; name?: string; data: unknown[] }[]).filter(
      ({ type, data }) => type === 'line' && data.length > 0,
    );
  expect(named().map(({ name }) => name)).toEqual(['all ROIs']);
  expect(named([2, 5]).map(({ name }) => name)).toEqual(['all ROIs', 'ROI 002A_N', 'ROI 005A_N']);
  const [group] = data.groups;
  const words = sensorgram({ ...data, groups: [group!, { ...group!, name: 'nobody', members: [] }] }, look).notes;
  expect(words.join(' ')).toContain('Groups that no ROI fits: nobody.');
});

test('values with a flag that makes them those of another thing are marks beside the line, and are told', () => {
  const data = sampleReport(['a', 'b'], ({ shifts, distrusted, flags }, i) => {
    if (i === 0) return;
    [shifts[7], distrusted[7], flags[7]] = [Number.NaN, 0.5, 0b1000];
  });
  const { option, notes } = sensorgram(data, look);
  const marks = (option.series as { type: string; data: unknown[] }[]).filter(({ type }) => type === 'scatter');
  expect(marks.map(({ data }) => data)).toEqual([[], [[data.times[7], 0.5]]]);
  expect(notes.join(' ')).toContain('two_peaks');
});

test('a map marks flagged ROIs, scales by the others, and says which lie beyond its colours', () => {
  const data = sampleReport(labels, (roi, i) => {
    if (i === 3)
      Object.assign(roi, { warning: 'two_peaks in 40 % of the images', figures: { ...roi.figures, shift: 70 } });
    if (i === 4) Object.assign(roi, { figures: {} });
  });
  const { notes, option } = chipMap(data, look, 'shift')!;
  expect((option.visualMap as { max: number }).max).toBeLessThan(2);
  const words = notes.join(' ');
  expect(words).toMatch(/leaves out 1 of 23 values \(003A_N\)/);
  expect(words).toMatch(/Without a colour: 1 ROI/);
  expect(words).toMatch(/Flagged: 1 of 24 ROIs \(003A_N: two_peaks in 40 % of the images\)/);
  expect(chipMap(data, look, 'sensitivity')).toBeNull();
});

test('the curves where the ROIs lie say their scale, and what it cuts', () => {
  const data = sampleReport(labels, ({ shifts }, i) => {
    if (i === 6) shifts[20] = 90;
  });
  expect(multiples(data, look).notes.join(' ')).toMatch(/leaves out 1 of 1,440 values \(1 ROI\)/);
});

test('without brightness in the series the picture says why', () => {
  const data = { ...sampleReport(labels), brightness: new Float32Array(60).fill(Number.NaN) };
  expect(exposure(data, look).notes.join(' ')).toContain('an earlier version');
});

test('intervals are counted, and a night without images does not squeeze them into one bin', () => {
  const intervals = Float64Array.from({ length: 2000 }, (_, i) => (i === 900 ? 8 * 3_600_000 : 5000 + (i % 40)));
  const counted = countIntervals(intervals)!;
  expect(counted).toMatchObject({ total: 2000, beyond: 1, longest: 28_800 });
  expect(counted.counts.reduce((sum, count) => sum + count)).toBe(1999);
  expect(counted.from + counted.width * counted.counts.length).toBeLessThan(6);
  expect(intervalPicture({ ...sampleReport(labels), intervals: counted }, look)!.notes.join(' ')).toContain(
    'leaves out 1 ',
  );
  expect(countIntervals(new Float64Array())).toBeNull();
});

test('a value has as many places as its error says anything about', () => {
  expect(withUnit(0.19384, 0.01042, 'px')).toBe('0.194 ± 0.010 px');
  expect(withUnit(-176.92, 22.3, 'px/RIU')).toBe('−177 ± 22 px/RIU');
  expect(withUnit(0.00048083, 6.02e-5, 'RIU')).toBe('0.000481 ± 0.000060 RIU');
  expect(withUnit(1.2341e-9, 2e-11, 'M')).toBe('1.234e−9 ± 2.0e−11 M');
  expect(withUnit(2.5, null, 'px')).toBe('2.5 px');
});
