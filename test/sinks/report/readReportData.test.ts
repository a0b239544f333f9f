import { expect, test } from 'vitest';
import type { RoiResult } from '../../../src/model/result.ts';
import { warnedWords } from '../../../src/sinks/report/pictures/pictureParts.ts';
import { type ReportWish, readReportData } from '../../../src/sinks/report/readReportData.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { sampleResult } from '../sampleResult.ts';
import { writeSeries } from '../series/writeSeries.ts';

const minute = 60_000;
const hour = 60 * minute;
const clock = (ms: number): string => new Date(ms).toISOString().slice(0, 23);

const wish: ReportWish = {
  span: { from: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY },
  rois: [],
  groups: [{ name: 'all', patterns: [] }],
  steps: [],
  layout: null,
  quantities: { windowFrames: 16, sensor: '', zero: null, alarmSigmas: 0, key: '' },
  results: '/nowhere',
};

test('where the clock is set back during a run, images, steps and the end of the run stand on one axis of the first zone', async () => {
  // The clocks of Berlin go back at 1 h UTC.
  const start = Date.UTC(2026, 9, 25, 0);
  const localOf = (utc: number): number => utc + (utc < Date.UTC(2026, 9, 25, 1) ? 2 : 1) * hour;
  const images = Array.from({ length: 24 }, (_, n) => {
    const utc = start + n * 10 * minute;
    return {
      ...sampleResult({ id: `E${n}`, labels: ['a'], shift: n }),
      image_timestamp: clock(localOf(utc)),
      image_timestamp_utc: new Date(utc).toISOString(),
    };
  });
  const marked = start + 2 * hour;
  const { pictures } = await readReportData(await writeSeries(new FaultyFiles(), '/series', images), {
    ...wish,
    steps: [{ time: clock(localOf(marked)).slice(0, 19), liquid: 'ethanol', refractive_index: 1.3379999999999999 }],
  });
  const { times, zone, marks, first, last } = pictures;
  expect([...times]).toEqual(images.map((_, n) => start + 2 * hour + n * 10 * minute));
  expect([zone, first, last]).toEqual(['UTC+2', times[0], times[23]]);
  expect(marks).toEqual([{ time: marked + 2 * hour, text: 'ethanol, n 1.338' }]);
});

test('a jump of all ROIs, as a step makes it, is no fault of any', async () => {
  const labels = Array.from({ length: 9 }, (_, i) => `r${i}`);
  const images = Array.from({ length: 50 }, (_, n) => {
    const line = sampleResult({ id: `E${n}`, labels, shift: 0, timestamp: clock(Date.UTC(2026, 0, 5) + n * minute) });
    for (const roi of line.image_analysis!.slice(1) as RoiResult[]) if (n % 5 === 3) roi.flags = ['moved'];
    return line;
  });
  const { pictures } = await readReportData(await writeSeries(new FaultyFiles(), '/series', images), wish);
  expect(pictures.badFrames).toMatchObject({ count: 0, flags: [] });
  expect(pictures.rois.map(({ warning, figures }) => [warning, figures.flagged])).toEqual(labels.map(() => [null, 0]));
});

test('a frame in which most ROIs have a flag marks none of them, and is told; a ROI that has one by itself is marked', async () => {
  const labels = Array.from({ length: 9 }, (_, i) => `r${i}`);
  const images = Array.from({ length: 50 }, (_, n) => {
    const line = sampleResult({ id: `E${n}`, labels, shift: 0, timestamp: clock(Date.UTC(2026, 0, 5) + n * minute) });
    for (const roi of line.image_analysis!.slice(1) as RoiResult[]) {
      if (n % 10 === 3) roi.flags = ['lost'];
      else if (roi['ROI-label'] === 'r4' && n % 5 === 0) roi.flags = ['two_peaks'];
    }
    return line;
  });
  const { pictures } = await readReportData(await writeSeries(new FaultyFiles(), '/series', images), wish);
  const { rois, badFrames } = pictures;
  expect(badFrames).toEqual({ count: 5, of: 50, flags: ['lost'] });
  expect(rois.flatMap(({ label, warning }) => (warning === null ? [] : [[label, warning]]))).toEqual([
    ['r4', 'two_peaks in 22 % of the images'],
  ]);
  expect(rois.map(({ figures }) => figures.flagged)).toEqual(labels.map((_, i) => (i === 4 ? 30 : 10)));
  expect(warnedWords(pictures).join(' ')).toMatch(
    /Flagged: 1 of 9 ROIs \(r4: two_peaks in 22 %.* In 5 of 50 images .* \(lost\)/,
  );
});
