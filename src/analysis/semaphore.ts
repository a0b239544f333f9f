/** Semaphore of a fixed number of threads. */
export interface Semaphore {
  /** Resolves when it is one's turn, in order of asking; rejects, without one, with the signal's reason. */
  take(signal: AbortSignal): Promise<void>;
  /** Takes a turn that nobody waits for, if there is one. */
  takeSpare(): boolean;
  give(): void;
}

/** @param onSpare called when a turn was given back that nobody waited for */
export function createSemaphore(count: number, onSpare: () => void): Semaphore {
  let free = count;
  const waiting: (() => void)[] = [];

  return {
    async take(signal) {
      if (free > 0) {
        free--;
        return;
      }
      await new Promise<void>((resolve, reject) => {
        const begin = (): void => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const leave = (): void => {
          waiting.splice(waiting.indexOf(begin), 1);
          reject(signal.reason);
        };
        waiting.push(begin);
        signal.addEventListener('abort', leave, { once: true });
      });
    },
    takeSpare() {
      if (free === 0) return false;
      free--;
      return true;
    },
    give() {
      const next = waiting.shift();
      if (next !== undefined) return next();
      free++;
      onSpare();
    },
  };
}
