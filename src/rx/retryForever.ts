import {
  asyncScheduler,
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  ignoreElements,
  type MonoTypeOperatorFunction,
  type Observable,
  of,
  ReplaySubject,
  retry,
  type SchedulerLike,
  take,
  takeUntil,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { mergeUntilComplete } from './mergeUntilComplete.ts';

export interface RetryForeverOptions<T> {
  /** First wait, ms; each further one is twice as long, up to `longestMs`. */
  firstMs: number;
  longestMs: number;
  /** From 0 to 1; spreads the waits by ±25 %, so that many do not come back at once. */
  random: () => number;
  /** When it emits or completes, a wait ends at once and the stream completes. */
  stop$: Observable<unknown>;
  /**
   * Whether a failure, the `failures`th in a row, is passed over: how long to wait then, ms. Such failures make no wait grow. Null, or absent:
   * it is not.
   */
  passesOver?: (error: unknown, failures: number) => number | null;
  /** What to emit for a failure; `failures` counts those in a row. */
  onFailure: (error: unknown, failures: number, retryInMs: number, isPassedOver: boolean) => T;
  /** Whether a value shows that what had failed works again; `reached` is how far the failed attempt had come. */
  isResolved: (value: T, reached: 'opening' | 'working') => boolean;
  /** Whether a value shows that the source has opened: later failures are failures of the work. */
  isOpen: (value: T) => boolean;
  /** What to emit before the first value that shows it, and before the end of a source that has done all it had to. */
  onResolved: () => T;
  scheduler?: SchedulerLike;
}

/**
 * A failure is an alarm, not the end: subscribes again after a growing wait, for ever.
 *
 * The count of failures, and with it the wait, begins anew when {@link RetryForeverOptions.isResolved} says so, not when the source
 * merely starts: a stage that opens well and fails at its first item each time backs off as it should. Completes with the
 * source. Errors only with `stop$`. Teardown ends the source or the wait.
 */
export function retryForever<T>(options: RetryForeverOptions<T>): MonoTypeOperatorFunction<T> {
  const { firstMs, longestMs, random, stop$, scheduler = asyncScheduler } = options;
  return source =>
    defer(() => {
      const stopped$ = new ReplaySubject<void>(1);
      let isStopped = false;
      let failures = 0;
      /** Of them, those that were not passed over. */
      let counted = 0;
      let waitMs = 0;
      let reached: 'opening' | 'working' = 'opening';

      const resolved = (): T[] => {
        if (failures === 0) return [];
        failures = 0;
        counted = 0;
        return [options.onResolved()];
      };
      const attempt$ = defer(() => {
        let isOpen = false;
        // One that was stopped may have ended before it did anything.
        const end$ = defer(() => (isStopped ? EMPTY : resolved()));
        return concat(source, end$).pipe(
          concatMap(value => {
            isOpen ||= options.isOpen(value);
            return options.isResolved(value, reached) ? [...resolved(), value] : [value];
          }),
          catchError((error: unknown) => {
            reached = isOpen ? 'working' : 'opening';
            failures++;
            const passedMs = options.passesOver?.(error, failures) ?? null;
            waitMs = passedMs ?? Math.min(longestMs, firstMs * 2 ** counted++) * (0.75 + random() / 2);
            return concat(
              of(options.onFailure(error, failures, waitMs, passedMs !== null)),
              throwError(() => error),
            );
          }),
        );
      });
      const stopping$ = stop$.pipe(
        take(1),
        ignoreElements(),
        tap({
          complete: () => {
            isStopped = true;
            stopped$.next();
          },
        }),
      );
      return defer(() => (isStopped ? EMPTY : attempt$)).pipe(
        retry({ delay: () => timer(waitMs, scheduler).pipe(takeUntil(stopped$)) }),
        mergeUntilComplete<T>(stopping$),
      );
    });
}
