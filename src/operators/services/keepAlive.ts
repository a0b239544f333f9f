import { filter, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import { withAccessHint } from '../../files/accessHint.ts';
import { asError } from '../../model/asError.ts';
import { retryForever } from '../../rx/retryForever.ts';
import type { Experiment } from '../stage/experiment.ts';

/** Between attempts, ms. */
const backOff = { firstMs: 1000, longestMs: 60_000 };
/** What goes on failing in the same way is noted again after so long, ms. */
const noteEveryMs = 3_600_000;

/**
 * For a stream that only tells of changes outside: its failure is a note and ends nothing; it is subscribed to again after
 * a growing wait, for ever. What works for a moment only to fail again is not resolved, and not noted each time.
 *
 * Completes with the source, and after `stop$` instead of waiting. Teardown ends the source or the wait.
 *
 * @param what does not work while the stream fails; begins the note
 */
export function keepAlive<T>(
  what: string,
  { tools: { clock, random, scheduler }, note }: Pick<Experiment, 'tools' | 'note'>,
  stop$: Observable<unknown>,
): MonoTypeOperatorFunction<T> {
  const failed = Symbol(what);
  const isFailed = (value: T | typeof failed): value is typeof failed => value === failed;
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
          note('info', `over: ${what}`);
          return failed;
        },
      }),
      filter((value): value is T => !isFailed(value)),
    );
}
