import {
  connect,
  endWith,
  ignoreElements,
  type MonoTypeOperatorFunction,
  merge,
  type Observable,
  takeUntil,
} from 'rxjs';

/**
 * Adds what another stream tells, for as long as the source lasts. Subscribes to the other first, so that it misses nothing
 * that the source brings about; completes with the source, and unsubscribes from the other then. Errors of either pass.
 */
export function mergeUntilComplete<T>(other$: Observable<T>): MonoTypeOperatorFunction<T> {
  return connect(source$ => {
    const over$ = source$.pipe(ignoreElements(), endWith(undefined));
    return merge(source$, other$.pipe(takeUntil(over$)));
  });
}
