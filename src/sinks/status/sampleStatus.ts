import { asyncScheduler, Observable, type SchedulerLike } from 'rxjs';
import type { PipelineEvent } from '../../model/event.ts';
import { emptyStatus, reduceStatus, type StatusState } from './statusOfEvents.ts';

/**
 * The status that the events amount to: at once, then every `intervalMs` (also without events: it is a sign of life), and
 * the last one when they complete. Errors with them. Teardown unsubscribes from them.
 */
export function sampleStatus(
  events$: Observable<PipelineEvent>,
  intervalMs: number,
  scheduler: SchedulerLike = asyncScheduler,
): Observable<StatusState> {
  return new Observable(subscriber => {
    let state = emptyStatus;
    subscriber.next(state);
    subscriber.add(
      scheduler.schedule(function () {
        subscriber.next(state);
        this.schedule(undefined, intervalMs);
      }, intervalMs),
    );
    subscriber.add(
      events$.subscribe({
        next: event => {
          state = reduceStatus(state, event);
        },
        error: error => subscriber.error(error),
        complete: () => {
          subscriber.next(state);
          subscriber.complete();
        },
      }),
    );
  });
}
