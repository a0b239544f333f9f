/** Lets so many bytes a second pass, over all that use it. */
export interface Throttle {
  /** How much to move at a time, so that a slow limit still shows progress. */
  readonly chunkBytes: number;
  /** Resolves when so many bytes may pass. `heartbeat` is called meanwhile: to wait is no hanging. */
  take(bytes: number, heartbeat: () => void): Promise<void>;
}

const largestChunk = 1 << 20;
const smallestChunk = 4096;
/** While one waits, it is told so often, ms. */
const heartbeatEveryMs = 1000;

/**
 * @param bytesPerSecond 0: no limit.
 * @param time `now` in ms, monotonic; `wait` resolves after so many ms.
 */
export function createThrottle(
  bytesPerSecond: number,
  time: { now: () => number; wait: (ms: number) => Promise<unknown> },
): Throttle {
  if (bytesPerSecond === 0) return { chunkBytes: largestChunk, take: async () => undefined };
  /** When the link is free again. */
  let freeAt = time.now();
  return {
    chunkBytes: Math.min(largestChunk, Math.max(smallestChunk, Math.floor(bytesPerSecond / 4))),
    async take(bytes, heartbeat) {
      const begin = Math.max(freeAt, time.now());
      freeAt = begin + (bytes / bytesPerSecond) * 1000;
      for (let left = begin - time.now(); left > 0; left = begin - time.now()) {
        await time.wait(Math.min(left, heartbeatEveryMs));
        heartbeat();
      }
    },
  };
}
