import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../files/durableNames.ts';
import { moveFile } from '../files/moveFile.ts';
import { SegmentedFile } from '../files/segmentedFile.ts';
import { splitLines } from '../files/splitLines.ts';
import { readEntries } from '../manifest/readEntries.ts';
import { type HeldStages, leasesFile, StageHeldError, takeStages } from '../manifest/stageLeases.ts';
import { utcIso } from '../model/localTime.ts';
import { type AnalysisMethod, methodParameters } from '../model/method.ts';
import { counted } from '../model/quantity.ts';
import type { ResultLine, RoiFlag, RoiResult } from '../model/result.ts';
import { drawInProcess } from '../sinks/plot/plotProcess.ts';
import { openResultsLog } from '../sinks/results/resultsLog.ts';
import { seriesFolder } from '../sinks/series/seriesReader.ts';
import { SeriesWriter } from '../sinks/series/seriesWriter.ts';
import { openCsv } from '../sinks/table/csv.ts';
import { temperaturePrefix } from '../sinks/table/csvColumns.ts';
import { parseCsvLine } from '../sinks/table/parseCsvLine.ts';
import type { Inspection, RepairOptions } from './inspection.ts';
import { reportedLines, timeOf, withMoves } from './reportedLines.ts';
import { readHeaders, savedCells } from './tableColumns.ts';

/** Results whose rows are written together. */
const batchLines = 16;

/**
 * Writes the series, and the table where it is wrong, anew from the results that count and were reported, in their order but for neighbours, and
 * has the plot drawn. What is new is whole before it takes the old one's place; the old one is kept in `results/replaced_<time>`.
 * Cut short in between, the next `verify` finds the rows missing and does it again: the results have everything.
 *
 * Takes the communicator's place meanwhile; where one lives, nothing is done, and that is said.
 */
export async function rebuildReports(inspection: Inspection, options: RepairOptions): Promise<void> {
  const { paths, files, liveness } = inspection.options;
  let held: HeldStages;
  try {
    held = await takeStages(['communicator'], {
      folder: paths.flags,
      files,
      exclusive: options.lock(leasesFile(paths.flags)),
      own: options.own,
      liveness,
    });
  } catch (error) {
    if (!(error instanceof StageHeldError)) throw error;
    options.onLeft(`table and series are not written anew: ${error.message}`);
    return;
  }
  try {
    await writeAnew(inspection, options);
  } finally {
    await held.release();
  }
}

async function writeAnew(inspection: Inspection, options: RepairOptions): Promise<void> {
  const { repairs, options: given } = inspection;
  const { paths, files, now, liveness } = given;
  const { sensors, title } = options;
  const newTable = join(paths.results, 'table_rebuild');
  const newSeries = join(paths.results, 'series_rebuild');
  for (const folder of [newTable, newSeries]) await rm(folder, { recursive: true, force: true });
  const csv = repairs.table ? await openCsv({ folder: newTable, files, sensors }) : null;
  const warn = (message: string): void => options.onLeft(`the series: ${message}`);
  const series = await SeriesWriter.open({ folder: newSeries, files, sensors, warn });
  const log = await openResultsLog({
    folder: paths.results,
    files,
    exclusive: options.lock(join(paths.results, 'processing_results')),
  });
  const reported = await reportedLines({ entries: readEntries(options.manifest), lines: log.lines(), liveness });
  let images = 0;
  let batch: ResultLine[] = [];
  const write = async (): Promise<void> => {
    await csv?.append(batch);
    await series.append(batch);
    batch = [];
  };
  for await (const line of withMoves(byTime(reported, keptResults(inspection)))) {
    images++;
    if (batch.push(line) === batchLines) await write();
  }
  await write();
  await series.finish();

  const kept = join(paths.results, `replaced_${utcIso(now()).replaceAll(/[-:.]/g, '')}`);
  const from = `written anew from ${counted(images, 'result')}`;
  if (csv) {
    const { path, stood } = await placeTable(inspection, newTable, kept, options);
    options.onMended(`${path}: ${from}; ${stood ? `what stood there is kept in ${kept}` : 'nothing stood there'}`);
  }
  const folder = seriesFolder(paths.results);
  if (await files.stat(folder)) {
    await makeFolder(files, kept);
    await moveFile(files, folder, seriesFolder(kept));
  }
  await moveFile(files, newSeries, folder);
  if (repairs.series) options.onMended(`${folder}: ${from}`);
  for (const folder of [newTable, newSeries]) await rm(folder, { recursive: true, force: true });
  const picturePath = join(paths.results, 'processed_data_plot.png');
  await drawInProcess({ series: seriesFolder(paths.results), picturePath, title }).catch((error: unknown) =>
    options.onLeft(`the plot: ${(error as Error).message}`),
  );
}

/** Puts a new table in the place of the old one, which is kept; says where, and whether there was one. */
async function placeTable(
  { options: { paths, files }, keptTimes }: Inspection,
  folder: string,
  kept: string,
  options: RepairOptions,
): Promise<{ path: string; stood: boolean }> {
  const old = new SegmentedFile(files, paths.results, 'communicating_results', 'csv');
  const fresh = new SegmentedFile(files, folder, 'communicating_results', 'csv');
  // Segments that the Python system has written stay; the new ones come behind them.
  const { python, foreign } = await readHeaders(old);
  const first = Math.max(-1, ...python) + 1;
  const move = async (from: SegmentedFile, segments: readonly number[], to: (segment: number) => string) => {
    for (const segment of segments) {
      for (const suffix of ['', '.gz']) {
        const path = `${from.path(segment)}${suffix}`;
        if (await files.stat(path)) await moveFile(files, path, `${to(segment)}${suffix}`);
      }
    }
  };
  const replaced = (await old.segments()).filter(segment => !python.has(segment));
  if (replaced.length > 0) await makeFolder(files, kept);
  const aside = new SegmentedFile(files, kept, 'communicating_results', 'csv');
  await move(old, replaced, segment => aside.path(segment));
  await move(fresh, await fresh.segments(), segment => old.path(first + segment));
  if (foreign.size > 0 && keptTimes.size > 0)
    options.onLeft(
      `rows of ${counted(keptTimes.size, 'image')} whose result is lost: they may stand in ${kept}, in a file without a header, and are not in the new table`,
    );
  return { path: old.path(first), stood: replaced.length > 0 };
}

/**
 * Rows whose result is gone and can't be made again, as the results that they were made from, as far as rows tell. In the order of the
 * table.
 */
async function* keptResults({ options: { files, paths }, keptTimes }: Inspection): AsyncGenerator<ResultLine> {
  if (keptTimes.size === 0) return;
  const table = new SegmentedFile(files, paths.results, 'communicating_results', 'csv');
  const { own, saved } = await readHeaders(table);
  for (const [segment, columns] of [...own, ...saved]) {
    let rows: Record<string, string>[] = [];
    for await (const { bytes, terminated } of splitLines(table.read(segment))) {
      if (!terminated || bytes === null) continue;
      const cells = own.has(segment) ? parseCsvLine(bytes.toString()) : savedCells(bytes.toString());
      const row = Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? '']));
      if (rows.length > 0 && rows[0]!.timestamp !== row.timestamp) {
        yield resultOfRows(columns, rows);
        rows = [];
      }
      if (keptTimes.has(row.timestamp ?? '')) rows.push(row);
    }
    if (rows.length > 0) yield resultOfRows(columns, rows);
  }
}

function resultOfRows(columns: readonly string[], rows: readonly Record<string, string>[]): ResultLine {
  const number = (cell: string | undefined): number | null => (cell === undefined || cell === '' ? null : Number(cell));
  const first = rows[0]!;
  const sensors = columns.filter(column => column.startsWith(temperaturePrefix));
  const rois = rows.map(row => {
    const parameters = methodParameters[row['Analysis-method'] as AnalysisMethod] ?? [];
    const medians = parameters.map(name => [name, row[name] === '' ? null : { Median: Number(row[name]) }]);
    return {
      'ROI-label': (row['ROI-label'] ?? '').replace(/^'(?=[=+\-@\t])/, ''),
      'Analysis-method': row['Analysis-method'] as AnalysisMethod,
      ...Object.fromEntries(medians),
      position: number(row.position),
      uncertainty: number(row.uncertainty),
      flags: (row.flags ?? '').split(';').filter(flag => flag !== '') as RoiFlag[],
    } as RoiResult;
  });
  return {
    image_timestamp: first.timestamp!,
    image_filename: first.image_filename || null,
    processing_successful: true,
    temperature_readings: Object.fromEntries(
      sensors.map(column => [column.slice(temperaturePrefix.length), number(first[column])]),
    ),
    image_analysis: [{ brightness: 0, contrast: 0 }, ...rois],
  } as ResultLine;
}

/** Both, put together by the times of their images; each keeps its own order. */
async function* byTime(one: AsyncGenerator<ResultLine>, other: AsyncGenerator<ResultLine>): AsyncGenerator<ResultLine> {
  let kept = await other.next();
  for await (const line of one) {
    for (; !kept.done && timeOf(kept.value) < timeOf(line); kept = await other.next()) yield kept.value;
    yield line;
  }
  for (; !kept.done; kept = await other.next()) yield kept.value;
}
