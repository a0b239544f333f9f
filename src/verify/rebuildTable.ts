import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, removeFile } from '../files/durableNames.ts';
import { SegmentedFile } from '../files/segmentedFile.ts';
import { splitLines } from '../files/splitLines.ts';
import { readEntries } from '../manifest/readEntries.ts';
import { type HeldStages, leasesFile, StageHeldError, takeStages } from '../manifest/stageLeases.ts';
import { utcIso } from '../model/localTime.ts';
import { type AnalysisMethod, methodParameters } from '../model/method.ts';
import { markMoved } from '../model/moved.ts';
import { counted } from '../model/quantity.ts';
import type { ResultLine, RoiFlag, RoiResult } from '../model/result.ts';
import { openCsvPlot } from '../sinks/communication/csvPlot.ts';
import { openResultsLog } from '../sinks/results/resultsLog.ts';
import { openCsv } from '../sinks/table/csv.ts';
import { temperaturePrefix } from '../sinks/table/csvColumns.ts';
import { parseCsvLine } from '../sinks/table/parseCsvLine.ts';
import { EntryLedger } from './entryLedger.ts';
import type { Inspection, RepairOptions } from './inspection.ts';
import { readHeaders, savedCells } from './tableColumns.ts';

/** Results that wait for an earlier image's: workers finish about in order, and so is the table. */
const windowLines = 32;
/** Results whose rows are written together. */
const batchLines = 16;

/**
 * Writes the table anew from the results that count and were reported, in their order but for neighbours, and has the plot
 * drawn from it. The new table is whole before it takes the old one's place; the old one is kept in `results/replaced_<time>`.
 * Cut short in between, the next `verify` finds the rows missing and does it again: the results have everything.
 *
 * Takes the communicator's place meanwhile; where one lives, nothing is done, and that is said.
 */
export async function rebuildTable(inspection: Inspection, options: RepairOptions): Promise<void> {
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
    options.onLeft(`the table is not written anew: ${error.message}`);
    return;
  }
  try {
    await writeAnew(inspection, options);
  } finally {
    await held.release();
  }
}

async function writeAnew(inspection: Inspection, options: RepairOptions): Promise<void> {
  const { paths, files, now } = inspection.options;
  const folder = join(paths.results, 'table_rebuild');
  await rm(folder, { recursive: true, force: true });
  const csv = await openCsv({ folder, files, sensors: options.sensors });
  let batch: ResultLine[] = [];
  let images = 0;
  let before: ResultLine | null = null;
  for await (const line of byTime(reportedLines(inspection, options), keptResults(inspection))) {
    batch.push(markMoved(before?.run_id === line.run_id ? before : null, line));
    before = line;
    images++;
    if (batch.length < batchLines) continue;
    await csv.append(batch);
    batch = [];
  }
  await csv.append(batch);

  const kept = join(paths.results, `replaced_${utcIso(now()).replaceAll(/[-:.]/g, '')}`);
  const old = new SegmentedFile(files, paths.results, 'communicating_results', 'csv');
  const fresh = new SegmentedFile(files, folder, 'communicating_results', 'csv');
  // Segments that the Python system has written stay; the new ones come behind them.
  const { python, foreign } = await readHeaders(old);
  const first = Math.max(-1, ...python) + 1;
  const move = async (from: SegmentedFile, segments: readonly number[], to: (segment: number) => string) => {
    for (const segment of segments) await from.move(segment, to(segment));
  };
  const replaced = (await old.segments()).filter(segment => !python.has(segment));
  if (replaced.length > 0) await makeFolder(files, kept);
  const aside = new SegmentedFile(files, kept, 'communicating_results', 'csv');
  await move(old, replaced, segment => aside.path(segment));
  await move(fresh, await fresh.segments(), segment => old.path(first + segment));
  if (foreign.size > 0 && inspection.keptTimes.size > 0)
    options.onLeft(
      `rows of ${counted(inspection.keptTimes.size, 'image')} whose result is lost: they may stand in ${kept}, in a file without a header, and are not in the new table`,
    );
  await rm(folder, { recursive: true, force: true });
  await removeFile(files, join(paths.results, 'plot_series.bin'));
  const plot = await openCsvPlot({
    folder: paths.results,
    files,
    title: options.title,
    sensors: options.sensors,
    alarm: (_key, message) => options.onLeft(`the plot: ${message}`),
    well: () => undefined,
  });
  try {
    await plot.recover([]);
    await plot.report([]);
    await plot.flush();
  } finally {
    await plot.close();
  }
  const stood = replaced.length > 0 ? `what stood there is kept in ${kept}` : 'nothing stood there';
  options.onMended(`${old.path(first)}: written anew from ${counted(images, 'result')}; ${stood}`);
}

/** An image that was brought back from the archive stands behind later ones in the manifest: its time says where it belongs. */
function isEarlier(one: { line: ResultLine; order: number }, other: { line: ResultLine; order: number }): boolean {
  const [a, b] = [timeOf(one.line), timeOf(other.line)];
  return a < b || (a === b && one.order < other.order);
}

const timeOf = (line: ResultLine): string => line.image_timestamp ?? line.manifest_entry_timestamp;

/** The lines that the table shows, each once, sorted within a window by the times of their images. */
async function* reportedLines({ options: given }: Inspection, options: RepairOptions): AsyncGenerator<ResultLine> {
  const { paths, files, liveness } = given;
  const ledger = new EntryLedger();
  let group = 0;
  for await (const { entries } of readEntries(options.manifest)) {
    let place = 0;
    for (const entry of entries) ledger.add(entry, place++ - group * 2 ** 32, liveness);
    group++;
  }
  const log = await openResultsLog({
    folder: paths.results,
    files,
    exclusive: options.lock(join(paths.results, 'processing_results')),
  });
  const window: { line: ResultLine; order: number }[] = [];
  const takeFirst = (): ResultLine => {
    let first = 0;
    for (let i = 1; i < window.length; i++) if (isEarlier(window[i]!, window[first]!)) first = i;
    return window.splice(first, 1)[0]!.line;
  };
  for await (const { line } of log.lines()) {
    const number = ledger.find(line.entry_id);
    const counts =
      number >= 0 &&
      ledger.status(number) === 'processed' &&
      ledger.isTransmitted(number) &&
      line.processing_successful &&
      line.attempt === ledger.attempt(number) &&
      ledger.countResult(number) === 1;
    if (!counts) continue;
    window.push({ line, order: ledger.order(number) });
    if (window.length > windowLines) yield takeFirst();
  }
  while (window.length > 0) yield takeFirst();
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
