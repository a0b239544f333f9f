import { watch } from 'chokidar';
import { interval, merge, Observable, type SchedulerLike } from 'rxjs';

/** Where the file system tells of nothing (a share, a watch that broke), this is how long news may take, ms. */
const lookEveryMs = 2_000;

/**
 * Emits when something may have happened to the manifest's own files, besides at least every two seconds. The folder as a
 * whole is never watched: it may hold thousands of images.
 *
 * `files` is asked again after each event, since a fold begins a new journal; it names the next one too, because what is
 * written there must not wait until somebody has read that it is there. A file emits once when it is watched at last.
 * Never completes and never errors: what can't be watched is told to `onError`, and looked at all the same. Teardown closes
 * the watcher.
 */
export function manifestFiles$(
  files: () => readonly string[],
  onError: (error: Error) => void,
  scheduler?: SchedulerLike,
): Observable<unknown> {
  const watched$ = new Observable<void>(subscriber => {
    let watched = new Set(files());
    const watcher = watch([...watched], { ignoreInitial: false });
    const follow = (): void => {
      const wanted = new Set(files());
      watcher.add([...wanted.difference(watched)]);
      watcher.unwatch([...watched.difference(wanted)]);
      watched = wanted;
    };
    watcher.on('all', () => {
      follow();
      subscriber.next();
    });
    watcher.on('error', error => onError(error as Error));
    return () => void watcher.close();
  });
  return merge(watched$, interval(lookEveryMs, scheduler));
}
