import { readFileSync } from 'node:fs';

/**
 * How long processes have waited for a core: what a promise in seconds says of a machine that has cores for them is not held against
 * one whose cores others take. A process that sleeps, or waits for a lock, waits for no core.
 */
export class CoreWaits {
  readonly #waited = new Map<number, number>();

  /** Of all processes that were ever given, together, ms. 0 where the system does not tell. */
  ms(pids: Iterable<number>): number {
    for (const pid of pids) {
      try {
        const [, waited = '0'] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
        this.#waited.set(pid, Number(waited) / 1e6);
      } catch {
        // It has ended, and waits no more.
      }
    }
    return [...this.#waited.values()].reduce((sum, each) => sum + each, 0);
  }
}
