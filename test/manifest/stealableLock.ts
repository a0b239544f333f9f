import type { Exclusive } from '../../src/files/fileLock.ts';

/** A lock between writers that a test can take away from its holder, as time takes it from a suspended process. */
export class StealableLock {
  #holder: symbol | null = null;
  #waiting: (() => void)[] = [];

  /** The lock as one writer sees it. */
  exclusive(): Exclusive {
    return async work => {
      const me = Symbol('holder');
      while (this.#holder !== null) await new Promise<void>(resolve => this.#waiting.push(resolve));
      this.#holder = me;
      try {
        return await work();
      } finally {
        if (this.#holder === me) this.steal();
      }
    };
  }

  /** Free for the next that waits; the holder does not notice. */
  steal(): void {
    this.#holder = null;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
