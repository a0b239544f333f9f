import { defer, type MonoTypeOperatorFunction, merge, type Observable, Subject, takeUntil, tap } from 'rxjs';

/**
 * Adds what another stream emits, for as long as the source lasts. Subscribes to the other first, so that it misses nothing
 * that the source brings about; completes with the source, and unsubscribes from the other then. Errors of either pass.
 */
export function mergeUntilComplete<T>(other$: Observable<T>): MonoTypeOperatorFunction<T> {
  return source =>
    defer(() => {
      const over$ = new Subject<void>();
      return merge(other$.pipe(takeUntil(over$)), source.pipe(tap({ complete: () => over$.next() })));
    });
}
