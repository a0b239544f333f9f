import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import lockfile from 'proper-lockfile';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLockFs, fileLock } from '../../src/files/fileLock.ts';
import { ownIdentity } from '../../src/files/processIdentity.ts';
import { patience } from '../world/patience.ts';
import { timeOf } from '../world/timeOf.ts';

let folder: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phorest-lock-'));
  path = join(folder, 'manifest.json');
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await chmod(folder, 0o755);
  await rm(folder, { recursive: true, force: true });
});

/** A lock that somebody has left behind, touched now or at another time. */
async function leaveLock(owner: string | null, touched = new Date()): Promise<void> {
  await mkdir(`${path}.lock`);
  await utimes(`${path}.lock`, touched, touched);
  if (owner !== null) await writeFile(`${path}.lock-owner.json`, owner);
}

async function holder(): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('./holdLockProgram.ts', import.meta.url));
  const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout!, 'data');
  return child;
}

const gone = JSON.stringify({ ...ownIdentity, pid_start: 1 });
const inAnHour = (): Date => new Date(Date.now() + 3_600_000);

test('callers in one process have their turns, in order, and a failure of one is his alone', async () => {
  const lock = fileLock(path);
  const seen: string[] = [];
  const turn = (name: string) =>
    lock(async () => {
      seen.push(`${name} in`);
      await Promise.resolve();
      seen.push(`${name} out`);
      if (name === 'b') throw new Error('of b');
      return name;
    });
  const [a, b, c] = await Promise.allSettled([turn('a'), turn('b'), turn('c')]);
  expect(seen).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
  expect([a.status, b.status, c.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await readdir(folder)).toEqual([]);
});

test.each([
  ['a process that is gone', gone, new Date()],
  ['a process that is gone, touched in the future', gone, inAnHour()],
  ['nobody, touched in the future (a power cut before the name was on the disk)', '', inAnHour()],
  ['nobody, whose name was never there', null, inAnHour()],
  ['a process of an earlier boot', JSON.stringify({ ...ownIdentity, boot_id: 'earlier' }), inAnHour()],
])('a lock left by %s is taken at once', async (_who, owner, touched) => {
  await leaveLock(owner, touched);
  const now = timeOf();
  const start = now();
  expect(await fileLock(path)(async () => 'mine')).toBe('mine');
  expect(now() - start).toBeLessThan(1_000);
});

test('a lock that is an empty file, as on vfat, is taken from who left it like any other', async () => {
  await writeFile(`${path}.lock`, '');
  await writeFile(`${path}.lock-owner.json`, gone);
  expect(await fileLock(path)(async () => 'mine')).toBe('mine');
  expect(await readdir(folder)).toEqual([]);
});

test('a lock whose taker was killed before he could sign it is taken soon, though others who had it before him live', async () => {
  const child = await holder();
  child.kill('SIGSTOP');
  await rm(`${path}.lock-owner.json`);
  const now = timeOf();
  const start = now();
  await fileLock(path)(async () => undefined);
  expect(now() - start).toBeLessThan(4_000);
});

test('who waits in vain is told who holds it', async () => {
  const child = await holder();
  const waiting = fileLock(path, { patienceMs: 100 })(async () => undefined);
  await expect(waiting).rejects.toMatchObject({ code: 'ELOCKED', path });
  await expect(waiting).rejects.toThrow(new RegExp(`manifest.json is locked by .*"pid":${child.pid}.*waited 100 ms`));
});

test('the lock of a process that was killed goes to the one that waits, at once', async () => {
  const child = await holder();
  const now = timeOf();
  const waiting = fileLock(path)(async () => now());
  const killed = now();
  child.kill('SIGKILL');
  expect((await waiting) - killed).toBeLessThan(2_000);
});

test('a holder whose lock was stolen does not take it from the thief', async () => {
  const thief = { ...ownIdentity, pid: ownIdentity.pid + 1 };
  await fileLock(path, { safeMs: 0 })(async () => {
    // As another process does that found it stale.
    await writeFile(`${path}.lock-owner.json`, JSON.stringify(thief));
  });
  expect((await stat(`${path}.lock`)).isDirectory()).toBe(true);
});

test('a disk too full for the name of the owner keeps nobody from the lock', async () => {
  await mkdir(`${path}.lock-owner.json`);
  const lock = fileLock(path);
  expect(await lock(async () => 1)).toBe(1);
  expect(await lock(async () => 2)).toBe(2);
});

test('the owner is named while the work runs', async () => {
  const text = await fileLock(path)(() => readFile(`${path}.lock-owner.json`, 'utf8'));
  expect(JSON.parse(text)).toEqual(ownIdentity);
});

test('a folder that is not there is said', async () => {
  const waiting = fileLock(join(folder, 'none', 'manifest.json'))(async () => undefined);
  await expect(waiting).rejects.toMatchObject({ code: 'ENOENT' });
});

describe('a lock where times can not be set (CIFS without uid=, NTFS or exFAT mounted by root)', () => {
  const refusing = (code: string) =>
    createLockFs({
      ...fs,
      utimes: ((_path, _accessed, _mtime, done) =>
        done(Object.assign(new Error(`${code}: utime`), { code }))) as typeof fs.utimes,
    });

  test('is taken, touched, known again and given back', async () => {
    const lockFs = refusing('EPERM');
    const lost: Error[] = [];
    const options = {
      realpath: false,
      fs: lockFs,
      // Longer than a busy machine is late with a touch.
      stale: 60_000,
      update: 1000,
      onCompromised: (e: Error) => lost.push(e),
    };
    const release = await lockfile.lock(path, options);
    const first = (await stat(`${path}.lock`)).mtimeMs;
    await vi.waitUntil(async () => (await stat(`${path}.lock`)).mtimeMs > first, patience);
    const second = (await stat(`${path}.lock`)).mtimeMs;
    await vi.waitUntil(async () => (await stat(`${path}.lock`)).mtimeMs > second, patience);
    await expect(lockfile.lock(path, options)).rejects.toMatchObject({ code: 'ELOCKED' });
    await release();
    expect([await readdir(folder), lost]).toEqual([[], []]);
  });

  test.each(['EACCES', 'ENOSYS', 'ENOTSUP'])('is taken too where the system says %s', async code => {
    const release = await lockfile.lock(path, { realpath: false, fs: refusing(code) });
    await release();
    expect(await readdir(folder)).toEqual([]);
  });

  test('that was left while it was touched is broken all the same', async () => {
    await leaveLock(gone);
    await mkdir(`${path}.lock/touched`);
    expect(await fileLock(path)(async () => 'in')).toBe('in');
    expect(await readdir(folder)).toEqual([]);
  });

  test('another error of setting them is told', async () => {
    const lock = lockfile.lock(path, { realpath: false, fs: refusing('EIO'), lockfilePath: `${path}.lock` });
    await expect(lock).rejects.toMatchObject({ code: 'EIO' });
  });
});
