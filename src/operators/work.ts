import { from, Observable, type ObservableInput, type OperatorFunction, type Subscription } from 'rxjs';

export interface WorkOptions<T, R> {
  /** Most items in flight. */
  concurrency: number;
  /** Most items asked for in one claim. */
  batch: number;
  /** Takes up to `count` items from the queue; an empty answer means that nothing waits. Called by one at a time. */
  claim: (count: number) => ObservableInput<readonly T[]>;
  /** Works on one item. An item's own failure is a value; an error is the stage's. */
  perform: (item: T) => ObservableInput<R>;
  /** Nothing will be added to the queue any more: go on until it is empty, then complete. */
  upstreamDone$: Observable<unknown>;
}

/**
 * Demand instead of push: on each wake-up, and each time that a place becomes free, claims as many items as there are
 * free places, and works on them.
 *
 * Source: wake-ups, whatever their value; while no place is free, or a claim is on its way, they cost nothing and none
 * is forgotten. When the source completes, no more is claimed; what is in flight, and what a claim on its way brings,
 * is finished, then the stream completes. It completes also when `upstreamDone$` has emitted (or completed) and the queue
 * is empty. An error of a claim or a work is an error of the stream. Teardown unsubscribes from claim and work.
 */
export function work<T, R>(options: WorkOptions<T, R>): OperatorFunction<unknown, R> {
  return source =>
    new Observable<R>(subscriber => {
      let free = options.concurrency;
      let claiming = false;
      let stopped = false;
      let draining = false;
      /** Something may wait in the queue that no claim has seen. */
      let woken = false;
      let pulling = false;

      const completeIfDone = (): void => {
        if (claiming || free < options.concurrency) return;
        if (stopped || (draining && !woken)) subscriber.complete();
      };

      // Claims and works that end at once call back into `pull`: it loops instead of nesting.
      const pull = (): void => {
        if (pulling) return;
        pulling = true;
        while (woken && !stopped && !claiming && free > 0 && !subscriber.closed) claim();
        pulling = false;
        completeIfDone();
      };

      const claim = (): void => {
        claiming = true;
        woken = false;
        const asked = Math.min(free, options.batch);
        let items: readonly T[] = [];
        subscriber.add(
          from(options.claim(asked)).subscribe({
            next: claimed => {
              items = claimed;
            },
            error: error => subscriber.error(error),
            complete: () => {
              claiming = false;
              if (items.length > 0) woken = true;
              for (const item of items) start(item);
              pull();
            },
          }),
        );
      };

      const start = (item: T): void => {
        free--;
        let inner: Subscription | null = null;
        inner = from(options.perform(item)).subscribe({
          next: result => subscriber.next(result),
          error: error => subscriber.error(error),
          complete: () => {
            free++;
            woken = true;
            if (inner) subscriber.remove(inner);
            pull();
          },
        });
        if (!inner.closed) subscriber.add(inner);
      };

      const beginDraining = (): void => {
        if (draining) return;
        draining = true;
        woken = true;
        pull();
      };

      subscriber.add(
        source.subscribe({
          next: () => {
            woken = true;
            pull();
          },
          error: error => subscriber.error(error),
          complete: () => {
            stopped = true;
            completeIfDone();
          },
        }),
      );
      subscriber.add(options.upstreamDone$.subscribe({ next: beginDraining, complete: beginDraining }));
    });
}
