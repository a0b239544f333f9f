import { resolve, sep } from 'node:path';
import { watch } from 'chokidar';
import { Observable } from 'rxjs';

/**
 * Emits when a file is first seen and whenever something happens to it: also when it is replaced, goes, or comes into
 * being with its folder. Never completes; fails when it can't be watched. Teardown closes the watcher.
 */
export function touched$(path: string): Observable<void> {
  const whole = resolve(path);
  return new Observable(subscriber => {
    const watcher = watch(path, { ignoreInitial: false });
    // Of a folder that came into being later the watcher tells all: whoever waits for silence must not wait for the others' files.
    watcher.on('all', (_event, at) => {
      const touched = resolve(at);
      if (touched === whole || whole.startsWith(`${touched}${sep}`)) subscriber.next();
    });
    watcher.on('error', error => subscriber.error(error));
    return () => void watcher.close();
  });
}
