import { defer, filter, type Observable, repeat, type SchedulerLike, timer } from 'rxjs';
import { type Clock, systemClock } from '../../model/clock.ts';
import type { RoiHistory } from '../../model/roiHistory.ts';
import { sayOnce } from '../../model/sayOnce.ts';

export interface LookOptions<T> {
  /** What there is; null when that is what it was at the last look. Called one at a time, and again after it has rejected. */
  readonly look: () => Promise<T | null>;
  /** Told once of each reason why it can't be read; what was read stays, and it is tried again. */
  readonly onError: (error: Error) => void;
  /** It is looked for news this often, ms: a watcher would be woken by a busy pipeline 13 times a second, and is blind on a share. */
  readonly pollEveryMs?: number;
}

export interface LookDeps {
  readonly clock: Clock;
  readonly scheduler?: SchedulerLike;
}

/** After a look that took some time, so many times that is waited: following costs no more than a hundredth of a core. */
const restRatio = 100;

/**
 * What is looked for again and again.
 *
 * Cold. Emits what there is, then at most once a second what is new. Never completes, never errors. Teardown ends it after the look under
 * way; it keeps no file open.
 */
export function looked$<T>(
  { look, onError, pollEveryMs = 1_000 }: LookOptions<T>,
  { clock, scheduler }: LookDeps = { clock: systemClock },
): Observable<T> {
  return defer(() => {
    const report = sayOnce(onError);
    let restMs = pollEveryMs;
    // The first look reads the whole past, and is none of many.
    let looks = 0;
    const tryLook = async (): Promise<T | null> => {
      const began = clock.monotonic();
      try {
        const found = await look();
        report(null);
        return found;
      } catch (error) {
        report(error as Error);
        return null;
      } finally {
        if (looks++ > 0) restMs = Math.max(pollEveryMs, restRatio * (clock.monotonic() - began));
      }
    };
    return defer(tryLook).pipe(
      repeat({ delay: () => timer(restMs, scheduler) }),
      filter(found => found !== null),
    );
  });
}

/** Where the resonances were over the whole run, and are: see {@link looked$}. */
export const roiHistory$: typeof looked$<RoiHistory> = looked$;
