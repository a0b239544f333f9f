import { defer, Observable, type ObservableInput, type Subscriber, type Subscription, takeUntil } from 'rxjs';

/** What an operator does with a stream inside of it. All that reaches it came before the end of its owner. */
export interface InnerObserver<T> {
  next: (value: T) => void;
  complete?: () => void;
}

/**
 * Subscribes to a stream inside of an operator. Its errors are errors of `subscriber`. The end of `owner` ends it too, also while it
 * is still emitting synchronously, when `subscribe` has not returned anything yet that could be unsubscribed. (A worker that opens in
 * that moment would never be closed.)
 *
 * `begin` is not called when the owner is closed already; what it throws is an error of the stream. The owner forgets the stream when
 * that ends.
 *
 * @param owner whose end ends it; the subscriber where it is not given
 */
export function subscribeInner<T, R>(
  subscriber: Subscriber<R>,
  begin: () => ObservableInput<T>,
  { next, complete }: InnerObserver<T>,
  owner: Subscription = subscriber,
): void {
  const ownerEnds$ = new Observable<void>(notifier => {
    const notify = (): void => notifier.next();
    owner.add(notify);
    return () => owner.remove(notify);
  });
  defer(begin)
    .pipe(takeUntil(ownerEnds$))
    .subscribe({
      next,
      error: error => subscriber.error(error),
      complete: () => {
        if (!owner.closed) complete?.();
      },
    });
}
