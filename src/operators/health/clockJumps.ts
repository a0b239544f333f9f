import type { Clock } from '../../model/clock.ts';

export interface ClockJump {
  /** By how much it was set, ms; negative: back. */
  byMs: number;
  /** Wall clock after it, ms since 1970 UTC. */
  at: number;
}

/** A time server's gentle corrections stay below this between two looks, ms. */
const smallestJumpMs = 1_000;

/** Sees whether somebody has set the wall clock: it and the monotonic clock have gone on by different times since the last look. */
export class ClockJumps {
  readonly #clock: Clock;
  #offset: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offset = clock.now() - clock.monotonic();
  }

  detect(): ClockJump | null {
    const at = this.#clock.now();
    const offset = at - this.#clock.monotonic();
    const byMs = offset - this.#offset;
    this.#offset = offset;
    return Math.abs(byMs) < smallestJumpMs ? null : { byMs, at };
  }
}
