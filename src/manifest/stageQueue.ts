import TinyQueue from 'tinyqueue';

interface Item {
  id: string;
  /** Place in the order of collection. */
  place: number;
}

/** The heap is built anew when it holds this many items more than twice those that wait. */
const slack = 1024;

/**
 * The entries that wait for one stage, lowest place first, whatever the order in which they came or came back. Taking
 * and giving cost the logarithm of the number waiting. Removal is lazy: the heap forgets an item when it comes up, or when
 * the forgotten outnumber those that wait.
 */
export class StageQueue {
  #heap = new TinyQueue<Item>([], byPlace);
  /** Place of each that waits: an item of the heap with another place is a forgotten one. */
  readonly #waiting = new Map<string, number>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Items held, forgotten ones included. */
  get held(): number {
    return this.#heap.length;
  }

  add(id: string, place: number): void {
    if (this.#waiting.get(id) === place) return;
    this.#waiting.set(id, place);
    this.#heap.push({ id, place });
    if (this.#heap.length > 2 * this.#waiting.size + slack) this.#rebuild();
  }

  delete(id: string): void {
    this.#waiting.delete(id);
  }

  /** The first that waits, without taking it. */
  first(): Item | undefined {
    for (;;) {
      const item = this.#heap.peek();
      if (!item || this.#waiting.get(item.id) === item.place) return item;
      this.#heap.pop();
    }
  }

  #rebuild(): void {
    const items = Array.from(this.#waiting, ([id, place]) => ({ id, place }));
    this.#heap = new TinyQueue(items, byPlace);
  }
}

function byPlace(a: Item, b: Item): number {
  return a.place - b.place;
}
