import { expect, it } from 'vitest';
import { openCommunications } from '../../../src/sinks/communication/openCommunications.ts';
import { SeriesReader } from '../../../src/sinks/series/seriesReader.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { sampleResult } from '../sampleResult.ts';
import { idsIn } from '../series/writeSeries.ts';

const folder = '/results';
const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(id => sampleResult({ id })) as [never, never, never, never];

async function begin(files: FaultyFiles) {
  const told: string[] = [];
  const { promise: filled, resolve } = Promise.withResolvers<void>();
  const reports = await openCommunications(['CSV_PLOT'], {
    files,
    folder,
    title: 'Run',
    sensors: [],
    alarm: (key, message) => told.push(`${key}: ${message}`),
    well: () => undefined,
    note: message => {
      told.push(message);
      if (message.includes('is complete')) resolve();
    },
    reported: async () =>
      (async function* () {
        yield* [a, b];
      })(),
  });
  return { reports, told, filled };
}
const series = async (files: FaultyFiles) => idsIn(await SeriesReader.look(files, `${folder}/series`));

it('what a crash has kept from the series is added when it is found in the table', async () => {
  const files = new FaultyFiles();
  const { reports } = await begin(files);
  await reports.report([a]);
  files.plan = ({ path }) => (path.endsWith('rows.bin') ? { stop: true, applied: 0 } : null);
  const position = reports.position();
  await expect(reports.report([b])).rejects.toThrow('stopped');
  const next = files.afterCrash('kill');
  const again = await begin(next);
  expect(await series(next)).toEqual(['a']);
  const there = await again.reports.recover([
    { result: b, position },
    { result: c, position },
  ]);
  expect([...there]).toEqual([b]);
  await again.reports.report([c]);
  expect(await series(next)).toEqual(['a', 'b', 'c']);
  await again.reports.close();
});

it('an experiment of an earlier version gets its series beside the reports, and loses the file of its plot', async () => {
  const files = new FaultyFiles();
  const { reports } = await begin(files);
  await reports.report([a, b]);
  for (const path of files.paths()) if (path.includes('series/')) files.drop(path);
  files.put('/results/plot_series.bin', 'of yesterday');
  const next = files.afterCrash('kill');
  const { reports: later, told, filled } = await begin(next);
  await later.report([c, d]);
  await filled;
  await later.close();
  expect(told).toEqual([
    '/results/series lacks what was reported before: it is made from the results, beside all else',
    '/results/series is complete: 2 images of before were added',
  ]);
  expect(new Set(await series(next))).toEqual(new Set(['a', 'b', 'c', 'd']));
  expect(next.paths()).not.toContain('/results/plot_series.bin');
});
