type Numbers = Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

const firstLength = 1024;

/** Numbers one behind the other in a typed array that grows: what is noted of a million entries, in a few bytes each. */
export class Column<T extends Numbers> {
  #values: T;
  readonly #make: (length: number) => T;

  constructor(make: (length: number) => T) {
    this.#make = make;
    this.#values = make(firstLength);
  }

  /** 0 where nothing was set. */
  get(index: number): number {
    return this.#values[index] ?? 0;
  }

  set(index: number, value: number): void {
    if (index >= this.#values.length) {
      const more = this.#make(Math.max(2 * this.#values.length, index + 1));
      more.set(this.#values);
      this.#values = more;
    }
    this.#values[index] = value;
  }
}

export const bytes = (): Column<Uint8Array<ArrayBuffer>> => new Column(length => new Uint8Array(length));
export const integers = (): Column<Int32Array<ArrayBuffer>> => new Column(length => new Int32Array(length));
export const doubles = (): Column<Float64Array<ArrayBuffer>> => new Column(length => new Float64Array(length));
