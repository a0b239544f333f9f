import { Observable } from 'rxjs';

/**
 * A promise as a stream of its one value, with a signal that is aborted when nobody wants it any more. Native work does
 * not stop for it: `run` must look at the signal before it records an outcome.
 */
export function abortable<T>(run: (signal: AbortSignal) => Promise<T>): Observable<T> {
  return new Observable<T>(subscriber => {
    const controller = new AbortController();
    let settled = false;
    run(controller.signal).then(
      value => {
        settled = true;
        subscriber.next(value);
        subscriber.complete();
      },
      (error: unknown) => {
        settled = true;
        subscriber.error(error);
      },
    );
    return () => {
      if (!settled) controller.abort();
    };
  });
}
