/** A captured frame as its entry tells of it. */
export interface CadenceFrame {
  bootId: string | null;
  /** When it was recorded, ms of the monotonic clock of that boot. */
  monotonicMs: number;
}

/** Frames that should have been there between two others; wall clock, ms since 1970 UTC. */
export interface MissedFrames {
  from: number;
  to: number;
  count: number;
}

interface Taken extends CadenceFrame {
  /** When it was seen here: wall clock, and monotonic clock of this process. */
  at: number;
  seenMs: number;
}

/** A frame is overdue after so many intervals, but not before so many ms more than one; the first one may take longer. */
const overdueIntervals = 1.5;
const shortestGraceMs = 5_000;
const firstGraceMs = 30_000;
/** A frame that is late by a whole interval but for this part of one is taken to be late by the whole. */
const toleratedShare = 0.02;

/**
 * Finds missed frames: intervals of the schedule without an entry, by the monotonic times of the entries.
 *
 * The schedule is the one by which the frames came earliest. A frame that is late by whole intervals shows that as many were missed,
 * once the next frame is as late: one that was only recorded late (a slow disk) is followed by one that is in time. What is lost
 * little by little, to a timer that drifts, adds up and counts as well. Pure: the caller gives the time.
 */
export class FrameCadence {
  #intervalMs: number | null = null;
  #begun = { at: 0, seenMs: 0 };
  #last: Taken | null = null;
  /** When the next frame is due, monotonic clock of the boot of the last one. */
  #due = 0;
  #open: { from: Taken; to: Taken; count: number } | null = null;
  #missed = 0;
  #gap: MissedFrames | null = null;

  /** Frames missed in all. */
  get missed(): number {
    return this.#missed;
  }

  /** The newest gap. */
  get lastGap(): MissedFrames | null {
    return this.#gap;
  }

  /**
   * From now on a frame is due every `intervalMs`; null: none is. What lies between the last frame and the next is no gap.
   * Counts stay.
   */
  begin(intervalMs: number | null, at: number, seenMs: number): void {
    if (this.#open) this.#count(this.#open, this.#open.count);
    this.#open = null;
    this.#last = null;
    this.#intervalMs = intervalMs;
    this.#begun = { at, seenMs };
  }

  /** @param at wall clock now @param seenMs monotonic clock now */
  take(frame: CadenceFrame, at: number, seenMs: number): void {
    const intervalMs = this.#intervalMs;
    if (intervalMs === null) return;
    const now: Taken = { ...frame, at, seenMs };
    const before = this.#last;
    this.#last = now;
    const open = this.#open;
    this.#open = null;
    const follows = before !== null && before.bootId === now.bootId && before.monotonicMs <= now.monotonicMs;
    if (!follows) {
      if (open) this.#count(open, open.count);
      this.#due = now.monotonicMs + intervalMs;
      return;
    }
    const due = Math.min(this.#due, now.monotonicMs);
    const late = Math.floor((now.monotonicMs - due) / intervalMs + toleratedShare);
    const confirmed = Math.min(open?.count ?? 0, late);
    if (open) this.#count(open, confirmed);
    if (late > confirmed) this.#open = { from: before, to: now, count: late - confirmed };
    this.#due = due + (confirmed + 1) * intervalMs;
  }

  /** Since when (wall clock) there was no frame though one is due; null when none is overdue. */
  overdueSince(seenMs: number): number | null {
    if (this.#intervalMs === null) return null;
    const { at, seenMs: since } = this.#last ?? this.#begun;
    const grace = this.#last ? shortestGraceMs : firstGraceMs;
    const patience = Math.max(overdueIntervals * this.#intervalMs, this.#intervalMs + grace);
    return seenMs - since > patience ? at : null;
  }

  #count({ from, to }: { from: Taken; to: Taken }, count: number): void {
    if (count <= 0) return;
    this.#missed += count;
    this.#gap = { from: from.at, to: to.at, count };
  }
}
