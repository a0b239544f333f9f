/** Time as pure code sees it; tests give their own. */
export interface Clock {
  /** Milliseconds since 1970 UTC, with fractions where the source has them. It may jump. */
  now(): number;
  /** Milliseconds since an arbitrary moment of this boot; never goes back. */
  monotonic(): number;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  monotonic: () => Number(process.hrtime.bigint() / 1000n) / 1000,
};
