/** A set of whole numbers that come mostly one after another. */
export class NumberRanges {
  /** Ascending, apart from each other; without `to`. */
  #ranges: { from: number; to: number }[] = [];

  /** From `from` up to, but without, `to`. */
  add(from: number, to = from + 1): void {
    if (to <= from) return;
    const last = this.#ranges.at(-1);
    if (last && from >= last.from && from <= last.to) {
      last.to = Math.max(last.to, to);
      return;
    }
    const apart = this.#ranges.filter(range => range.to < from || range.from > to);
    const touching = this.#ranges.filter(range => range.to >= from && range.from <= to);
    const joined = {
      from: Math.min(from, ...touching.map(range => range.from)),
      to: Math.max(to, ...touching.map(range => range.to)),
    };
    this.#ranges = [...apart, joined].sort((a, b) => a.from - b.from);
  }

  /** How many of them are below a number. */
  countBelow(limit: number): number {
    return this.#ranges.reduce((sum, { from, to }) => sum + Math.max(0, Math.min(to, limit) - from), 0);
  }

  /** The first number from this one up that is not in it. */
  firstMissing(from: number): number {
    return this.#ranges.find(range => from >= range.from && from < range.to)?.to ?? from;
  }

  /** What is not in it, from `from` up to, but without, `to`. */
  missing(from: number, to: number): NumberRanges {
    const missing = new NumberRanges();
    let at = from;
    for (const range of this.#ranges) {
      missing.add(Math.max(at, from), Math.min(range.from, to));
      at = Math.max(at, range.to);
    }
    missing.add(at, to);
    return missing;
  }

  addAll(others: NumberRanges): void {
    for (const { from, to } of others.#ranges) this.add(from, to);
  }
}
