import type { Liveness } from '../files/processIdentity.ts';
import { IdTable } from '../manifest/idTable.ts';
import type { Entry, ProcessIdentity, ProcessingStatus, ResultLocation } from '../model/entry.ts';
import { bytes, doubles, integers } from './column.ts';

const statuses = ['pending', 'processing', 'processed', 'failed', 'skip'] as const satisfies ProcessingStatus[];

const bits = { transmitted: 1, moving: 2, left: 4, foreign: 8, imageless: 16 } as const;

/** What the other files are held against: a few numbers an entry, in about 100 bytes with its id. */
export class EntryLedger {
  readonly #ids = new IdTable();
  readonly #status = bytes();
  readonly #bits = bytes();
  readonly #attempt = integers();
  readonly #counting = bytes();
  readonly #order = doubles();
  readonly #segment = integers();
  readonly #offset = doubles();
  readonly #length = integers();

  get size(): number {
    return this.#ids.size;
  }

  /** @param order greater for what was collected later. */
  add(entry: Entry, order: number, liveness: (owner: ProcessIdentity) => Liveness): number {
    const number = this.#ids.add(entry.entry_id);
    const owners = Object.values(entry.claims).map(owner => liveness(owner));
    let set = 0;
    if (entry.data_transmitted) set |= bits.transmitted;
    if (owners.some(owner => owner !== 'gone')) set |= bits.moving;
    else if (owners.length > 0) set |= bits.left;
    // No attempt of ours: the Python system analysed it, and left no place of its result.
    if (entry.attempt === 0) set |= bits.foreign;
    this.#status.set(number, statuses.indexOf(entry.processing_status));
    this.#bits.set(number, set);
    this.#attempt.set(number, entry.attempt);
    this.#order.set(number, order);
    this.#segment.set(number, entry.result?.segment ?? -1);
    this.#offset.set(number, entry.result?.offset ?? 0);
    this.#length.set(number, entry.result?.length ?? 0);
    return number;
  }

  /** Number of an entry, or -1. */
  find(id: string): number {
    return this.#ids.find(id);
  }

  id(number: number): string {
    return this.#ids.id(number);
  }

  status(number: number): ProcessingStatus {
    return statuses[this.#status.get(number)]!;
  }

  attempt(number: number): number {
    return this.#attempt.get(number);
  }

  order(number: number): number {
    return this.#order.get(number);
  }

  isTransmitted(number: number): boolean {
    return (this.#bits.get(number) & bits.transmitted) > 0;
  }

  /** A living process has it in flight. */
  isMoving(number: number): boolean {
    return (this.#bits.get(number) & bits.moving) > 0;
  }

  /** A process that is gone had it in flight: the next start finishes it. */
  isLeft(number: number): boolean {
    return (this.#bits.get(number) & bits.left) > 0;
  }

  isForeign(number: number): boolean {
    return (this.#bits.get(number) & bits.foreign) > 0;
  }

  /** Its image was removed, or is not to be found: it can't be analysed again. */
  isImageless(number: number): boolean {
    return (this.#bits.get(number) & bits.imageless) > 0;
  }

  setImageless(number: number): void {
    this.#bits.set(number, this.#bits.get(number) | bits.imageless);
  }

  /** Where the manifest says that the counting result stands; null when it says nothing. */
  place(number: number): ResultLocation | null {
    const segment = this.#segment.get(number);
    return segment < 0 ? null : { segment, offset: this.#offset.get(number), length: this.#length.get(number) };
  }

  /** Counts one more counting result line, and says how many there are now. */
  countResult(number: number): number {
    const count = Math.min(255, this.#counting.get(number) + 1);
    this.#counting.set(number, count);
    return count;
  }

  counting(number: number): number {
    return this.#counting.get(number);
  }
}
