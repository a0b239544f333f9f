import { readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import type { ProcessIdentity } from '../model/entry.ts';
import type { Exclusive } from './exclusive.ts';
import { type Liveness, livenessOf, ownIdentity } from './processIdentity.ts';

/** A lock untouched for so long is free to take; its holder touches it twice as often. */
const staleMs = 10_000;
const longestPauseMs = 40;

export interface FileLockOptions {
  /** How long to wait for the lock before giving up, ms. */
  patienceMs?: number;
  own?: ProcessIdentity;
  liveness?: (owner: ProcessIdentity) => Liveness;
}

/**
 * A lock between processes: the folder `<path>.lock` (proper-lockfile), and beside it `<path>.lock-owner.json`, the
 * process that took it last. After a power cut on a machine without a clock a left lock may look young for ever: a lock
 * whose owner is gone is therefore broken at once.
 *
 * It keeps order and saves work. Correctness does not rest on it: a holder that was suspended loses it without noticing,
 * and two waiters may break one lock both.
 *
 * Callers in this process wait for each other in order. The work must not ask for the same lock again.
 *
 * @throws Error with code `ELOCKED` that names the holder, when it is not free within `patienceMs`.
 */
export function fileLock(path: string, options: FileLockOptions = {}): Exclusive {
  const { patienceMs = 30_000, own = ownIdentity, liveness = livenessOf } = options;
  const folder = `${path}.lock`;
  const ownerFile = `${path}.lock-owner.json`;
  const ownText = JSON.stringify(own);
  let tail: Promise<unknown> = Promise.resolve();

  const ownerText = (): Promise<string> => readFile(ownerFile, 'utf8').catch(() => '');

  const touched = async (): Promise<number> => (await stat(folder).catch(() => null))?.mtimeMs ?? Number.NaN;

  async function breakIfOwnerGone(): Promise<void> {
    const before = await touched();
    const text = await ownerText();
    let owner: ProcessIdentity;
    try {
      owner = JSON.parse(text) as ProcessIdentity;
    } catch {
      return;
    }
    if (liveness(owner) !== 'gone') return;
    // A new holder takes the folder first and signs a moment later: look twice before taking its name for the old one's.
    await wait(20);
    if ((await touched()) !== before || (await ownerText()) !== text) return;
    await rmdir(folder).catch(() => undefined);
  }

  async function acquire(): Promise<() => Promise<void>> {
    const deadline = performance.now() + patienceMs;
    for (let attempt = 0; ; attempt++) {
      try {
        const release = await lockfile.lock(path, {
          realpath: false,
          lockfilePath: folder,
          stale: staleMs,
          // The default ends the process; a lost lock only costs a retry here.
          onCompromised: () => undefined,
        });
        if ((await ownerText()) !== ownText) await writeFile(ownerFile, ownText);
        return release;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
        if (performance.now() > deadline) {
          const locked: NodeJS.ErrnoException = new Error(
            `${path} is locked by ${(await ownerText()) || 'an unknown process'}; waited ${patienceMs / 1000} s`,
          );
          locked.code = 'ELOCKED';
          locked.path = path;
          throw locked;
        }
        if (attempt % 10 === 0) await breakIfOwnerGone();
        await wait(Math.min(longestPauseMs, 1 + attempt) * (0.5 + Math.random()));
      }
    }
  }

  return work => {
    const result = tail.then(async () => {
      const release = await acquire();
      try {
        return await work();
      } finally {
        // Refused when the lock was stolen meanwhile: it is somebody else's now.
        await release().catch(() => undefined);
      }
    });
    tail = result.catch(() => undefined);
    return result;
  };
}
