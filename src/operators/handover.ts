import {
  asyncScheduler,
  defer,
  Observable,
  type OperatorFunction,
  ReplaySubject,
  type SchedulerLike,
  Subscription,
  timer,
} from 'rxjs';

export interface HandoverOptions {
  /** When it emits, the present generation is retired, and no other follows. */
  stop$: Observable<unknown>;
  /** How long a generation that was replaced may take to finish, ms; then it is cut off. One that is stopped has no limit. */
  deadlineMs: number;
  scheduler?: SchedulerLike;
}

interface Generation {
  retire: ReplaySubject<void>;
  subscription: Subscription;
}

/**
 * Hot reload: each settings value is served by a generation of its own, and they never overlap. New settings retire the
 * present generation: it takes no more work, finishes what it has, and completes; then the newest settings begin. Settings
 * that were overtaken meanwhile are never served. (`switchMap` would abort, `concatMap` would serve every save.)
 *
 * `build` makes a generation; `retire$` asks it to finish. A generation that completes by itself has done all its work: the
 * next settings begin at once, and when there will be none the stream completes. Completes when the source has and the
 * last generation, or after `stop$` when the present one has. Errors of a generation pass. Teardown cuts it off.
 */
export function handover<S, R>(
  build: (settings: S, retire$: Observable<void>) => Observable<R>,
  { stop$, deadlineMs, scheduler = asyncScheduler }: HandoverOptions,
): OperatorFunction<S, R> {
  return source =>
    new Observable<R>(subscriber => {
      let generation: Generation | null = null;
      let deadline: Subscription | null = null;
      let next: { settings: S } | null = null;
      let ended = false;
      let stopped = false;

      const begin = (): void => {
        while (next && !generation && !stopped && !subscriber.closed) {
          const { settings } = next;
          next = null;
          // A generation that is still opening must hear of it later.
          const retire = new ReplaySubject<void>(1);
          const mine: Generation = { retire, subscription: new Subscription() };
          generation = mine;
          const served = defer(() => build(settings, retire)).subscribe({
            next: value => subscriber.next(value),
            error: error => subscriber.error(error),
            complete: () => finish(mine),
          });
          mine.subscription.add(served);
        }
        if (!generation && (stopped || (ended && !next))) subscriber.complete();
      };

      const finish = (which: Generation): void => {
        if (generation !== which) return;
        generation = null;
        deadline?.unsubscribe();
        deadline = null;
        begin();
      };

      const retire = (limited: boolean): void => {
        const present = generation;
        if (!present) {
          begin();
          return;
        }
        if (limited && !deadline) {
          deadline = timer(deadlineMs, scheduler).subscribe(() => {
            present.subscription.unsubscribe();
            finish(present);
          });
        }
        present.retire.next();
      };

      subscriber.add(
        stop$.subscribe(() => {
          stopped = true;
          next = null;
          deadline?.unsubscribe();
          deadline = null;
          retire(false);
        }),
      );
      subscriber.add(
        source.subscribe({
          next: settings => {
            if (stopped) return;
            next = { settings };
            retire(true);
          },
          error: error => subscriber.error(error),
          complete: () => {
            ended = true;
            if (!generation) begin();
          },
        }),
      );
      subscriber.add(() => {
        generation?.subscription.unsubscribe();
        deadline?.unsubscribe();
      });
    });
}
