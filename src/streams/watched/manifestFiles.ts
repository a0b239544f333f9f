import { type Observable, type SchedulerLike, switchMap } from 'rxjs';
import { touched$, watched$ } from './touched.ts';

/**
 * Emits when something may have happened to the manifest's own files, besides at least every two seconds. The folder as a
 * whole is never watched: it may hold thousands of images, and each lock that comes and goes would have it listed again.
 *
 * So a file must be there before it can be watched. The journal that a compaction begins is: whoever reads that the old one has
 * ended knows of it, and what stands in it by then is told when the watch begins. Each file emits once then.
 * Never completes and never errors: what can't be watched is told to `onError`, and looked at all the same. Teardown closes
 * the watcher.
 */
export function manifestFiles$(
  files$: Observable<readonly string[]>,
  onError: (error: Error) => void,
  scheduler?: SchedulerLike,
): Observable<unknown> {
  // A watcher remembers all that it was ever told to leave alone, so other files get another watcher.
  const touches$ = files$.pipe(switchMap(files => touched$(files)));
  return watched$(touches$, { what: 'the manifest', onError, scheduler });
}
