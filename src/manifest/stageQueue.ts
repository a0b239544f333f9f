import TinyQueue from 'tinyqueue';

interface Item {
  id: string;
  /** Place in the order of collection. */
  place: number;
}

/**
 * The entries that wait for one stage, lowest place first, whatever the order in which they came or came back. Taking
 * and giving cost the logarithm of the number waiting. Removal is lazy: the heap forgets an item when it comes up.
 */
export class StageQueue {
  readonly #heap = new TinyQueue<Item>([], (a, b) => a.place - b.place);
  readonly #waiting = new Set<string>();

  get size(): number {
    return this.#waiting.size;
  }

  add(id: string, place: number): void {
    if (this.#waiting.has(id)) return;
    this.#waiting.add(id);
    this.#heap.push({ id, place });
  }

  delete(id: string): void {
    this.#waiting.delete(id);
  }

  /** The first that waits, without taking it. */
  first(): Item | undefined {
    for (;;) {
      const item = this.#heap.peek();
      if (!item || this.#waiting.has(item.id)) return item;
      this.#heap.pop();
    }
  }
}
