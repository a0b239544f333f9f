import { Observable, type ObservableInput, type OperatorFunction } from 'rxjs';
import { subscribeInner } from './subscribeInner.ts';

export interface WorkOptions<T, R> {
  /** Most items in flight. */
  concurrency: number;
  /** Most items asked for in one claim. */
  batch: number;
  /** Fewest places to claim for, while items are in work: each claim has its cost. Absent: 1. */
  least?: number;
  /** Takes up to `count` items from the queue, in one answer; an empty one means that nothing waits. One call at a time. */
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
 * is empty. An error of a claim or a work is an error of the stream. Teardown unsubscribes from claim and work; what was
 * claimed and not begun is then the business of whoever claimed it.
 */
export function processOnDemand<T, R>(options: WorkOptions<T, R>): OperatorFunction<unknown, R> {
  return source =>
    new Observable<R>(subscriber => {
      const least = Math.min(options.least ?? 1, options.concurrency);
      /** Claimed, to begin in the same moment. */
      const ready: T[] = [];
      /** Places; one is taken as soon as its item is claimed. */
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

      // Claims and works that end at once call back into this: it loops instead of nesting.
      const pull = (): void => {
        if (pulling) return;
        pulling = true;
        while (!subscriber.closed) {
          if (ready.length > 0) perform(ready.shift() as T);
          else if (woken && !stopped && !claiming && free >= least) claim();
          else break;
        }
        pulling = false;
        completeIfDone();
      };

      const claim = (): void => {
        claiming = true;
        woken = false;
        let items: readonly T[] = [];
        subscribeInner(subscriber, () => options.claim(Math.min(free, options.batch)), {
          next: answer => {
            items = answer;
          },
          error: error => subscriber.error(error),
          complete: () => {
            claiming = false;
            ready.push(...items);
            free -= items.length;
            if (items.length > 0) woken = true;
            pull();
          },
        });
      };

      const perform = (item: T): void => {
        subscribeInner(subscriber, () => options.perform(item), {
          next: result => subscriber.next(result),
          error: error => subscriber.error(error),
          complete: () => {
            free++;
            woken = true;
            pull();
          },
        });
      };

      const wake = (): void => {
        woken = true;
        pull();
      };
      const drain = (): void => {
        if (draining) return;
        draining = true;
        wake();
      };

      subscribeInner(subscriber, () => source, {
        next: wake,
        error: error => subscriber.error(error),
        complete: () => {
          stopped = true;
          completeIfDone();
        },
      });
      subscribeInner(subscriber, () => options.upstreamDone$, {
        next: drain,
        error: error => subscriber.error(error),
        complete: drain,
      });
    });
}
