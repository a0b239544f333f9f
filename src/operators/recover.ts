import {
  asyncScheduler,
  type MonoTypeOperatorFunction,
  Observable,
  type SchedulerLike,
  type Subscription,
  timer,
} from 'rxjs';

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
  /** What to emit before the first value that shows it. */
  onWell: () => T;
  scheduler?: SchedulerLike;
}

/**
 * A stage's failure is an alarm, not the end: subscribes again after a growing wait, for ever.
 *
 * The count of failures, and with it the wait, begins anew when {@link RecoverOptions.isWell} says so, not when the source
 * merely starts: a stage that opens well and fails at its first item each time backs off as it should. Completes with the
 * source. Never errors. Teardown ends the source or the wait.
 */
export function recover<T>(options: RecoverOptions<T>): MonoTypeOperatorFunction<T> {
  const { firstMs, longestMs, random, stop$, scheduler = asyncScheduler } = options;
  return source =>
    new Observable<T>(subscriber => {
      let failures = 0;
      let reached: 'opening' | 'working' = 'opening';
      let current: Subscription | null = null;
      let waiting: Subscription | null = null;
      let stopped = false;

      const attempt = (): void => {
        waiting = null;
        let open = false;
        current = source.subscribe({
          next: value => {
            open ||= options.isOpen(value);
            if (failures > 0 && options.isWell(value, reached)) {
              failures = 0;
              subscriber.next(options.onWell());
            }
            subscriber.next(value);
          },
          error: error => {
            reached = open ? 'working' : 'opening';
            const wait = Math.min(longestMs, firstMs * 2 ** failures) * (0.75 + random() / 2);
            failures++;
            subscriber.next(options.onFailure(error, failures, wait));
            if (stopped) subscriber.complete();
            else if (!subscriber.closed) waiting = timer(wait, scheduler).subscribe(attempt);
          },
          complete: () => subscriber.complete(),
        });
      };

      const stop = (): void => {
        stopped = true;
        if (waiting) subscriber.complete();
      };
      subscriber.add(stop$.subscribe({ next: stop, complete: stop }));
      subscriber.add(() => {
        current?.unsubscribe();
        waiting?.unsubscribe();
      });
      if (!stopped) attempt();
      else subscriber.complete();
    });
}
