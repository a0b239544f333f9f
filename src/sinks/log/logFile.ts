import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
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
  repeat,
  Subject,
  switchMap,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import sonicBoom from 'sonic-boom';
import { makeFolder, removeFile, trimPlace } from '../../files/durableNames.ts';
import { type Files, nodeFiles, openItselfSync } from '../../files/files.ts';
import type { PipelineEvent } from '../../model/event.ts';
import { localIso, utcIso } from '../../model/localTime.ts';
import { sayOnce } from '../../model/sayOnce.ts';
import { oneLine, shownJson } from '../../model/shownText.ts';
import { countMissed } from './countMissed.ts';
import { eventLevel, eventWords } from './eventLines.ts';

export interface LogFileOptions {
  /** `logs_dir`, absolute. */
  folder: string;
  /** Those of the experiment: no folder is made while its disk is away. */
  files?: Files;
  /** After so long a new file is begun, ms; the first value comes at once, a change begins a new file. */
  intervalMs$: Observable<number>;
  /** Told of each new reason why lines can't be written; they are dropped, it is tried again, the pipeline goes on. */
  onError: (error: Error) => void;
  /** Lines are written again. */
  onResolved?: () => void;
}

/** Name of the files: `phorest.<when its span of time began>.<number>.log`; several processes append to the same ones. */
const nameOf = (span: string, number: number): string => `phorest.${span}.${number}.log`;
const namePattern = /^phorest\.(\d{8}_\d{4})\.(\d+)\.log$/;
/** A file that has grown so large is followed by the next, bytes; the newest files are kept. */
const largestFile = 16 * 2 ** 20;
const keptFiles = 60;
/** Bytes that may wait for a slow disk; further lines are dropped. */
const maxWaiting = 4 * 2 ** 20;
/** Events that may wait for a file to be opened; further ones are dropped. */
const maxKept = 1_000;
/** A folder that can't be written to is tried again after so long, ms. */
const retryMs = 60_000;
/** A timer can't run longer than 24 days. */
const longestIntervalMs = 7 * 24 * 3600 * 1000;

/** Its types leave this out. */
type Destination = sonicBoom.SonicBoom & { readonly destroyed: boolean };

/** A file of the log, and the place of its name among the others. */
interface LogSpan {
  span: string;
  number: number;
}

/**
 * Writes the events as JSON lines with pino: `{"level","time", <the event>, "pid","msg"}`. What happens for every item
 * besides its outcome (level `debug`) is left out.
 *
 * Emits nothing. Completes when the events have completed and all lines are written; errors only with the events.
 * Teardown writes what waits, and closes. Subscribe once.
 */
export function logFile(
  events$: Observable<PipelineEvent>,
  { folder, files = nodeFiles, intervalMs$, onError, onResolved }: LogFileOptions,
): Observable<never> {
  return defer(() => {
    const ended$ = new Subject<void>();
    let destination: Destination | null = null;
    let last: LogSpan | null = null;
    const full$ = new Subject<void>();
    /** Events that came while no file was open. */
    const waiting: PipelineEvent[] = [];
    const keep = (event: PipelineEvent): void => {
      if (waiting.length < maxKept) waiting.push(event);
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
      onResolved?.();
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
    const begin = async (intervalMs: number, isNext: boolean): Promise<void> => {
      await close();
      try {
        await makeFolder(files, folder);
        const before = isNext ? last : null;
        last = await nextSpan(folder, Date.now() - (Date.now() % intervalMs), before);
        const path = join(folder, nameOf(last.span, last.number));
        await trimPlace(nodeFiles, path);
        const opened = openLog(path);
        opened.on('error', report);
        let size = (await stat(path)).size;
        opened.on('write', (written: number) => {
          size += written;
          if (size - written < largestFile && size >= largestFile) full$.next();
        });
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
      map(ms => Math.min(ms, longestIntervalMs)),
      switchMap(ms =>
        merge(
          of(() => begin(ms, false)),
          interval(retryMs).pipe(map(() => async () => (destination === null ? begin(ms, false) : undefined))),
          merge(full$, defer(() => timer(ms - (Date.now() % ms))).pipe(repeat())).pipe(
            map(() => () => begin(ms, true)),
          ),
        ),
      ),
      takeUntil(ended$),
      concatMap(act => act()),
    );
    const writes$ = events$.pipe(
      filter(event => eventLevel(event) !== 'debug'),
      countMissed(),
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

/**
 * The next file: that of the span of time, the one after `before` where this is still its span. At first the newest one
 * there is, which other processes may be writing to. Removes the oldest files.
 */
async function nextSpan(folder: string, begin: number, before: LogSpan | null): Promise<LogSpan> {
  const found = (await readdir(folder)).flatMap((name): LogSpan[] => {
    const [, span, number] = namePattern.exec(name) ?? [];
    return span === undefined ? [] : [{ span, number: Number(number) }];
  });
  found.sort((a, b) => a.span.localeCompare(b.span) || a.number - b.number);
  const oldest = found.slice(0, Math.max(0, found.length - keptFiles));
  // Another process may have been faster.
  await Promise.allSettled(oldest.map(({ span, number }) => removeFile(nodeFiles, join(folder, nameOf(span, number)))));
  const span = localIso(begin).slice(0, 16).replaceAll(/[-:]/g, '').replace('T', '_');
  if (before) return { span, number: before.span === span ? before.number + 1 : 1 };
  return { span, number: found.findLast(each => each.span === span)?.number ?? 1 };
}

/** @throws the file system's error when the file can't be opened: a destination without one would never close. */
function openLog(path: string): Destination {
  // The library would go through a link of that name, and wait for a pipe's other end: it gets what is open already.
  return new sonicBoom.SonicBoom({ fd: openItselfSync(path, 'a'), maxLength: maxWaiting }) as Destination;
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
    const { at, level: _level, ...rest } = event as PipelineEvent & { level?: unknown };
    logger[level === 'warning' ? 'warn' : level]({ time: utcIso(at), ...rest }, oneLine(eventWords(event)));
  };
}
