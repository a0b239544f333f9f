import { once } from 'node:events';
import { join } from 'node:path';
import { pino } from 'pino';
import roll from 'pino-roll';
import {
  concat,
  concatMap,
  defer,
  filter,
  finalize,
  ignoreElements,
  interval,
  map,
  merge,
  type Observable,
  of,
  Subject,
  switchMap,
  takeUntil,
  tap,
} from 'rxjs';
import type { PipelineEvent } from '../model/event.ts';
import { utcIso } from '../model/localTime.ts';
import { sayOnce } from '../model/sayOnce.ts';
import { oneLine, shownJson } from '../model/shownText.ts';
import { eventLevel, eventWords } from './eventLines.ts';

export interface LogFileOptions {
  /** `logs_dir`, absolute. */
  folder: string;
  /** After so long a new file is begun, ms; the first value comes at once, a change begins a new file. */
  intervalMs$: Observable<number>;
  /** Told of each new reason why lines can't be written; they are dropped, it is tried again, the pipeline goes on. */
  onError: (error: Error) => void;
  /** Lines are written again. */
  onWell?: () => void;
}

/** Name of the files: `phorest.<when its span of time began>.<number>.log`; several processes append to the same ones. */
const baseName = 'phorest';
const dateFormat = 'yyyyMMdd_HHmm';
/** A file that has grown so large is followed by the next; the newest files are kept. */
const largestFile = '16m';
const keptFiles = 60;
/** Bytes that may wait for a slow disk; further lines are dropped. */
const mostWaiting = 4 * 2 ** 20;
/** Events that may wait for a file to be opened; further ones are dropped. */
const mostKept = 1_000;
/** A folder that can't be written to is tried again after so long, ms. */
const retryMs = 60_000;
/** A timer can't run longer than 24 days. */
const longestIntervalMs = 7 * 24 * 3600 * 1000;

type Destination = Awaited<ReturnType<typeof roll>>;

/**
 * Writes the events as JSON lines with pino: `{"level","time", <the event>, "pid","msg"}`. What happens for every item
 * besides its outcome (level `debug`) is left out.
 *
 * Emits nothing. Completes when the events have completed and all lines are written; errors only with the events.
 * Teardown writes what waits, and closes. Subscribe once.
 */
export function logFile(
  events$: Observable<PipelineEvent>,
  { folder, intervalMs$, onError, onWell }: LogFileOptions,
): Observable<never> {
  return defer(() => {
    const ended$ = new Subject<void>();
    let destination: Destination | null = null;
    /** Events that came while no file was open. */
    const waiting: PipelineEvent[] = [];
    const keep = (event: PipelineEvent): void => {
      if (waiting.length < mostKept) waiting.push(event);
    };
    let write = keep;
    let tornDown = false;

    const say = sayOnce(onError);
    let isFailing = false;
    const report = (error: Error): void => {
      isFailing = true;
      say(error);
    };
    const well = (): void => {
      if (!isFailing) return;
      isFailing = false;
      say(null);
      onWell?.();
    };
    const close = async (): Promise<void> => {
      const closing = destination;
      destination = null;
      write = keep;
      if (!closing || closing.destroyed) return;
      await new Promise<void>(resolve => {
        closing.once('close', resolve);
        // On a full disk what waits can't be written.
        closing.once('error', resolve);
        closing.end();
      });
    };
    const begin = async (intervalMs: number): Promise<void> => {
      await close();
      try {
        const opened = await openLog(folder, intervalMs);
        opened.on('error', report);
        // All that waited is written: a part of it may also go where there is no room for the rest.
        opened.on('drain', well);
        if (tornDown) return opened.end();
        destination = opened;
        write = lineWriter(opened);
        for (const event of waiting.splice(0)) write(event);
      } catch (error) {
        report(error as Error);
      }
    };
    const begins$ = intervalMs$.pipe(
      switchMap(ms =>
        merge(
          of(() => begin(ms)),
          interval(retryMs).pipe(map(() => async () => (destination === null ? begin(ms) : undefined))),
        ),
      ),
      takeUntil(ended$),
      concatMap(act => act()),
    );
    const writes$ = events$.pipe(
      filter(event => eventLevel(event) !== 'debug'),
      tap({
        next: event => {
          try {
            write(event);
          } catch (error) {
            report(error as Error);
          }
        },
        complete: () => ended$.next(),
      }),
    );
    return concat(merge(begins$, writes$), defer(close)).pipe(
      ignoreElements(),
      finalize(() => {
        tornDown = true;
        if (!destination || destination.destroyed) return;
        try {
          destination.flushSync();
        } catch (error) {
          report(error as Error);
        }
        destination.destroy();
      }),
    );
  });
}

/** @throws the file system's error when the file can't be opened: a destination without one would never close. */
async function openLog(folder: string, intervalMs: number): Promise<Destination> {
  const opened = await roll({
    file: join(folder, baseName),
    extension: '.log',
    frequency: Math.min(intervalMs, longestIntervalMs),
    dateFormat,
    size: largestFile,
    limit: { count: keptFiles, removeOtherLogFiles: true },
    mkdir: true,
    maxLength: mostWaiting,
  });
  try {
    await once(opened, 'ready');
    return opened;
  } catch (error) {
    opened.destroy();
    // It has nothing to close; this ends the timer that would open the next file.
    opened.emit('close');
    throw error;
  }
}

function lineWriter(destination: Destination): (event: PipelineEvent) => void {
  const logger = pino(
    {
      base: { pid: process.pid },
      timestamp: false,
      hooks: { streamWrite: shownJson },
      formatters: { level: label => ({ level: label === 'warn' ? 'warning' : label }) },
    },
    destination,
  );
  return event => {
    const level = eventLevel(event);
    const { at, level: _level, ...told } = event as PipelineEvent & { level?: unknown };
    logger[level === 'warning' ? 'warn' : level]({ time: utcIso(at), ...told }, oneLine(eventWords(event)));
  };
}
