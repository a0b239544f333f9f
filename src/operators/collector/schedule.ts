import { concat, defer, type Observable, repeat, type SchedulerLike, timer } from 'rxjs';
import type { Clock } from '../../model/clock.ts';

/** A timer may end so long before its time, ms. */
const earlyMs = 1;
/** Longer timers of Node end at once. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Intervals of equal length by the clock that does not jump. Each interval counts, also one that went by while the event loop was
 * blocked, while a timer was late, or while the work of an earlier interval lasted. Late timers do not add up.
 */
export class Schedule {
  readonly intervalMs: number;
  /** Emits when an interval begins, and at once when one has begun that was not taken. Cold; never completes. */
  readonly due$: Observable<unknown>;
  readonly #clock: Clock;
  readonly #origin: number;
  #taken = 0;

  /** The first interval begins now. */
  constructor(intervalMs: number, clock: Clock, scheduler?: SchedulerLike) {
    this.intervalMs = intervalMs;
    this.#clock = clock;
    this.#origin = clock.monotonic();
    const at = (interval: () => number): Observable<unknown> =>
      defer(() => {
        const wait = this.#origin + interval() * intervalMs - clock.monotonic();
        return timer(Math.min(Math.max(wait, 0), longestTimerMs), scheduler);
      });
    this.due$ = concat(
      at(() => this.#taken),
      at(() => this.#begun()).pipe(repeat()),
    );
  }

  /** How many intervals have begun since the last call. */
  take(): number {
    const begun = this.#begun();
    const count = begun - this.#taken;
    this.#taken = begun;
    return count;
  }

  /** These intervals were taken for nothing: they count again at the next call. */
  putBack(count: number): void {
    this.#taken -= count;
  }

  #begun(): number {
    const early = Math.min(earlyMs, this.intervalMs / 10);
    return Math.floor((this.#clock.monotonic() - this.#origin + early) / this.intervalMs) + 1;
  }
}

/** Intervals of the schedule that went by without a frame. */
export const missedFrames = (count: number, why: string) =>
  ({ kind: 'discarded', entryId: null, count, reason: `missed: ${why}` }) as const;
