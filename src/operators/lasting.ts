import { filter, type MonoTypeOperatorFunction, type Observer } from 'rxjs';
import type { NoteEvent } from '../model/event.ts';
import { retryForever } from '../rx/retryForever.ts';
import { withAccessHint } from '../storage/accessHint.ts';
import { asError } from './asError.ts';
import type { StageTools } from './stage.ts';

export interface LastingOptions extends Pick<StageTools, 'clock' | 'random' | 'stop$' | 'scheduler'> {
  /** What does not work while the stream fails; begins the note. */
  what: string;
  notes$: Pick<Observer<NoteEvent>, 'next'>;
}

/** Between attempts, ms. */
const backOff = { firstMs: 1000, longestMs: 60_000 };
/** What goes on failing in the same way is noted again after so long, ms. */
const noteEveryMs = 3_600_000;

/**
 * For a stream that only tells of changes outside: its failure is a note and ends nothing; it is subscribed to again after
 * a growing wait, for ever. What works for a moment only to fail again is not well, and not noted each time.
 *
 * Completes with the source, and after `stop$` instead of waiting. Teardown ends the source or the wait.
 */
export function lasting<T>(options: LastingOptions): MonoTypeOperatorFunction<T> {
  const { what, clock, random, stop$, scheduler, notes$ } = options;
  const failed = Symbol(what);
  const isFailed = (value: T | typeof failed): value is typeof failed => value === failed;
  const note = (level: NoteEvent['level'], message: string): void =>
    notes$.next({ kind: 'note', at: clock.now(), level, stage: null, message });
  let failedAt = 0;
  let noted = { message: '', at: 0 };
  return source =>
    source.pipe(
      retryForever<T | typeof failed>({
        ...backOff,
        random,
        stop$,
        ...(scheduler && { scheduler }),
        isOpen: () => true,
        isResolved: value => !isFailed(value) && clock.monotonic() - failedAt > backOff.longestMs,
        onFailure: (error, failures) => {
          const message = withAccessHint(asError(error));
          failedAt = clock.monotonic();
          if (failures === 1 || message !== noted.message || failedAt - noted.at > noteEveryMs) {
            noted = { message, at: failedAt };
            note('warning', `${what}: ${message}; it is tried again`);
          }
          return failed;
        },
        onResolved: () => {
          note('info', `is well again: ${what}`);
          return failed;
        },
      }),
      filter((value): value is T => !isFailed(value)),
    );
}
