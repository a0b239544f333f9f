import { Observable, type ObservableInput, type OperatorFunction } from 'rxjs';
import { subscribeInner } from './subscribeInner.ts';
import { trampoline } from './trampoline.ts';

export interface ProcessOnDemandOptions<T, R> {
  /** Most items in flight. */
  concurrency: number;
  /** Most items asked for in one claim. */
  batch: number;
  /** Fewest free places to claim for, while items are in flight: each claim has its cost. Absent: 1. */
  minBatch?: number;
  /** Takes up to `count` items from the queue, in one answer; an empty one means that nothing waits. One call at a time. */
  claim: (count: number) => ObservableInput<readonly T[]>;
  /** Processes one item. An item's own failure is a value; an error is the stage's. */
  process: (item: T) => ObservableInput<R>;
  /** Nothing will be added to the queue any more: go on until it is empty, then complete. */
  upstreamDone$: Observable<unknown>;
}

/**
 * Demand instead of push: on each wake-up, and each time that a place becomes free, claims as many items as there are
 * free places, and processes them.
 *
 * Source: wake-ups, whatever their value; while no place is free, or a claim is on its way, they cost nothing and none
 * is forgotten. When the source completes, no more is claimed; what is in flight, and what a claim on its way brings,
 * is finished, then the stream completes. It completes also when `upstreamDone$` has emitted (or completed) and the queue
 * is empty. An error of a claim or of an item is an error of the stream. Teardown unsubscribes from both; what was
 * claimed and not begun is then the business of whoever claimed it.
 */
export function processOnDemand<T, R>(options: ProcessOnDemandOptions<T, R>): OperatorFunction<unknown, R> {
  return source =>
    new Observable<R>(subscriber => {
      const minBatch = Math.min(options.minBatch ?? 1, options.concurrency);
      /** Claimed, to begin in the same moment. */
      const buffer: T[] = [];
      /** Places; one is taken as soon as its item is claimed. */
      let free = options.concurrency;
      let isClaiming = false;
      let isStopped = false;
      let isDraining = false;
      /** Something may wait in the queue that no claim has seen. */
      let isWoken = false;

      const pull = trampoline(
        () => {
          if (subscriber.closed) return false;
          if (buffer.length > 0) process(buffer.shift() as T);
          else if (isWoken && !isStopped && !isClaiming && free >= minBatch) claim();
          else return false;
          return true;
        },
        () => {
          const isIdle = !isClaiming && free === options.concurrency;
          if (isIdle && (isStopped || (isDraining && !isWoken))) subscriber.complete();
        },
      );

      const claim = (): void => {
        isClaiming = true;
        isWoken = false;
        let items: readonly T[] = [];
        subscribeInner(subscriber, () => options.claim(Math.min(free, options.batch)), {
          next: answer => {
            items = answer;
          },
          complete: () => {
            isClaiming = false;
            buffer.push(...items);
            free -= items.length;
            if (items.length > 0) isWoken = true;
            pull();
          },
        });
      };

      const process = (item: T): void => {
        subscribeInner(subscriber, () => options.process(item), {
          next: result => subscriber.next(result),
          complete: () => {
            free++;
            wake();
          },
        });
      };

      const wake = (): void => {
        isWoken = true;
        pull();
      };
      const drain = (): void => {
        if (isDraining) return;
        isDraining = true;
        wake();
      };

      subscribeInner(subscriber, () => source, {
        next: wake,
        complete: () => {
          isStopped = true;
          pull();
        },
      });
      subscribeInner(subscriber, () => options.upstreamDone$, { next: drain, complete: drain });
    });
}
