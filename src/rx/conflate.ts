import { Observable, type ObservableInput, type OperatorFunction } from 'rxjs';
import { subscribeInner } from './subscribeInner.ts';
import { trampoline } from './trampoline.ts';

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
      let buffer: { value: T } | null = null;
      let isActive = false;
      let isComplete = false;

      const runLatest = trampoline(
        () => {
          if (!buffer || isActive || subscriber.closed) return false;
          const { value } = buffer;
          buffer = null;
          isActive = true;
          subscribeInner(subscriber, () => project(value), {
            next: result => subscriber.next(result),
            complete: () => {
              isActive = false;
              runLatest();
            },
          });
          return true;
        },
        () => {
          if (isComplete && !isActive && !buffer) subscriber.complete();
        },
      );

      subscribeInner(subscriber, () => source, {
        next: value => {
          buffer = { value };
          runLatest();
        },
        complete: () => {
          isComplete = true;
          runLatest();
        },
      });
    });
}
