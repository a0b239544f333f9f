import { from, Observable, type ObservableInput, type OperatorFunction, type Subscription } from 'rxjs';

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
      let running: Subscription | null = null;
      let ended = false;

      const runWaiting = (): void => {
        // A run that ends at once would call back into this one: loop instead.
        while (waiting && !running && !subscriber.closed) {
          const { value } = waiting;
          waiting = null;
          let finished = false;
          const run = from(project(value)).subscribe({
            next: result => subscriber.next(result),
            error: error => subscriber.error(error),
            complete: () => {
              finished = true;
              if (running) {
                running = null;
                runWaiting();
              }
            },
          });
          if (!finished) {
            running = run;
            subscriber.add(run);
          }
        }
        if (ended && !running && !waiting) subscriber.complete();
      };

      subscriber.add(
        source.subscribe({
          next: value => {
            waiting = { value };
            if (!running) runWaiting();
          },
          error: error => subscriber.error(error),
          complete: () => {
            ended = true;
            if (!running) runWaiting();
          },
        }),
      );
    });
}
