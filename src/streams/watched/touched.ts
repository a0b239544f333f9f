import { resolve, sep } from 'node:path';
import { watch } from 'chokidar';
import { catchError, defer, interval, map, merge, Observable, type SchedulerLike, switchMap, timer } from 'rxjs';
import { duration } from '../../model/quantity.ts';
import { sayOnce } from '../../model/sayOnce.ts';

/**
 * Emits when one of the files is first seen and whenever something happens to it: also when it is replaced, goes, or comes into
 * being with its folder. Never completes; fails when they can't be watched. Teardown closes the watcher. The only watcher there
 * is: whoever follows files does so through {@link watched$}, since this one may be blind.
 *
 * @param inside the path is a folder: what happens to the files in it counts, not in folders below.
 */
export function touched$(paths: string | readonly string[], { inside = false } = {}): Observable<void> {
  const whole = [paths].flat().map(path => resolve(path));
  return new Observable(subscriber => {
    // chokidar takes a backslash for a slash, and watches another path.
    if (whole.some(path => path.includes('\\'))) {
      subscriber.error(new Error('the watcher can not follow a path with a backslash'));
      return;
    }
    const watcher = watch(whole, { ignoreInitial: false, ...(inside && { depth: 0 }) });
    // Of a folder that came into being later the watcher tells all: whoever waits for silence must not wait for the others' files.
    const concerns = (at: string): boolean =>
      inside || whole.some(each => each === at || each.startsWith(`${at}${sep}`));
    watcher.on('all', (_event, at) => {
      if (concerns(resolve(at))) subscriber.next();
    });
    watcher.on('error', error => subscriber.error(error));
    return () => void watcher.close();
  });
}

export interface WatchedOptions {
  /** What messages call it: a path. */
  what: string;
  /** Told once of each reason why the watcher does not work. */
  onError: (error: Error) => void;
  /** A look besides, this often, ms: a watcher tells of nothing on a share, or when the system's watches are used up. */
  pollEveryMs?: number;
  /** A watcher that failed is tried again after so long, ms. */
  rewatchMs?: number;
  scheduler?: SchedulerLike | undefined;
}

/**
 * What a watcher tells, and besides a moment to look every two seconds: news are late without the watcher, and never missing.
 * Never completes, never errors. Teardown ends both.
 */
export function watched$(
  touches$: Observable<void>,
  { what, onError, pollEveryMs = 2_000, rewatchMs = 30_000, scheduler }: WatchedOptions,
): Observable<'touch' | 'look'> {
  return defer(() => {
    const report = sayOnce(onError);
    const reported$ = touches$.pipe(
      map(() => 'touch' as const),
      catchError((error: Error, again) => {
        const slow = `it is looked at every ${duration(pollEveryMs)} instead`;
        report(new Error(`${what} can't be watched for changes: ${error.message}; ${slow}`, { cause: error }));
        return timer(rewatchMs, scheduler).pipe(switchMap(() => again));
      }),
    );
    return merge(reported$, interval(pollEveryMs, scheduler).pipe(map(() => 'look' as const)));
  });
}
