/**
 * The ROIs of one frame, which any number of threads take in ranges while the frame is still being decoded: a thread that is
 * slow, or joins late, takes fewer. Lives in shared memory; the frame's owner makes it, helpers are given its `memory`.
 *
 * It gives places in an order that all threads agree on, by the rows that ROIs need. The saturation level is known when all
 * rows are; what was analysed before may have to be done again, and is given a second time for that.
 *
 * Contract: a helper calls `join` first and `leave` last, and touches the frame's pixels only in between, for places
 * that it was given, and in rows that are there. Once `close` has been called and `helpersLeft` has returned, nobody touches
 * them any more.
 */
export interface RoiQueue {
  readonly memory: SharedArrayBuffer;
  /** ROIs that nobody has taken. */
  left(): number;
  /** The next range of places, `end` not included; null when all are taken. */
  take(): { first: number; end: number } | null;
  /** Blocks this thread until so many rows are there; false when they never will be. */
  waitForRows(count: number): boolean;
  /** The level; null while it is not known. To be asked after a place was taken and before it is analysed. */
  saturation(): number | null;
  /** Blocks this thread until it is known; null when it never will be. */
  waitForSaturation(): number | null;
  /** The next of the places that may have been analysed before the level was known; null when all are taken again. */
  takeAgain(): number | null;
  /** Tells that the first `count` rows are there. */
  rowsDone(count: number): void;
  /** Tells the level. All rows are there. */
  allDone(saturation: number): void;
  /** Gives no more ranges. Rows that are not there, and a level that is not known, never will be. */
  close(): void;
  join(): void;
  leave(): void;
  /** Blocks this thread until every helper has left. One that died never does: the owner is to be ended then. */
  helpersLeft(): void;
}

/** ROIs taken at a time: some milliseconds of work, so that all end at about the same time. */
const grain = 2;

/** Places in the shared memory, of four bytes. */
const nextRoi = 0;
const helpers = 1;
/** Rows that are there; `never`: no more will be. */
const rows = 2;
const isKnown = 3;
/** Places to be looked at again, plus one; 0: not known yet; `never`: it will not be. */
const again = 4;
const nextAgain = 5;
/** The saturation level, eight bytes. */
const level = 3;
const size = 32;
const never = -1;

/** @param memory of a queue that another thread has made; absent: a new one */
export function createRoiQueue(rois: number, memory = new SharedArrayBuffer(size)): RoiQueue {
  const state = new Int32Array(memory);
  const levels = new Float64Array(memory);

  function signal(place: number, value: number): void {
    Atomics.store(state, place, value);
    Atomics.notify(state, place);
  }

  return {
    memory,
    left: () => Math.max(0, rois - Atomics.load(state, nextRoi)),
    take() {
      // Looked at first, since threads that come for nothing must not count it past its range.
      if (Atomics.load(state, nextRoi) >= rois) return null;
      const first = Atomics.add(state, nextRoi, grain);
      return first < rois ? { first, end: Math.min(first + grain, rois) } : null;
    },
    waitForRows(count) {
      for (;;) {
        const there = Atomics.load(state, rows);
        if (there === never) return false;
        if (there >= count) return true;
        Atomics.wait(state, rows, there);
      }
    },
    saturation: () => (Atomics.load(state, isKnown) === 0 ? null : levels[level]),
    waitForSaturation() {
      while (Atomics.load(state, again) === 0) Atomics.wait(state, again, 0);
      return Atomics.load(state, again) === never ? null : levels[level];
    },
    takeAgain() {
      const place = Atomics.add(state, nextAgain, 1);
      return place < Atomics.load(state, again) - 1 ? place : null;
    },
    rowsDone: count => signal(rows, count),
    allDone(saturation) {
      levels[level] = saturation;
      Atomics.store(state, isKnown, 1);
      // Whoever did not see the level has taken its places before this line.
      signal(again, Math.min(Atomics.load(state, nextRoi), rois) + 1);
    },
    close() {
      Atomics.store(state, nextRoi, rois);
      if (Atomics.load(state, again) > 0) return;
      signal(rows, never);
      signal(again, never);
    },
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
