/**
 * Draws the picture of a report that README.md shows, `docs/report.svg`: the sensorgram of a simulated run of 644 ROIs.
 *
 *     node scripts/reportPicture.ts
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFiles } from '../src/files/files.ts';
import { sensorgram } from '../src/sinks/report/pictures/sensorgram.ts';
import { readReportData } from '../src/sinks/report/readReportData.ts';
import { pictureSvg } from '../src/sinks/report/renderPicture.ts';
import { SeriesReader, seriesFolder } from '../src/sinks/series/seriesReader.ts';
import { longSeriesLevels, longSeriesStart, writeLongSeries } from '../test/world/longSeries.ts';

const images = 500;
const liquids = ['water', 'ethanol 10 %', 'ethanol 20 %', 'water'];
const folder = await mkdtemp(join(tmpdir(), 'phorest-report-'));
try {
  await writeLongSeries(folder, images, 0);
  const series = await SeriesReader.look(nodeFiles, seriesFolder(folder));
  const { pictures } = await readReportData(series, {
    span: { from: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY },
    rois: [],
    groups: [
      { name: 'sensing', patterns: ['*A_*'] },
      { name: 'reference', patterns: ['*B_*'] },
    ],
    steps: longSeriesLevels.map(({ from }, i) => ({
      time: new Date(longSeriesStart + from * images * 5000).toISOString().slice(0, 19),
      liquid: liquids[i] as string,
    })),
    layout: null,
    quantities: { windowFrames: 32, sensor: '', zero: null, alarmSigmas: 0, key: '' },
    results: folder,
  });
  const look = { dark: false, font: 'DejaVu Sans', width: 1000, interactive: false };
  const picks = [3, 4];
  const svg = pictureSvg(
    sensorgram(pictures, look, picks),
    'A simulated run of 644 ROIs; one in twenty flips between two peaks',
    look,
  );
  await writeFile(join(import.meta.dirname, '..', 'docs', 'report.svg'), `${svg}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
