import { join } from 'node:path';
import { comparePositions } from '../../files/segmentedFile.ts';
import { drawInProcess, type PlotTask } from '../plot/plotProcess.ts';
import { seriesFolder } from '../series/seriesReader.ts';
import { openCsv } from '../table/csv.ts';
import type { Communication, CommunicationOptions } from './communication.ts';

/** The first picture follows its results after so long, ms: a short replay is over by then and draws once. */
const firstPauseMs = 5_000;
/** Longest pause between attempts at a picture that fails, ms. */
const longestPauseMs = 300_000;
/** A new picture is drawn at most so often while results come, ms … */
const shortestPauseMs = 30_000;
/** … and drawing takes at most one part in so many of the time, however slow the machine. */
const drawingShare = 20;

/** What went wrong with the plot. */
const plotAlarm = 'plot';

export interface CsvPlotOptions extends CommunicationOptions {
  /** How a plot is drawn, and the pause between two; for tests. */
  draw?: (task: PlotTask, options: { signal: AbortSignal }) => Promise<void>;
  pauseMs?: number;
}

/**
 * `CSV_PLOT`: a table and a picture in the results folder.
 *
 * A report resolves when its rows are durable. The picture is drawn from the series. It follows by itself, now and then, in a process of
 * its own; `flush` waits for one that shows everything. A plot that fails is an alarm and fails no report.
 */
export async function openCsvPlot(options: CsvPlotOptions): Promise<Communication> {
  const {
    files,
    folder,
    title,
    sensors,
    alarm,
    well,
    segmentBytes,
    draw = drawInProcess,
    pauseMs = shortestPauseMs,
  } = options;
  const task = { series: seriesFolder(folder), picturePath: join(folder, 'processed_data_plot.png'), title };
  const stop = new AbortController();
  const csv = await openCsv({
    folder,
    files,
    sensors,
    onChanged: message => alarm('table', message),
    ...(segmentBytes ? { segmentBytes } : {}),
  });
  let timer: NodeJS.Timeout | null = null;
  let drawing: Promise<void> | null = null;
  /** There are results that no picture shows. */
  let behind = false;
  /** Drawings in a row that failed. */
  let failures = 0;

  /** Draws what there is; never rejects. Returns how long to rest afterwards, ms. */
  async function drawNow(): Promise<number> {
    behind = false;
    const begin = performance.now();
    try {
      await draw(task, { signal: stop.signal });
      if (failures > 0) well(plotAlarm);
      failures = 0;
    } catch (error) {
      behind = true;
      failures++;
      if (!stop.signal.aborted) alarm(plotAlarm, (error as Error).message);
    }
    const rest = Math.max(pauseMs, (performance.now() - begin) * (drawingShare - 1));
    return Math.min(rest * 2 ** failures, Math.max(rest, longestPauseMs));
  }

  function drawLater(pause: number): void {
    if (timer || drawing || stop.signal.aborted || !behind) return;
    timer = setTimeout(() => {
      timer = null;
      drawing = drawNow().then(rest => {
        drawing = null;
        drawLater(rest);
      });
    }, pause);
    timer.unref();
  }

  /** No drawing begins by itself until the next report; resolves when none runs. */
  async function settleDrawing(): Promise<void> {
    for (;;) {
      if (timer) clearTimeout(timer);
      timer = null;
      if (!drawing) return;
      await drawing;
    }
  }

  return {
    position: () => csv.position(),

    async recover(unsettled) {
      if (unsettled.length === 0) return new Set();
      const end = csv.position();
      const wholeSegment = { segment: end.segment, length: 0 };
      const from = unsettled
        .map(({ position }) => position ?? wholeSegment)
        .reduce((least, position) => (comparePositions(position, least) < 0 ? position : least), end);
      const complete = await csv.recover(
        from,
        unsettled.map(({ result }) => result),
      );
      behind = true;
      return complete;
    },

    async report(results) {
      await csv.append(results);
      behind = true;
      drawLater(firstPauseMs);
    },

    async flush() {
      await settleDrawing();
      if (behind) await drawNow();
    },

    async close() {
      stop.abort(new Error('The plot was closed'));
      await settleDrawing();
    },
  };
}
