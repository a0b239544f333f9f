import { BehaviorSubject, NEVER, type Observable, of, type Subscription, switchMap, take, timer } from 'rxjs';
import type { Playback } from '../../model/playback.ts';
import type { Tools } from '../stage/experiment.ts';

/** Longer timers of Node end at once. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * The pace of a folder's images: recorded intervals, divided by the speed. It goes on over hold-ups: what is late comes at once. It
 * begins anew with each {@link begin} and after a step, with the next frame. Another speed counts from the moment at which it is asked
 * for, also in the middle of a long gap, and never for frames that have not come yet: nothing is caught up that the old speed was behind.
 */
export class ReplayPace {
  readonly #tools: Pick<Tools, 'clock' | 'scheduler'>;
  readonly #wanted$ = new BehaviorSubject<Playback>({});
  readonly #following: Subscription;
  #startSpeed = Number.POSITIVE_INFINITY;
  #stepsTaken = 0;
  /** Recorded time and clock at one moment, ms. */
  #anchor: { clock: number; recorded: number } | null = null;
  /** The next frame says how far recorded time may have come. */
  #hasChanged = false;

  constructor(playback$: Observable<Playback>, tools: Pick<Tools, 'clock' | 'scheduler'>) {
    this.#tools = tools;
    this.#following = playback$.subscribe(playback => {
      const { recorded } = this;
      if (recorded !== null) this.#anchor = { clock: tools.clock.monotonic(), recorded };
      this.#hasChanged = true;
      // What was asked for before it went on by itself is over.
      if (!playback.paused) this.#stepsTaken = playback.steps ?? 0;
      this.#wanted$.next(playback);
    });
  }

  /** Times the recorded pace; infinite: as fast as there is room. */
  get speed(): number {
    const { speed = this.#startSpeed } = this.#wanted$.value;
    return speed === 'max' ? Number.POSITIVE_INFINITY : speed;
  }

  get isPaused(): boolean {
    return this.#wanted$.value.paused ?? false;
  }

  /** Recorded time now, ms; null before the first frame, and before the first after a jump. */
  get recorded(): number | null {
    if (!this.#anchor) return null;
    const { clock, recorded } = this.#anchor;
    if (this.isPaused || this.speed === Number.POSITIVE_INFINITY) return recorded;
    return recorded + (this.#tools.clock.monotonic() - clock) * this.speed;
  }

  /** @param speed the one that counts where nobody asks for another. */
  begin(speed: number): void {
    this.#startSpeed = speed;
    this.#anchor = null;
  }

  /** Emits once when the time of the frame has come, and completes. `elapsedMs`: its recorded time. */
  due$(elapsedMs: number): Observable<unknown> {
    return this.#wanted$.pipe(
      switchMap(() => this.#wait$(elapsedMs)),
      take(1),
    );
  }

  isDue(elapsedMs: number): boolean {
    return this.#waitMs(elapsedMs) <= 0;
  }

  /** The frame is taken. Returns how late that is, ms. */
  took(elapsedMs: number): number {
    const late = this.isPaused || this.speed === Number.POSITIVE_INFINITY ? 0 : -this.#waitMs(elapsedMs);
    if (this.isPaused) this.#stepsTaken++;
    if (this.isPaused || this.speed === Number.POSITIVE_INFINITY)
      this.#anchor = { clock: this.#tools.clock.monotonic(), recorded: elapsedMs };
    return late;
  }

  /** The next frame is due at once, wherever it comes from. */
  jump(): void {
    this.#anchor = null;
  }

  dispose(): void {
    this.#following.unsubscribe();
  }

  #wait$(elapsedMs: number): Observable<unknown> {
    const wait = this.#waitMs(elapsedMs);
    if (wait <= 0) return of(null);
    if (wait === Number.POSITIVE_INFINITY) return NEVER;
    return timer(Math.min(wait, longestTimerMs), this.#tools.scheduler).pipe(switchMap(() => this.#wait$(elapsedMs)));
  }

  /** Until the frame may be taken, ms; infinite while it is held. */
  #waitMs(elapsedMs: number): number {
    if (this.isPaused) return (this.#wanted$.value.steps ?? 0) > this.#stepsTaken ? 0 : Number.POSITIVE_INFINITY;
    if (this.speed === Number.POSITIVE_INFINITY) return 0;
    const now = this.#tools.clock.monotonic();
    this.#anchor ??= { clock: now, recorded: elapsedMs };
    if (this.#hasChanged) this.#anchor.recorded = Math.min(this.#anchor.recorded, elapsedMs);
    this.#hasChanged = false;
    return this.#anchor.clock + (elapsedMs - this.#anchor.recorded) / this.speed - now;
  }
}
