import { readFileSync } from 'node:fs';

/**
 * The time as it goes by for processes, ms: `performance.now()` without what they have waited for a core, all of them together. A promise
 * in seconds is one of a machine that has cores for the program, and is not held against one whose cores others take. Who sleeps, or
 * waits for a lock or a disk, waits for no core. Where the system does not tell, it is the plain time.
 */
export function timeOf(pids: () => Iterable<number> = () => [process.pid]): () => number {
  const waited = new Map<number, number>();
  return () => {
    for (const pid of pids()) {
      try {
        const [, nanoseconds = '0'] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
        waited.set(pid, Number(nanoseconds) / 1e6);
      } catch {
        // It has ended, and waits no more.
      }
    }
    return performance.now() - [...waited.values()].reduce((sum, each) => sum + each, 0);
  };
}
