import { Observable, type ObservableInput, type OperatorFunction } from 'rxjs';
import { subscribeInner } from './subscribeInner.ts';

/**
 * Runs `project` for a wake-up; wake-ups while it runs become one, and it runs once more with the latest. (`exhaustMap`
 * would drop them, `mergeMap` and `concatMap` would queue them all.)
 *
 * Completes when the source has and the last run, a waiting one included, has finished. An error of a run is an error of
 * the stream. Teardown unsubscribes from the run.
 */
export function conflate<T, R>(project: (latest: T) => ObservableInput<R>): OperatorFunction<T, R> {
  return source =>
    new Observable<R>(subscriber => {
      let waiting: { value: T } | null = null;
      let running = false;
      let ended = false;
      let looping = false;

      // A run that ends at once, or wakes itself, calls back into this: it loops instead of nesting.
      const runWaiting = (): void => {
        if (looping) return;
        looping = true;
        while (waiting && !running && !subscriber.closed) {
          const { value } = waiting;
          waiting = null;
          running = true;
          subscribeInner(subscriber, () => project(value), {
            next: result => subscriber.next(result),
            error: error => subscriber.error(error),
            complete: () => {
              running = false;
              runWaiting();
            },
          });
        }
        looping = false;
        if (ended && !running && !waiting) subscriber.complete();
      };

      subscribeInner(subscriber, () => source, {
        next: value => {
          waiting = { value };
          runWaiting();
        },
        error: error => subscriber.error(error),
        complete: () => {
          ended = true;
          runWaiting();
        },
      });
    });
}
