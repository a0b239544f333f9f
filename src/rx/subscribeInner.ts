import { defer, Observable, type ObservableInput, type Subscription, takeUntil } from 'rxjs';

/** What an operator does with a stream inside of it. All that reaches it came before the end of its parent. */
export interface InnerObserver<T> {
  next: (value: T) => void;
  error: (error: unknown) => void;
  complete: () => void;
}

/**
 * Subscribes to a stream inside of an operator, so that the end of `parent` ends it too, also while it is still emitting
 * synchronously, when `subscribe` has not returned anything yet that could be unsubscribed. (A station that opens in that
 * moment would never be closed.)
 *
 * `begin` is not called when the parent is closed already; what it throws is an error of the stream. The parent forgets
 * the stream when that ends.
 */
export function subscribeInner<T>(
  parent: Subscription,
  begin: () => ObservableInput<T>,
  { next, error, complete }: InnerObserver<T>,
): void {
  const parentEnds$ = new Observable<void>(notifier => {
    const notify = (): void => notifier.next();
    parent.add(notify);
    return () => parent.remove(notify);
  });
  defer(begin)
    .pipe(takeUntil(parentEnds$))
    .subscribe({
      next,
      error,
      complete: () => {
        if (!parent.closed) complete();
      },
    });
}
