import { watch } from 'chokidar';
import { Observable } from 'rxjs';

/**
 * Emits when a file is first seen and whenever something happens to it: also when it is replaced, goes, or comes into
 * being with its folder. Never completes; fails when it can't be watched. Teardown closes the watcher.
 */
export function touched$(path: string): Observable<void> {
  return new Observable(subscriber => {
    const watcher = watch(path, { ignoreInitial: false });
    watcher.on('all', () => subscriber.next());
    watcher.on('error', error => subscriber.error(error));
    return () => void watcher.close();
  });
}
