const firstCapacity = 1024;

/**
 * Numbers ids in the order in which they come, from 0. A million of them take about 50 MB, a third of what a `Map` of
 * strings takes: whatever looks at a whole experiment at once holds its ids in one of these.
 */
export class IdTable {
  /** Number of the id + 1, by hash; 0: free. Never more than half full. */
  #slots = new Int32Array(2 * firstCapacity);
  #hashes = new Uint32Array(firstCapacity);
  /** All ids as UTF-8, one behind the other, and where each ends. */
  #bytes: Buffer = Buffer.allocUnsafe(32 * firstCapacity);
  #ends = new Float64Array(firstCapacity);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The id's number; a new one when it was not there, which is then `size - 1`. */
  add(id: string): number {
    const hash = hashOf(id);
    const slot = this.#slotOf(id, hash);
    const there = this.#slots[slot]!;
    if (there > 0) return there - 1;
    const number = this.#size++;
    if (number === this.#hashes.length) this.#grow();
    const begin = this.#end(number - 1);
    const length = Buffer.byteLength(id);
    if (begin + length > this.#bytes.length) {
      const more = Buffer.allocUnsafe(2 * this.#bytes.length + length);
      this.#bytes.copy(more, 0, 0, begin);
      this.#bytes = more;
    }
    this.#bytes.write(id, begin);
    this.#ends[number] = begin + length;
    this.#hashes[number] = hash;
    this.#slots[this.#slotOf(id, hash)] = number + 1;
    return number;
  }

  /** The id's number, or -1. */
  find(id: string): number {
    return this.#slots[this.#slotOf(id, hashOf(id))]! - 1;
  }

  id(number: number): string {
    return this.#bytes.toString('utf8', this.#end(number - 1), this.#end(number));
  }

  #end(number: number): number {
    return number < 0 ? 0 : this.#ends[number]!;
  }

  /** Where the id stands, or the free slot where it would. */
  #slotOf(id: string, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot]! - 1;
      if (number < 0 || (this.#hashes[number] === hash && this.id(number) === id)) return slot;
    }
  }

  #grow(): void {
    const capacity = 2 * this.#hashes.length;
    const hashes = new Uint32Array(capacity);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    const ends = new Float64Array(capacity);
    ends.set(this.#ends);
    this.#ends = ends;
    this.#slots = new Int32Array(2 * capacity);
    const mask = this.#slots.length - 1;
    for (let number = 0; number < capacity / 2; number++) {
      let slot = hashes[number]! & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = number + 1;
    }
  }
}

/** FNV-1a over the code units, its bits mixed once more: ids of one source differ in their last characters only. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return (hash ^ (hash >>> 15)) >>> 0;
}
