import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createShares, type Share } from '../../src/share/share.ts';
import type { Appended, Growth } from '../../src/share/shareCalls.ts';
import { patience } from '../world/patience.ts';
import { timeOf } from '../world/timeOf.ts';
import { forever, placing, ShareWorld } from './shareWorld.ts';

const megabyte = 1 << 20;
const part = 'data/.a.png.00112233.part';

function partIn(folder: string): string {
  const name = readdirSync(folder).find(one => one.endsWith('.part'));
  return join(folder, name ?? 'none yet');
}

describe('a share', () => {
  const world = new ShareWorld();
  let share: Share;
  beforeAll(async () => {
    share = await world.entered();
  });
  beforeEach(() => {
    for (const name of readdirSync(world.root)) {
      if (!name.startsWith('.')) rmSync(world.remote(name), { recursive: true });
    }
  });
  afterAll(() => world.close());

  it('copies a file by a temporary name, and takes what stands there for done', async () => {
    const local = world.local('a.png', 3 * megabyte + 17);
    const placed = await share.call('place', placing(local, 'data/a.png'), forever);
    expect(placed).toMatchObject({
      remote: 'data/a.png',
      size: 3 * megabyte + 17,
      sent: placed.size,
      found: 'nothing',
    });
    expect(isSame(world, local, 'data/a.png')).toBe(true);
    expect(await share.call('place', placing(local, 'data/a.png'), forever)).toEqual({
      ...placed,
      sent: 0,
      found: 'same',
    });
    expect(readdirSync(world.remote('data'))).toEqual(['a.png']);
  });

  it('does not continue behind bytes that are not the file’s', async () => {
    const local = world.local('a.png', 3 * megabyte);
    const unfinished = readFileSync(local).subarray(0, 2 * megabyte);
    unfinished[megabyte + 5]! ^= 1;
    mkdirSync(world.remote('data'));
    writeFileSync(world.remote(part), unfinished);
    const next = await world.entered();
    const placed = await next.call('place', placing(local, 'data/a.png'), forever);
    expect(placed.sent).toBe(2 * megabyte - 5);
    expect(isSame(world, local, 'data/a.png')).toBe(true);
    // One that is longer than the file, under the names of earlier versions.
    for (const [i, trustWrite] of [false, true].entries()) {
      const remote = `data/${i}.png`;
      const left = world.remote(`data/.${i}.png.0123456789ab${trustWrite ? '' : '.0123abcd'}.part`);
      writeFileSync(left, Buffer.concat([readFileSync(local), Buffer.alloc(9)]));
      const later = await world.entered({ trustWrite });
      expect((await later.call('place', placing(local, remote), forever)).sent).toBe(0);
      expect(isSame(world, local, remote)).toBe(true);
    }
  });

  it('says what the share says, and copies once that is over', async () => {
    const local = world.local('a.png', 2 * megabyte);
    const faults = [
      ['EROFS', 'open'],
      ['ENOSPC', 'write'],
      ['EIO', 'sync'],
      ['EACCES', 'rename'],
    ] as const;
    for (const [code, call] of faults) {
      const remote = `data/${code}.png`;
      world.fault({ calls: [call], code });
      const failed = share.call('place', placing(local, remote), forever);
      await expect(failed).rejects.toMatchObject({ code, side: 'share' });
      expect(existsSync(world.remote(remote))).toBe(false);
      world.fault(null);
      await share.call('place', placing(local, remote), forever);
      expect(isSame(world, local, remote)).toBe(true);
    }
  });

  it('tells a file of this machine that can not be read from a failure of the share', async () => {
    await expect(
      share.call('place', placing(join(world.folder, 'no.png'), 'data/a.png'), forever),
    ).rejects.toMatchObject({ code: 'ENOENT', side: 'local' });
  });

  it('writes nowhere but below its root', async () => {
    const local = world.local('a.png', 10);
    for (const remote of ['../a.png', '/tmp/a.png', 'data/../../a.png', '', 'data//a.png', './a.png', 'a\0.png']) {
      await expect(share.call('place', placing(local, remote), forever)).rejects.toMatchObject({ code: 'ESHAREPATH' });
    }
    mkdirSync(join(world.folder, 'elsewhere'));
    symlinkSync(join(world.folder, 'elsewhere'), world.remote('linked'));
    await expect(share.call('place', placing(local, 'linked/a.png'), forever)).rejects.toMatchObject({
      code: 'ESHAREPATH',
    });
    writeFileSync(join(world.folder, 'log.csv'), 'a\n');
    symlinkSync(join(world.folder, 'log.csv'), world.remote('log.csv'));
    const growing = { local, remote: 'log.csv', known: null, most: 100 };
    await expect(share.call('append', growing, forever)).rejects.toMatchObject({ code: 'ESHAREPATH' });
    expect([readdirSync(join(world.folder, 'elsewhere')), readFileSync(join(world.folder, 'log.csv'), 'utf8')]).toEqual(
      [[], 'a\n'],
    );
  });

  it('appends to a growing file, and checks what it does not remember', async () => {
    const local = join(world.folder, 'data', 'log.csv');
    const lines = (from: number, to: number): string =>
      Array.from({ length: to - from }, (_, i) => `${from + i},${'x'.repeat(1000)}\n`).join('');
    writeFileSync(local, lines(0, 5000));
    const request = { local, remote: 'results/log.csv', most: 1 << 26 };
    const first = await share.call('append', { ...request, known: null }, forever);
    writeFileSync(local, lines(5000, 5010), { flag: 'a' });
    const second = await share.call('append', { ...request, known: first.growth }, forever);
    expect([second.sent, second.more, isSame(world, local, 'results/log.csv')]).toEqual([
      lines(5000, 5010).length,
      false,
      true,
    ]);
    // What a crash between writing and remembering leaves: nothing is sent again.
    const again = await share.call('append', { ...request, known: first.growth }, forever);
    expect([again.sent, again.growth]).toEqual([0, { ...second.growth, mtimeMs: again.growth.mtimeMs }]);
    const forgotten = await share.call('append', { ...request, known: null }, forever);
    expect([forgotten.sent, forgotten.kept, forgotten.growth.length]).toEqual([0, null, second.growth.length]);
  });

  it('copies a growing file in steps', async () => {
    const local = join(world.folder, 'data', 'log.csv');
    writeFileSync(local, '0123456789\n'.repeat(100));
    const request = { local, remote: 'log.csv', most: 400 };
    let known: Growth | null = null;
    const sent: number[] = [];
    for (let more = true; more; ) {
      const step: Appended = await share.call('append', { ...request, known }, forever);
      known = step.growth;
      more = step.more;
      sent.push(step.sent);
    }
    expect([sent, isSame(world, local, 'log.csv')]).toEqual([[396, 396, 308], true]);
  });
});

describe.skipIf(!canMount())('a share that is full (a small tmpfs)', () => {
  const world = new ShareWorld();
  beforeAll(() => {
    mkdirSync(world.root);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', world.root]);
  });
  afterAll(async () => {
    execFileSync('umount', ['-l', world.root]);
    await world.close();
  });

  it('says so, and goes on with what it has once there is room', async () => {
    const share = await world.entered();
    writeFileSync(world.remote('ballast'), Buffer.alloc(300_000));
    const local = world.local('a.png', 900_000);
    await expect(share.call('place', placing(local, 'data/a.png'), forever)).rejects.toMatchObject({
      code: 'ENOSPC',
      side: 'share',
    });
    rmSync(world.remote('ballast'));
    const placed = await share.call('place', placing(local, 'data/a.png'), forever);
    expect(placed.sent).toBeLessThan(300_000);
    expect(isSame(world, local, 'data/a.png')).toBe(true);
  });
});

describe('the process of a share', () => {
  let world: ShareWorld;
  beforeEach(() => {
    world = new ShareWorld();
  });
  afterEach(() => world.close());

  it('continues an unfinished copy after its process was killed, from where it stands', async () => {
    const size = 4 * megabyte;
    const local = world.local('a.png', size);
    for (const trustWrite of [false, true]) {
      const share = await world.entered({ trustWrite });
      world.fault({ calls: ['write'], afterBytes: 2 * megabyte });
      const copying = share.call('place', placing(local, 'data/a.png'), forever);
      copying.catch(() => undefined);
      await vi.waitFor(() => expect(statSync(partIn(world.remote('data'))).size).toBe(2 * megabyte), patience);
      world.children.at(-1)!.kill('SIGKILL');
      await expect(copying).rejects.toMatchObject({
        code: 'ESHAREPROCESS',
        message: expect.stringContaining('SIGKILL'),
      });
      expect(existsSync(world.remote('data/a.png'))).toBe(false);
      // Whoever asks later hears of it too, instead of a process that knows nothing of the share.
      await expect(share.call('stats', [], forever)).rejects.toMatchObject({ code: 'ESHAREPROCESS' });
      world.fault(null);
      await share.call('enter', { known: 'id', fresh: '' }, forever);
      const placed = await share.call('place', placing(local, 'data/a.png'), forever);
      expect(placed.sent).toBe(2 * megabyte);
      expect(isSame(world, local, 'data/a.png')).toBe(true);
      rmSync(world.remote('data/a.png'));
    }
  });

  it('gives up a process whose call never returns, with all that waits for it, and goes on with another', async () => {
    const share = await world.entered({ deadlineMs: 1_000 });
    const local = world.local('a.png', megabyte);
    world.fault({ calls: ['sync'] });
    const copying = share.call('place', placing(local, 'data/a.png'), forever);
    const other = share.call('place', placing(local, 'data/b.png'), forever);
    await expect(copying).rejects.toMatchObject({
      name: 'ShareHungError',
      code: 'ESHAREHUNG',
      message: expect.stringContaining(world.root),
    });
    await expect(other).rejects.toMatchObject({ name: 'ShareHungError' });
    world.fault(null);
    await share.call('enter', { known: 'id', fresh: '' }, forever);
    await share.call('place', placing(local, 'data/a.png'), forever);
    expect(world.children).toHaveLength(2);
    expect(isSame(world, local, 'data/a.png')).toBe(true);
    await vi.waitFor(() => expect(world.shares.abandoned).toBe(0), patience);
  });

  it('gives up a process that was suspended', async () => {
    const share = await world.entered({ deadlineMs: 1_000 });
    const [child] = world.children as [ChildProcess];
    child.kill('SIGSTOP');
    const local = world.local('a.png', megabyte);
    await expect(share.call('place', placing(local, 'data/a.png'), forever)).rejects.toMatchObject({
      code: 'ESHAREHUNG',
    });
    await vi.waitFor(() => expect(child.signalCode).toBe('SIGKILL'), patience);
  });

  it('does not take a slow share, nor one that is held back by its limit, for a hanging one', async () => {
    const share = await world.entered({ deadlineMs: 1_000, bytesPerSecond: 200_000, trustWrite: true });
    const local = world.local('a.png', 320_000);
    const begun = performance.now();
    await share.call('place', placing(local, 'data/a.png'), forever);
    expect(performance.now() - begun).toBeGreaterThan(1_200);
  });

  it('leaves two processes behind that can not be ended, then waits for one to end', async () => {
    const started: ChildProcess[] = [];
    const shares = createShares({
      start: () => {
        const child = Object.assign(new EventEmitter(), {
          connected: true,
          exitCode: null,
          signalCode: null,
          stderr: null,
          kill: () => true,
          unref: () => undefined,
          disconnect: () => undefined,
          send: () => true,
        }) as unknown as ChildProcess;
        started.push(child);
        setImmediate(() => child.emit('message', { id: -1, answer: true }));
        return child;
      },
    });
    const share = shares.open({ root: world.root, bytesPerSecond: 0, deadlineMs: 20 });
    const entering = { known: 'id', fresh: '' };
    for (let i = 0; i < 2; i++) {
      await expect(share.call('enter', entering, forever)).rejects.toMatchObject({ code: 'ESHAREHUNG' });
    }
    expect([started.length, shares.abandoned]).toEqual([2, 2]);
    const left = new AbortController();
    const third = share.call('enter', entering, left.signal);
    const fourth = share.call('enter', entering, forever);
    fourth.catch(() => undefined);
    left.abort(new Error('no patience'));
    await expect(third).rejects.toThrow('no patience');
    expect(started).toHaveLength(2);
    started[0]!.emit('exit', null, 'SIGKILL');
    await vi.waitFor(() => expect(started).toHaveLength(3), patience);
    await expect(fourth).rejects.toMatchObject({ code: 'ESHAREHUNG' });
    const fifth = share.call('enter', entering, forever);
    fifth.catch(() => undefined);
    await share.close();
    await expect(fifth).rejects.toMatchObject({ code: 'ESHARECLOSED' });
  });

  it('closes at once while a call hangs', async () => {
    const share = await world.entered();
    world.fault({});
    const hanging = share.call('stats', ['data/a.png'], forever);
    hanging.catch(() => undefined);
    await new Promise(resolve => setImmediate(resolve));
    const now = timeOf();
    const begun = now();
    await share.close();
    expect(now() - begun).toBeLessThan(100);
    await expect(hanging).rejects.toMatchObject({ code: 'ESHARECLOSED' });
  });

  it('ends by itself when its parent is gone, whatever it is at', async () => {
    world.fault({});
    const program = fileURLToPath(new URL('./neverEnding.ts', import.meta.url));
    const injected = fileURLToPath(new URL('./injectedFiles.ts', import.meta.url));
    const parent = spawn(process.execPath, [program, world.root, injected], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const [pid] = (await once(parent.stdout!.setEncoding('utf8'), 'data')) as [string];
    const isRunning = (): boolean => !/^State:\s+Z/m.test(statusOf(Number(pid)));
    await vi.waitFor(() => expect(isRunning()).toBe(true), patience);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(isRunning()).toBe(false), patience);
  });

  it('remembers its share by a marker, and writes to no other', async () => {
    const share = await world.entered();
    const local = world.local('a.png', 10);
    await share.call('place', placing(local, 'data/a.png'), forever);
    // What an unmounted share leaves: its empty mount point.
    rmSync(world.root, { recursive: true });
    mkdirSync(world.root);
    const notMounted = { name: 'ShareNotMountedError', code: 'ESHARENOTMOUNTED' };
    await expect(share.call('place', placing(local, 'data/b.png'), forever)).rejects.toMatchObject(notMounted);
    const growing = { local, remote: 'log.csv', known: null, most: 100 };
    await expect(share.call('append', growing, forever)).rejects.toMatchObject(notMounted);
    await expect(share.call('enter', { known: 'id', fresh: 'x' }, forever)).rejects.toMatchObject(notMounted);
    expect(readdirSync(world.root)).toEqual([]);
    // Another share at the same place.
    writeFileSync(world.remote('.phorest_share.json'), '{"share_id":"other"}');
    await expect(share.call('place', placing(local, 'data/b.png'), forever)).rejects.toMatchObject(notMounted);
    // Nobody has told which one it should be: it is taken as it is.
    expect(await share.call('enter', { known: null, fresh: 'x' }, forever)).toBe('other');
  });
});

function isSame(world: ShareWorld, local: string, remote: string): boolean {
  return readFileSync(local).equals(readFileSync(world.remote(remote)));
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return 'State:\tZ (gone)';
  }
}

/** Whether this user may mount a file system. */
function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'phorest-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
