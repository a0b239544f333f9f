import fs from 'node:fs';
import { lstat, mkdir, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import type { ProcessIdentity } from '../model/entry.ts';
import { duration } from '../model/quantity.ts';
import { nodeFiles, openItself, StrangeFileError } from './files.ts';
import { nameSemanticsOf } from './nameSemantics.ts';
import { type Liveness, livenessOf, ownIdentity, sameProcess } from './processIdentity.ts';
import { readBytes } from './readBytes.ts';

/** A lock untouched for so long is free to take; its holder touches it twice as often. */
const staleMs = 10_000;
const longestPauseMs = 40;
/** A new holder takes the folder first and signs a moment later: so long it may take. */
const signingMs = 20;
/** Nobody leaves a lock unsigned for so long: he was killed between taking and signing it, or the disk was full. */
const unsignedMs = 1_000;
/** A time stamp this far ahead of the clock was made before the clock went back. */
const aheadMs = 2_000;

/** Runs work while no other process (nor another caller in this one) runs work under the same lock. */
export type Exclusive = <T>(work: () => Promise<T>) => Promise<T>;

export interface FileLockOptions {
  /** How long to wait for the lock before giving up, ms. */
  patienceMs?: number;
  /**
   * Nobody takes a signed lock from a living holder within this time, ms: he need not look whether it is still his. (Where a clock
   * is set meanwhile somebody may, and loses his own to it: that costs order, not correctness.)
   */
  safeMs?: number;
  own?: ProcessIdentity;
  liveness?: (owner: ProcessIdentity) => Liveness;
}

/**
 * A lock between processes: the folder `<path>.lock` (proper-lockfile; on vfat an empty file, which takes no place on the disk), and beside it
 * `<path>.lock-owner.json`, the process that holds it. After a power cut on a machine without a clock a left lock may look young for ever. So
 * a lock is broken at once when its owner is gone, or when nobody signed it and its time stamp lies in the future; after a second when nobody
 * signed it; and whatever its time stamp says, when it has stayed the same for as long as a holder may leave it untouched.
 *
 * It keeps order and saves work. Correctness does not rest on it: a holder that was suspended loses it without noticing,
 * and two waiters may break one lock both.
 *
 * Callers in this process wait for each other in order. The work must not ask for the same lock again.
 *
 * @throws Error with code `ELOCKED` that names the holder, when it is not free within `patienceMs`.
 */
export function fileLock(path: string, options: FileLockOptions = {}): Exclusive {
  const { patienceMs = 30_000, safeMs = 1_000, own = ownIdentity, liveness = livenessOf } = options;
  const folder = `${path}.lock`;
  const ownerFile = `${path}.lock-owner.json`;
  const ownText = JSON.stringify(own);
  let tail: Promise<unknown> = Promise.resolve();

  const ownerText = (): Promise<string> => readBytes(nodeFiles, ownerFile).then(String, () => '');

  const touched = async (): Promise<number> => (await lstat(folder).catch(() => null))?.mtimeMs ?? Number.NaN;

  async function breakIfOwnerGone(): Promise<void> {
    const before = await touched();
    const text = await ownerText();
    const owner = parseOwner(text);
    if (owner ? liveness(owner) !== 'gone' : before < Date.now() + aheadMs) return;
    await wait(signingMs);
    if ((await touched()) !== before || (await ownerText()) !== text) return;
    await breakLock(folder);
  }

  /**
   * The name is only needed by those who wait: a full disk must not keep anybody from the lock itself.
   * @returns whether it stands there
   */
  async function sign(): Promise<boolean> {
    try {
      // A signature that was left is removed, and so is whatever else stands there: nothing is written through it.
      const file = await openItself(ownerFile, 'wx').catch(async () => {
        await unlink(ownerFile);
        return openItself(ownerFile, 'wx');
      });
      try {
        await file.writeFile(ownText);
      } finally {
        await file.close();
      }
      return true;
    } catch {
      await unlink(ownerFile).catch(() => undefined);
      return false;
    }
  }

  async function acquire(): Promise<{ release: () => Promise<void>; safeUntil: number }> {
    const deadline = performance.now() + patienceMs;
    let seen = { touched: Number.NaN, since: 0 };
    for (let attempt = 0; ; attempt++) {
      const now = performance.now();
      try {
        const release = await lockfile.lock(path, {
          realpath: false,
          lockfilePath: folder,
          fs: lockFs,
          stale: staleMs,
          // The default ends the process; a lost lock only costs a retry here.
          onCompromised: () => undefined,
        });
        return { release, safeUntil: (await sign()) ? now + safeMs : now };
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        const isTaken = code === 'ELOCKED' || code === 'ENOTDIR';
        const wasLink = isTaken && (await removeLink(folder));
        // Not empty: its holder touches it just now.
        if (!wasLink && !['ELOCKED', 'ENOTEMPTY', 'EEXIST'].includes(code ?? '')) throw error;
        if (now > deadline) {
          const locked: NodeJS.ErrnoException = new Error(
            `${path} is locked by ${(await ownerText()) || 'an unknown process'}; waited ${duration(patienceMs)}`,
          );
          locked.code = 'ELOCKED';
          locked.path = path;
          throw locked;
        }
        if (attempt % 10 === 0) {
          const last = await touched();
          const patience = (await ownerText()) === '' ? unsignedMs : staleMs;
          if (last === seen.touched && now - seen.since > patience) await breakLock(folder);
          else await breakIfOwnerGone();
          if (last !== seen.touched) seen = { touched: last, since: now };
        }
        await wait(Math.min(longestPauseMs, 1 + attempt) * (0.5 + Math.random()));
      }
    }
  }

  return work => {
    const result = tail.then(async () => {
      const { release, safeUntil } = await acquire();
      try {
        return await work();
      } finally {
        // A lock that was stolen meanwhile is somebody else's now; proper-lockfile would take it away from him.
        const owner = performance.now() < safeUntil ? own : parseOwner(await ownerText());
        if (!owner || sameProcess(owner, own)) {
          // A signature counts for one taking: left there, it would vouch for whoever takes the lock next and is killed.
          await unlink(ownerFile).catch(() => undefined);
          await release().catch(() => undefined);
        }
      }
    });
    tail = result.catch(() => undefined);
    return result;
  };
}

/**
 * A link in the place of a lock is removed, which takes nothing from anybody: it would never go by itself.
 * @returns whether there was one. @throws StrangeFileError for anything else that was never a lock
 */
async function removeLink(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  if (!found || found.isDirectory()) return false;
  // A lock of vfat, which may have been copied elsewhere.
  if (found.isFile() && found.size === 0) return false;
  if (!found.isSymbolicLink())
    throw new StrangeFileError(path, 'no folder', 'ENOTDIR', { wanted: 'the folder of a lock' });
  await unlink(path).catch(() => undefined);
  return true;
}

function parseOwner(text: string): ProcessIdentity | null {
  try {
    const owner = JSON.parse(text) as ProcessIdentity | null;
    return typeof owner === 'object' ? owner : null;
  } catch {
    return null;
  }
}

type Done = (error: NodeJS.ErrnoException | null) => void;

/** Where times can't be set, a folder is touched by a name that is made and removed in it. */
const touchName = 'touched';
const timesRefused = new Set(['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'EROFS']);

/**
 * The file system as proper-lockfile calls it, also for mounts where times can't be set (CIFS without `uid=`; NTFS, exFAT and vfat that root
 * has mounted) or are kept coarsely: what it asked for is remembered beside what stands there, so that it knows its own lock again.
 */
export function createLockFs(
  base: Pick<typeof fs, 'rmdirSync' | 'stat' | 'utimes'> &
    Record<'mkdir' | 'rmdir', (path: string, done: Done) => void>,
) {
  const asked = new Map<string, { mtime: Date; stands: number }>();
  const remember = (path: string, mtime: Date, done: Done): void => {
    base.stat(path, (error, found) => {
      if (error) return done(error);
      asked.set(path, { mtime, stands: found.mtimeMs });
      done(null);
    });
  };
  return {
    mkdir: base.mkdir,
    utimes: (path: string, accessed: Date, mtime: Date, done: Done): void => {
      base.utimes(path, accessed, mtime, error => {
        if (!error) return remember(path, mtime, done);
        if (!timesRefused.has(error.code!)) return done(error);
        const inside = join(path, touchName);
        // A lock that can't be touched at all looks left after a while; it is one until then. So does one that is a file.
        base.mkdir(inside, () => base.rmdir(inside, () => remember(path, mtime, done)));
      });
    },
    stat: (path: string, done: (error: NodeJS.ErrnoException | null, stat: fs.Stats) => void): void => {
      base.stat(path, (error, found) => {
        const own = asked.get(path);
        const isOwn = !error && own?.stands === found.mtimeMs;
        done(error, isOwn ? Object.create(found, { mtime: { value: own.mtime } }) : found);
      });
    },
    rmdir: (path: string, done: Done): void => {
      asked.delete(path);
      base.rmdir(path, error => {
        if (!isNotEmpty(error)) return done(error);
        base.rmdir(join(path, touchName), () => base.rmdir(path, done));
      });
    },
    rmdirSync: (path: string): void => {
      try {
        base.rmdirSync(path);
      } catch (error) {
        if (!isNotEmpty(error)) throw error;
        base.rmdirSync(join(path, touchName));
        base.rmdirSync(path);
      }
    },
  };
}

const isNotEmpty = (error: unknown): boolean =>
  ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException | null)?.code ?? '');

/** The time of a link that somebody has put in the lock's place is neither read nor set through it. */
const lockFs = createLockFs({
  ...fs,
  stat: fs.lstat,
  utimes: fs.lutimes,
  mkdir: (path, done) => void makeLock(path).then(() => done(null), done),
  rmdir: (path, done) => void removeLock(path).then(() => done(null), done),
  rmdirSync: path => {
    try {
      fs.rmdirSync(path);
    } catch (error) {
      if (!isNoFolder(error)) throw error;
      fs.unlinkSync(path);
    }
  },
});

/**
 * A folder that a power cut leaves half made, or half removed, on vfat makes Linux set the whole disk read-only when it is looked at, and
 * locks come and go several times a second. An empty file is nothing but a name.
 */
async function makeLock(path: string): Promise<void> {
  if ((await nameSemanticsOf(dirname(path))) === 'joined') await (await openItself(path, 'wx')).close();
  else await mkdir(path);
}

/** Whichever it is: the disk may have been another when it was made. */
async function removeLock(path: string): Promise<void> {
  await rmdir(path).catch(error => (isNoFolder(error) ? unlink(path) : Promise.reject(error)));
}

const isNoFolder = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOTDIR';

/** Takes a lock from whoever left it. */
const breakLock = (folder: string): Promise<void> => new Promise(resolve => lockFs.rmdir(folder, () => resolve()));
