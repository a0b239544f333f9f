import { asyncScheduler, type MonoTypeOperatorFunction, Observable, type SchedulerLike, timer } from 'rxjs';
import { subscribeInner } from './subscribeInner.ts';

export interface RecoverOptions<T> {
  /** First wait, ms; each further one is twice as long, up to `longestMs`. */
  firstMs: number;
  longestMs: number;
  /** From 0 to 1; spreads the waits by ±25 %, so that many do not come back at once. */
  random: () => number;
  /** When it emits or completes, a wait ends at once and the stream completes. */
  stop$: Observable<unknown>;
  /** What to emit for a failure; `failures` counts those in a row. */
  onFailure: (error: unknown, failures: number, retryInMs: number) => T;
  /** Whether a value shows that what had failed works again; `reached` is how far the failed attempt had come. */
  isWell: (value: T, reached: 'opening' | 'working') => boolean;
  /** Whether a value shows that the source has opened: later failures are failures of the work. */
  isOpen: (value: T) => boolean;
  /** What to emit before the first value that shows it, and before the end of a source that has done all it had to. */
  onWell: () => T;
  scheduler?: SchedulerLike;
}

/**
 * A stage's failure is an alarm, not the end: subscribes again after a growing wait, for ever.
 *
 * The count of failures, and with it the wait, begins anew when {@link RecoverOptions.isWell} says so, not when the source
 * merely starts: a stage that opens well and fails at its first item each time backs off as it should. Completes with the
 * source. Errors only with `stop$`. Teardown ends the source or the wait.
 */
export function retryForever<T>(options: RecoverOptions<T>): MonoTypeOperatorFunction<T> {
  const { firstMs, longestMs, random, stop$, scheduler = asyncScheduler } = options;
  return source =>
    new Observable<T>(subscriber => {
      let failures = 0;
      let reached: 'opening' | 'working' = 'opening';
      let waiting = false;
      let stopped = false;

      const well = (): void => {
        if (failures === 0) return;
        failures = 0;
        subscriber.next(options.onWell());
      };

      const attempt = (): void => {
        waiting = false;
        let open = false;
        subscribeInner(subscriber, () => source, {
          next: value => {
            open ||= options.isOpen(value);
            if (options.isWell(value, reached)) well();
            subscriber.next(value);
          },
          error: error => {
            reached = open ? 'working' : 'opening';
            const wait = Math.min(longestMs, firstMs * 2 ** failures) * (0.75 + random() / 2);
            failures++;
            subscriber.next(options.onFailure(error, failures, wait));
            if (stopped) subscriber.complete();
            else {
              waiting = true;
              subscribeInner(subscriber, () => timer(wait, scheduler), {
                next: attempt,
                error: cause => subscriber.error(cause),
                complete: () => undefined,
              });
            }
          },
          complete: () => {
            // One that was stopped may have ended before it did anything.
            if (!stopped) well();
            subscriber.complete();
          },
        });
      };

      const stop = (): void => {
        stopped = true;
        if (waiting) subscriber.complete();
      };
      subscribeInner(subscriber, () => stop$, {
        next: stop,
        error: error => subscriber.error(error),
        complete: stop,
      });
      if (stopped) subscriber.complete();
      else attempt();
    });
}
