/** Time as pure code sees it; tests give their own. */
export interface Clock {
  /** Milliseconds since 1970 UTC, with fractions where the source has them. It may jump. */
  now(): number;
  /** Milliseconds since an arbitrary moment of this boot; never goes back. */
  monotonic(): number;
}

/** The wall clock tells whole milliseconds; what lies further from it was not rounding: somebody has set it, ms. */
const maxOffMs = 2;

/** When `performance.now()` was 0 by the wall clock, as that is set now; Node's own `timeOrigin` stays with what it was at the start. */
let origin = performance.timeOrigin;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => {
    const elapsed = performance.now();
    const wall = Date.now();
    if (Math.abs(origin + elapsed - wall) > maxOffMs) origin = wall - elapsed;
    return origin + elapsed;
  },
  monotonic: () => Number(process.hrtime.bigint() / 1000n) / 1000,
};
