import type { LegacyNote } from './imageTimes.ts';

/** Says the first of a kind in full and the number of all of them once, so that 100,000 alike are two lines in a log. */
export class NoteTally {
  readonly #note: (note: LegacyNote) => void;
  readonly #counts = new Map<string, number>();

  constructor(note: (note: LegacyNote) => void) {
    this.#note = note;
  }

  count(kind: string, first: string): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count === 1) this.#note({ level: 'warning', message: first });
  }

  /** Says how many there were, unless the first was all; again only when there are more. */
  sum(kind: string, message: (count: number) => string): void {
    const count = this.#counts.get(kind) ?? 0;
    if (count > 1) this.#note({ level: 'warning', message: message(count) });
    if (count > 1) this.#counts.set(kind, 1);
  }
}
