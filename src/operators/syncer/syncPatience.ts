import { fromEvent, merge, type Observable, of, type SchedulerLike, switchMap, timer } from 'rxjs';

/** What is on its way when the stage is asked to stop may take so long; then it is given up, to be continued, ms. */
const drainMs = 3000;

/** How long a transfer may go on. */
export interface SyncPatience {
  /** Aborts at once when the stage is cut off, and a few seconds after it was asked to leave. */
  readonly signal: AbortSignal;
  /** Frees its timer. */
  end(): void;
}

export function syncPatience(leaving: AbortSignal, cut: AbortSignal, scheduler?: SchedulerLike): SyncPatience {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const leaving$: Observable<unknown> = leaving.aborted ? of(null) : fromEvent(leaving, 'abort');
  const givenUp$ = leaving$.pipe(switchMap(() => timer(drainMs, scheduler)));
  const waiting = merge(fromEvent(cut, 'abort'), givenUp$).subscribe(abort);
  if (cut.aborted) abort();
  return { signal: controller.signal, end: () => waiting.unsubscribe() };
}
