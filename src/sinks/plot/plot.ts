import { join } from 'node:path';
import type { Files } from '../../files/files.ts';
import { readBytes } from '../../files/readBytes.ts';
import { comparePositions, type SegmentPosition } from '../../files/segmentedFile.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';
import type { ResultLine } from '../../model/result.ts';
import type { Csv, CsvRow } from '../table/csv.ts';
import { roisOf, temperatureColumn, temperaturePrefix } from '../table/csvColumns.ts';
import { AxisClock } from './axisClock.ts';
import { drawInProcess, type PlotTask } from './plotProcess.ts';
import { type PlotFrame, PlotSeries } from './plotSeries.ts';

export interface PlotOptions {
  /** `results_dir`. */
  folder: string;
  files: Files;
  /** Heading of the picture. */
  title: string;
  /** The table that the plot shows; the series catches up from it after a restart. */
  csv: Pick<Csv, 'position' | 'rows'>;
  capacity?: number;
  /** Told when something is wrong that costs nothing but the plot or a reading of the table. */
  warn: (message: string) => void;
  /** How a task is drawn; for tests. */
  draw?: (task: PlotTask, options: { signal: AbortSignal }) => Promise<void>;
}

/**
 * `processed_data_plot.png` and the series behind it, `plot_series.bin`.
 *
 * The series is bounded and never reads the table again but after a crash, from where it was last saved. While it catches
 * up, results are not taken from `take` but from the table, in which they stand already.
 */
export interface Plot {
  /** Takes results whose rows are in the table. */
  take(results: readonly ResultLine[]): void;
  /**
   * Saves the series and draws. One drawing at a time: who asks meanwhile gets the next, which all who asked share.
   * @throws Error that says why there is no new picture.
   */
  render(): Promise<void>;
  /** Ends a drawing and the catching up; the series keeps what was saved at the last `render`. */
  close(): Promise<void>;
}

/** Opens the plot of a results folder; see {@link Plot}. Catches up in the background. */
export async function openPlot(options: PlotOptions): Promise<Plot> {
  const { folder, files, title, csv, capacity = 1024, warn, draw = drawInProcess } = options;
  const seriesPath = join(folder, 'plot_series.bin');
  const task: PlotTask = { seriesPath, picturePath: join(folder, 'processed_data_plot.png'), title };
  const stop = new AbortController();
  const series = await load();
  const clock = new AxisClock(series.origin);
  let live = false;
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  async function load(): Promise<PlotSeries> {
    try {
      if (!(await files.stat(seriesPath))) return new PlotSeries(capacity);
      const loaded = PlotSeries.from(await readBytes(files, seriesPath));
      if (loaded.position && comparePositions(loaded.position, csv.position()) > 0) {
        throw new Error('it goes further than the table');
      }
      return loaded;
    } catch (error) {
      warn(`${seriesPath}: ${(error as Error).message}; it is made again from the table`);
      return new PlotSeries(capacity);
    }
  }

  const caughtUp = catchUp().catch((error: unknown) => {
    warn(`The plot begins now; what came before could not be read: ${(error as Error).message}`);
    series.position = csv.position();
    live = true;
  });

  async function catchUp(): Promise<void> {
    const start: SegmentPosition = { segment: 0, length: 0 };
    while (!stop.signal.aborted) {
      const from = series.position ?? start;
      // Synchronous with the change to live: nothing can be appended between.
      if (comparePositions(from, csv.position()) >= 0) {
        live = true;
        return;
      }
      let image: CsvRow[] = [];
      let end = from;
      const takeImage = (): void => {
        const frame = frameOfRows(image, clock);
        if (frame) series.add(frame);
        series.method = image[0]?.method ?? series.method;
        series.position = end;
        image = [];
      };
      let labels = new Set<string>();
      for await (const { row, end: rowEnd } of csv.rows(from)) {
        if (stop.signal.aborted) return;
        // Images follow each other; a label that comes again begins the next, even at the same time.
        if (image.length > 0 && (row.timestamp !== image[0]?.timestamp || labels.has(row.label))) {
          takeImage();
          labels = new Set();
        }
        image.push(row);
        labels.add(row.label);
        end = rowEnd;
      }
      takeImage();
      // Only what is no row stands there (a segment's header, a foreign line): that is in as well.
      if (comparePositions(end, from) === 0) series.position = csv.position();
    }
  }

  async function renderOnce(): Promise<void> {
    await caughtUp;
    stop.signal.throwIfAborted();
    await writeAtomic(files, seriesPath, series.bytes());
    await draw(task, { signal: stop.signal });
  }

  function render(): Promise<void> {
    if (!running) {
      running = renderOnce().finally(() => {
        running = null;
      });
      return running;
    }
    const again = (): Promise<void> => {
      next = null;
      return render();
    };
    next ??= running.then(again, again);
    return next;
  }

  return {
    take(results) {
      if (!live) return;
      for (const result of results) {
        const frame = frameOf(result, clock);
        if (frame) series.add(frame);
        series.method = roisOf(result)[0]?.['Analysis-method'] ?? series.method;
      }
      series.position = csv.position();
    },

    render,

    async close() {
      stop.abort(new Error('The plot was closed'));
      await Promise.allSettled([running, next, caughtUp]);
    },
  };
}

function frameOf(result: ResultLine, clock: AxisClock): PlotFrame | null {
  const rois = roisOf(result);
  const { image_timestamp: local, image_timestamp_utc: utc, manifest_entry_timestamp: recorded } = result;
  const time = local === null ? clock.place(recorded, undefined) : clock.place(local, utc);
  if (rois.length === 0 || Number.isNaN(time)) return null;
  return {
    time,
    positions: rois.map(roi => [roi['ROI-label'], roi.position]),
    temperatures: Object.entries(result.temperature_readings ?? {}).map(([sensor, value]) => [
      sensorName(temperatureColumn(sensor)),
      value,
    ]),
  };
}

function frameOfRows(rows: readonly CsvRow[], clock: AxisClock): PlotFrame | null {
  const time = rows[0] ? clock.place(rows[0].timestamp, undefined) : Number.NaN;
  if (!rows[0] || Number.isNaN(time)) return null;
  return {
    time,
    positions: rows.map(({ label, position }) => [label, position]),
    temperatures: Object.entries(rows[0].temperatures).map(([column, value]) => [sensorName(column), value]),
  };
}

/** A sensor as both a result and the table can name it. */
function sensorName(column: string): string {
  return column.slice(temperaturePrefix.length).replaceAll('_', ' ');
}
