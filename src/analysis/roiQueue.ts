/**
 * The ROIs of one frame, which any number of threads take in ranges: a thread that is slow, or joins late, takes fewer. Lives
 * in shared memory; the frame's owner makes it, helpers are given its `memory`.
 *
 * Contract: a helper calls `join` first and `leave` last, and touches the frame's pixels only in between and for ranges
 * that it was given. Once `close` has been called and `helpersLeft` has returned, nobody touches them any more.
 */
export interface RoiQueue {
  readonly memory: SharedArrayBuffer;
  /** ROIs that nobody has taken. */
  left(): number;
  /** The next range, `end` not included; null when all are taken. */
  take(): { first: number; end: number } | null;
  /** Gives no more ranges. */
  close(): void;
  join(): void;
  leave(): void;
  /** Blocks this thread until every helper has left. One that died never does: the owner is to be ended then. */
  helpersLeft(): void;
}

/** ROIs taken at a time: some milliseconds of work, so that all end at about the same time. */
const grain = 2;

/** Places in the shared memory. */
const nextRoi = 0;
const helpers = 1;

/** @param memory of a queue that another thread has made; absent: a new one */
export function createRoiQueue(rois: number, memory = new SharedArrayBuffer(8)): RoiQueue {
  const state = new Int32Array(memory);
  return {
    memory,
    left: () => Math.max(0, rois - Atomics.load(state, nextRoi)),
    take() {
      // Looked at first, since threads that come for nothing must not count it past its range.
      if (Atomics.load(state, nextRoi) >= rois) return null;
      const first = Atomics.add(state, nextRoi, grain);
      return first < rois ? { first, end: Math.min(first + grain, rois) } : null;
    },
    close: () => void Atomics.store(state, nextRoi, rois),
    join: () => void Atomics.add(state, helpers, 1),
    leave() {
      Atomics.sub(state, helpers, 1);
      Atomics.notify(state, helpers);
    },
    helpersLeft() {
      for (;;) {
        const count = Atomics.load(state, helpers);
        if (count === 0) return;
        Atomics.wait(state, helpers, count);
      }
    },
  };
}
