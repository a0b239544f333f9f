import { watch } from 'chokidar';
import { interval, merge, Observable, type SchedulerLike } from 'rxjs';

/** Where the file system tells of nothing (a share, a watch that broke), this is how long news may take, ms. */
const lookEveryMs = 2_000;

/**
 * Emits when something may have happened to the manifest's own files, besides at least every two seconds. The folder as a
 * whole is never watched: it may hold thousands of images, and each lock that comes and goes would have it listed again.
 *
 * So a file must be there before it can be watched. The journal that a fold begins is: whoever reads that the old one has
 * ended knows of it, and what stands in it by then is told when the watch begins. A file emits once then.
 * Never completes and never errors: what can't be watched is told to `onError`, and looked at all the same. Teardown closes
 * the watcher.
 */
export function manifestFiles$(
  files$: Observable<readonly string[]>,
  onError: (error: Error) => void,
  scheduler?: SchedulerLike,
): Observable<unknown> {
  const watched$ = new Observable<void>(subscriber => {
    let watched = new Set<string>();
    const watcher = watch([], { ignoreInitial: false });
    watcher.on('all', () => subscriber.next());
    watcher.on('error', error => onError(error as Error));
    const following = files$.subscribe(files => {
      const wanted = new Set(files);
      watcher.unwatch([...watched.difference(wanted)]);
      watcher.add([...wanted.difference(watched)]);
      watched = wanted;
    });
    return () => {
      following.unsubscribe();
      void watcher.close();
    };
  });
  return merge(watched$, interval(lookEveryMs, scheduler));
}
