import { watch } from 'chokidar';
import { Observable } from 'rxjs';

/**
 * Emits when something happens to the manifest's own files: the snapshot, and the journal that is written now. The folder
 * as a whole is never watched: it may hold thousands of images.
 *
 * `files` is asked again after each event, since a fold begins a new journal. Never completes. An error of the watcher is
 * an error of the stream. Teardown closes the watcher.
 */
export function manifestFiles$(files: () => readonly string[]): Observable<void> {
  return new Observable<void>(subscriber => {
    let watched = new Set(files());
    const watcher = watch([...watched], { ignoreInitial: true });
    const follow = (): void => {
      const wanted = new Set(files());
      watcher.add([...wanted.difference(watched)]);
      watcher.unwatch([...watched.difference(wanted)]);
      watched = wanted;
    };
    watcher.on('all', () => {
      subscriber.next();
      follow();
    });
    watcher.on('error', error => subscriber.error(error));
    return () => void watcher.close();
  });
}
