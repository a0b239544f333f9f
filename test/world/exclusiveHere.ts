import type { Exclusive } from '../../src/files/fileLock.ts';

/** A lock between callers of this process. */
export function exclusiveHere(): Exclusive {
  let tail: Promise<unknown> = Promise.resolve();
  return work => {
    const result = tail.then(work);
    tail = result.catch(() => undefined);
    return result;
  };
}
