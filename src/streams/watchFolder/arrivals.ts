import type { FileStat } from '../../files/files.ts';
import type { Wholeness } from '../../image/isWholeImage.ts';
import { naturalOrder } from '../folder/naturalOrder.ts';

/** What of a file changes when it is written to, or another takes its place. */
export type FileState = Pick<FileStat, 'size' | 'mtimeMs' | 'ino'>;

/** An image that has come, and was not taken in yet. */
export interface Arrival extends FileState {
  /** Below the watched folder. */
  path: string;
  wholeness: Wholeness | null;
  /** It came after an image that follows it by name was taken in. */
  isLate: boolean;
}

interface Waiting extends Omit<Arrival, 'isLate'> {
  /** When it was looked at first among those whose turn comes next: from then on the others have waited for it. */
  heldMs: number | null;
  /** Of the last change. */
  changedMs: number;
  /** When it shall be looked at again. */
  dueMs: number;
}

export interface ArrivalOptions {
  order: 'name' | 'time';
  /** An image that has not changed for so long is at rest, ms. */
  settleMs: number;
  /** One that is cut off is waited for so long after its last change, and holds the others no longer, ms. */
  patienceMs: number;
}

/** A doubtful image rests so many times as long. */
const doubtfulRests = 10;
/** So many images are looked at to find those whose turn it is: the others wait behind them. */
const maxLookedAt = 128;
const maxInserted = 50;

/**
 * The images that have come, from the first sight of each to its turn: it must rest, be whole, and no image may be before it in the
 * order that is still being written. One that never becomes whole has its turn when it has not changed for long, so that it becomes a
 * failed entry and no gap. Pure: the caller looks at the files and gives the time (monotonic, ms).
 */
export class Arrivals {
  readonly #options: ArrivalOptions;
  readonly #waiting = new Map<string, Waiting>();
  #ordered: Waiting[] = [];
  /** Not in their places yet. */
  #added: Waiting[] = [];
  #lastPath: string | null = null;

  constructor(options: ArrivalOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** What a look at a file has found; null: it is not there, or is not to be taken in. */
  see(path: string, found: FileState | null, nowMs: number): void {
    const { settleMs, order } = this.#options;
    const known = this.#waiting.get(path);
    if (found === null) {
      if (known) this.#remove(known);
      this.#waiting.delete(path);
      return;
    }
    const { size, mtimeMs, ino } = found;
    if (!known) {
      const times = { heldMs: null, changedMs: nowMs, dueMs: nowMs + settleMs };
      const waiting: Waiting = { path, size, mtimeMs, ino, wholeness: null, ...times };
      this.#waiting.set(path, waiting);
      this.#added.push(waiting);
    } else if (known.size !== size || known.mtimeMs !== mtimeMs || known.ino !== ino) {
      Object.assign(known, { size, mtimeMs, ino, wholeness: null, changedMs: nowMs, dueMs: nowMs + settleMs });
      if (order === 'time') {
        this.#remove(known);
        this.#added.push(known);
      }
    } else if (nowMs >= known.dueMs) known.dueMs = nowMs + settleMs;
  }

  /** Whether it is at rest, and nobody has said yet whether it is whole. */
  isToJudge(path: string, nowMs: number): boolean {
    const known = this.#waiting.get(path);
    return known?.wholeness === null && nowMs - known.changedMs >= this.#options.settleMs;
  }

  /** It has not changed since it was seen last, and is this. */
  judge(path: string, wholeness: Wholeness): void {
    const known = this.#waiting.get(path);
    if (known) known.wholeness = wholeness;
  }

  /** Images that must be looked at now. */
  due(nowMs: number): { path: string; wholeness: Wholeness | null }[] {
    const due = this.#next(nowMs).filter(({ dueMs }) => dueMs <= nowMs);
    for (const image of due) image.heldMs ??= nowMs;
    return due;
  }

  /** When the next one must be looked at; null: none waits. */
  nextDueMs(nowMs: number): number | null {
    return this.#next(nowMs).reduce<number | null>(
      (next, { dueMs }) => (next === null || dueMs < next ? dueMs : next),
      null,
    );
  }

  /** Takes out the images whose turn it is, up to `most`, in order. */
  take(nowMs: number, most: number): Arrival[] {
    const taken: Arrival[] = [];
    const left: Waiting[] = [];
    this.#order();
    let at = 0;
    for (; at < this.#ordered.length && taken.length < most; at++) {
      const image = this.#ordered[at]!;
      if (this.#isReady(image, nowMs)) taken.push(this.#out(image));
      else if (this.#holds(image, nowMs)) break;
      else left.push(image);
    }
    if (at > 0) this.#ordered = [...left, ...this.#ordered.slice(at)];
    return taken;
  }

  #out({ path, size, mtimeMs, ino, wholeness }: Waiting): Arrival {
    this.#waiting.delete(path);
    const isLate = this.#options.order === 'name' && this.#lastPath !== null && naturalOrder(path, this.#lastPath) < 0;
    if (!isLate) this.#lastPath = path;
    return { path, size, mtimeMs, ino, wholeness, isLate };
  }

  #isReady({ wholeness, changedMs }: Waiting, nowMs: number): boolean {
    const { settleMs, patienceMs } = this.#options;
    if (wholeness === null) return false;
    const rest = wholeness === 'whole' ? settleMs : wholeness === 'doubtful' ? doubtfulRests * settleMs : patienceMs;
    return nowMs - changedMs >= Math.min(rest, Math.max(settleMs, patienceMs));
  }

  /** Whether others wait for it. */
  #holds({ heldMs }: Waiting, nowMs: number): boolean {
    return heldMs === null || nowMs - heldMs < this.#options.patienceMs;
  }

  /** Those whose turn comes next, and those that hold the others no longer. */
  #next(nowMs: number): Waiting[] {
    this.#order();
    const found: Waiting[] = [];
    let inTurn = 0;
    for (const image of this.#ordered) {
      found.push(image);
      if ((this.#holds(image, nowMs) || this.#isReady(image, nowMs)) && ++inTurn === maxLookedAt) break;
    }
    return found;
  }

  #remove(image: Waiting): void {
    this.#order();
    this.#ordered.splice(this.#ordered.indexOf(image), 1);
  }

  /** Puts those that were added into their places: few one by one, since thousands may wait, and many at once. */
  #order(): void {
    const added = this.#added;
    if (added.length === 0) return;
    this.#added = [];
    const byName = (a: Waiting, b: Waiting): number => naturalOrder(a.path, b.path);
    const compare =
      this.#options.order === 'name' ? byName : (a: Waiting, b: Waiting) => a.mtimeMs - b.mtimeMs || byName(a, b);
    if (added.length > maxInserted) {
      this.#ordered = [...this.#ordered, ...added].sort(compare);
      return;
    }
    for (const image of added) {
      let [from, to] = [0, this.#ordered.length];
      while (from < to) {
        const middle = (from + to) >> 1;
        if (compare(this.#ordered[middle]!, image) < 0) from = middle + 1;
        else to = middle;
      }
      this.#ordered.splice(from, 0, image);
    }
  }
}
