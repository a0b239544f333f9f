import { Observable } from 'rxjs';

/**
 * A promise as a stream of its one value, with a signal that is aborted when nobody wants it any more. Native work does
 * not stop for it: `run` must look at the signal before it records an outcome.
 *
 * `onLate` is given a value that came after the teardown; of value and teardown each sees exactly one outcome, so that what
 * was opened or taken is always somebody's. An error that comes late is nobody's.
 */
export function fromAbortable<T>(
  run: (signal: AbortSignal) => Promise<T>,
  onLate: (value: T) => void = () => undefined,
): Observable<T> {
  return new Observable<T>(subscriber => {
    const controller = new AbortController();
    let settled = false;
    run(controller.signal).then(
      value => {
        settled = true;
        if (subscriber.closed) onLate(value);
        else {
          subscriber.next(value);
          subscriber.complete();
        }
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
