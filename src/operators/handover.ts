import {
  asyncScheduler,
  Observable,
  type OperatorFunction,
  ReplaySubject,
  type SchedulerLike,
  Subscription,
  timer,
} from 'rxjs';
import { subscribeWithin } from './subscribeWithin.ts';

export interface HandoverOptions {
  /** When it emits, the present generation is retired, and no other follows. */
  stop$: Observable<unknown>;
  /** How long a generation that was replaced may take to finish, ms; then it is cut off. One that is stopped has no limit. */
  deadlineMs: number;
  scheduler?: SchedulerLike;
}

interface Generation {
  retire: ReplaySubject<void>;
  /** Ends the generation. */
  life: Subscription;
  /** Runs once it has been replaced. */
  deadline: Subscription | null;
}

/**
 * Hot reload: each settings value is served by a generation of its own, and they never overlap. New settings retire the
 * present generation: it takes no more work, finishes what it has, and completes; then the newest settings begin. Settings
 * that were overtaken meanwhile are never served. (`switchMap` would abort, `concatMap` would serve every save.)
 *
 * `build` makes a generation; `retire$` asks it to finish. A generation that completes by itself has done all its work: the
 * next settings begin at once, and when there will be none the stream completes. Completes when the source has and the
 * last generation, or after `stop$` when the present one has. Errors of a generation pass. Teardown cuts it off.
 *
 * A generation that is cut off may have something to put away that takes time. The next one begins nevertheless: where that
 * matters, it waits for it by itself.
 */
export function handover<S, R>(
  build: (settings: S, retire$: Observable<void>) => Observable<R>,
  { stop$, deadlineMs, scheduler = asyncScheduler }: HandoverOptions,
): OperatorFunction<S, R> {
  return source =>
    new Observable<R>(subscriber => {
      let present: Generation | null = null;
      let next: { settings: S } | null = null;
      let ended = false;
      let stopped = false;
      let looping = false;

      // A generation that ends at once, or brings new settings itself, calls back into this: it loops instead of nesting.
      const beginNext = (): void => {
        if (looping) return;
        looping = true;
        while (next && !present && !stopped && !subscriber.closed) {
          const { settings } = next;
          next = null;
          begin(settings);
        }
        looping = false;
        if (!present && (stopped || (ended && !next))) subscriber.complete();
      };

      const begin = (settings: S): void => {
        // One that is still opening must hear of its retirement later.
        const retire = new ReplaySubject<void>(1);
        const mine: Generation = { retire, life: new Subscription(), deadline: null };
        present = mine;
        subscriber.add(mine.life);
        subscribeWithin(mine.life, () => build(settings, retire), {
          next: value => subscriber.next(value),
          error: error => subscriber.error(error),
          complete: () => end(mine),
        });
      };

      const end = (generation: Generation): void => {
        generation.life.unsubscribe();
        present = null;
        beginNext();
      };

      const replace = (generation: Generation): void => {
        generation.deadline ??= timer(deadlineMs, scheduler).subscribe(() => end(generation));
        generation.life.add(generation.deadline);
        generation.retire.next();
      };

      subscribeWithin(subscriber, () => stop$, {
        next: () => {
          stopped = true;
          next = null;
          present?.deadline?.unsubscribe();
          present?.retire.next();
          beginNext();
        },
        error: error => subscriber.error(error),
        complete: () => undefined,
      });
      subscribeWithin(subscriber, () => source, {
        next: settings => {
          if (stopped) return;
          next = { settings };
          if (present) replace(present);
          else beginNext();
        },
        error: error => subscriber.error(error),
        complete: () => {
          ended = true;
          beginNext();
        },
      });
    });
}
