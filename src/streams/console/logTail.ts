import { auditTime, concat, defer, exhaustMap, filter, type Observable, type SchedulerLike } from 'rxjs';
import { type Files, nodeFiles } from '../../files/files.ts';
import type { LogLine } from '../../model/logLine.ts';
import { sayOnce } from '../../model/sayOnce.ts';
import { touched$, watched$ } from '../watched/touched.ts';
import { LogReader } from './logReader.ts';

export interface LogTailOptions {
  /** `logs_dir`, absolute. Need not be there yet. */
  readonly folder: string;
  /** First part of the files' names: `<name>.<number>.log`, or `<name>.<date>.<number>.log`. */
  readonly name?: string;
  /** Lines of the past, at most. */
  readonly maxLines?: number;
  /** Told once of each reason why the log can't be read or watched; it goes on. */
  readonly onError: (error: Error) => void;
}

export interface LogTailDeps {
  readonly files: Files;
  /** Emits when something happens to a file in the folder, or the folder comes; fails when it can't be watched. */
  readonly touched: (folder: string) => Observable<void>;
  readonly scheduler?: SchedulerLike;
}

/**
 * Lines are collected for so long before they are read, ms. It also covers what a watcher leaves out: it tells of a burst
 * within 5 ms only once.
 */
const collectMs = 250;

/**
 * The pipeline's log, of all its processes and through all its files: first the last lines of the past (none while there is no
 * log), then new lines as they come, at most four times a second.
 *
 * Cold. Each emission is in order of time. Lines that are no log lines are passed over, and of a flood the last ones are read.
 * Never completes, never errors. Teardown closes the watcher and the timers.
 */
export function logTail$(
  { folder, name = 'phorest', maxLines = 500, onError }: LogTailOptions,
  deps: Partial<LogTailDeps> = {},
): Observable<readonly LogLine[]> {
  const { files, touched, scheduler }: LogTailDeps = {
    files: nodeFiles,
    touched: path => touched$(path, { inside: true }),
    ...deps,
  };
  return defer(() => {
    const reader = new LogReader({ folder, name, files, maxLines });
    const report = sayOnce(onError);
    const read = async (lines: () => Promise<LogLine[]>): Promise<readonly LogLine[]> => {
      try {
        const found = await lines();
        report(null);
        return found;
      } catch (error) {
        report(error as Error);
        return [];
      }
    };
    const changes$ = watched$(touched(folder), { what: folder, onError, scheduler }).pipe(
      auditTime(collectMs, scheduler),
      exhaustMap(() => read(() => reader.news())),
      filter(lines => lines.length > 0),
    );
    return concat(
      defer(() => read(() => reader.past())),
      changes$,
    );
  });
}
