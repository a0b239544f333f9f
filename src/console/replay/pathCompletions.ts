import {
  catchError,
  debounceTime,
  distinctUntilChanged,
  EMPTY,
  filter,
  from,
  map,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { conflate } from '../../rx/conflate.ts';
import type { ConsoleInput } from '../consoleInput.ts';
import type { ConsoleState } from '../consoleState.ts';
import { typedPath } from './replayForm.ts';
import type { ReplayHost } from './replayHost.ts';

/** Whoever types is not asked about each letter, ms. */
const pauseMs = 60;

/**
 * What is known of the path that is being typed in the form, whenever it is another one. One question at a time, since a folder may be on a
 * share that hangs. Never errors: what can't be read is not known.
 */
export function pathCompletions(
  states$: Observable<ConsoleState>,
  host: Pick<ReplayHost, 'complete'>,
  scheduler: SchedulerLike,
): Observable<ConsoleInput> {
  return states$.pipe(
    map(typedPath),
    distinctUntilChanged((a, b) => a?.field === b?.field && a?.text === b?.text),
    debounceTime(pauseMs, scheduler),
    filter(typed => typed !== null),
    conflate(typed => from(host.complete(typed.field, typed.text)).pipe(catchError(() => EMPTY))),
    map((completed): ConsoleInput => ({ kind: 'completed', completed })),
  );
}
