import {
  asyncScheduler,
  Observable,
  type OperatorFunction,
  ReplaySubject,
  type SchedulerLike,
  Subscription,
  timer,
} from 'rxjs';
import { subscribeInner } from './subscribeInner.ts';
import { trampoline } from './trampoline.ts';

export interface HandoverOptions<R, S = unknown> {
  /** When it emits, the present generation is retired, and no other follows. */
  stop$: Observable<unknown>;
  /** How long a generation that was replaced may take to finish, ms; then it is cut off. One that is stopped has no limit. */
  deadlineMs: number;
  /** While its last value is true, no generation runs; nor before its first. Absent: never paused. */
  paused$?: Observable<boolean>;
  /** Whether a pause concerns a generation with these settings; absent: each. One that it does not concern runs meanwhile. */
  isPausable?: (settings: S) => boolean;
  /** What to emit when it is paused and no generation runs any more. */
  onPaused?: () => readonly R[];
  scheduler?: SchedulerLike;
}

interface Generation<S> {
  settings: S;
  drain: ReplaySubject<void>;
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
 * `build` makes a generation; `drain$` asks it to finish. A generation that completes by itself has done all its work: the
 * next settings begin at once, and when there will be none the stream completes. Completes when the source has and the
 * last generation, or after `stop$` when the present one has. Errors of a generation pass. Teardown cuts it off.
 *
 * Paused, the present generation is drained in the same way, and what it served, or newer settings, begin when it is resumed.
 * Then only `stop$` completes the stream, unless all the work was done before.
 *
 * A generation that is cut off may have something to put away that takes time. The next one begins nevertheless: where that
 * matters, it waits for it by itself.
 */
export function handover<S, R>(
  build: (settings: S, drain$: Observable<void>) => Observable<R>,
  {
    stop$,
    deadlineMs,
    paused$,
    isPausable = () => true,
    onPaused = () => [],
    scheduler = asyncScheduler,
  }: HandoverOptions<R, S>,
): OperatorFunction<S, R> {
  return source =>
    new Observable<R>(subscriber => {
      let present: Generation<S> | null = null;
      let next: { settings: S } | null = null;
      let ended = false;
      let stopped = false;
      /** Null until the first word on it: nothing begins, and nobody is told that it rests. */
      let isPaused: boolean | null = paused$ ? null : false;
      /** It was asked to rest, and nobody has been told yet that it does. */
      let mustReportPause = false;

      const beginNext = trampoline(
        () => {
          if (!next || present || stopped || subscriber.closed) return false;
          const { settings } = next;
          if (isPaused === false || (isPaused && !isPausable(settings))) {
            next = null;
            // What comes after it may rest.
            mustReportPause = isPaused;
            begin(settings);
            return true;
          }
          if (!mustReportPause) return false;
          mustReportPause = false;
          for (const value of onPaused()) subscriber.next(value);
          return true;
        },
        () => {
          if (!present && (stopped || (ended && !next))) subscriber.complete();
        },
      );

      const begin = (settings: S): void => {
        // One that is still opening must hear of its draining later.
        const drain = new ReplaySubject<void>(1);
        const mine: Generation<S> = { settings, drain, life: new Subscription(), deadline: null };
        present = mine;
        subscriber.add(mine.life);
        subscribeInner(
          subscriber,
          () => build(settings, drain),
          { next: value => subscriber.next(value), complete: () => end(mine) },
          mine.life,
        );
      };

      const end = (generation: Generation<S>): void => {
        generation.life.unsubscribe();
        present = null;
        beginNext();
      };

      const replace = (generation: Generation<S>): void => {
        generation.deadline ??= timer(deadlineMs, scheduler).subscribe(() => end(generation));
        generation.life.add(generation.deadline);
        generation.drain.next();
      };

      subscribeInner(subscriber, () => stop$, {
        next: () => {
          stopped = true;
          next = null;
          present?.deadline?.unsubscribe();
          present?.drain.next();
          beginNext();
        },
      });
      if (paused$) {
        subscribeInner(subscriber, () => paused$, {
          next: paused => {
            if (stopped || paused === isPaused) return;
            isPaused = paused;
            mustReportPause = paused;
            if (present && paused) {
              if (!isPausable(present.settings)) return;
              next ??= { settings: present.settings };
              replace(present);
            } else beginNext();
          },
        });
      }
      subscribeInner(subscriber, () => source, {
        next: settings => {
          if (stopped) return;
          next = { settings };
          if (present) replace(present);
          else beginNext();
        },
        complete: () => {
          ended = true;
          beginNext();
        },
      });
    });
}
