import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type ToolError, ToolRunner } from '../../src/files/runTool.ts';
import { patience } from '../world/patience.ts';
import { standInTools } from '../world/standInTools.ts';

const never = new AbortController().signal;
const soon = { signal: never, timeoutMs: 100 };
const patient = { signal: never, timeoutMs: 60_000 };
const script = (text: string, ...words: string[]): string[] => [process.execPath, '-e', text, ...words];
const failureOf = (run: Promise<unknown>): Promise<ToolError> =>
  run.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: ToolError) => error,
  );

describe('a program of somebody else', () => {
  const tools = new ToolRunner({ graceMs: 200 });

  it('gives its output, its complaint and its exit code', async () => {
    const text = `process.stdout.write('bytes'); process.stderr.write('words'); process.exitCode = 7`;
    expect(await tools.run(script(text), patient)).toEqual({
      code: 7,
      endedBy: null,
      stdout: Buffer.from('bytes'),
      stderr: 'words',
    });
  });

  it('gets each word as it is: nothing is replaced or split', async () => {
    const words = ['$(touch pwned)', 'a b', '`id`', "it's", '*', '-n'];
    const { stdout } = await tools.run(
      script('process.stdout.write(JSON.stringify(process.argv.slice(1)))', '--', ...words),
      patient,
    );
    expect(JSON.parse(String(stdout))).toEqual(words);
  });

  it('speaks English, whatever the machine speaks', async () => {
    const { stdout } = await tools.run(script('process.stdout.write(process.env.LC_ALL)'), patient);
    expect(String(stdout)).toBe('C');
  });

  it('that is not there, or can not be run, is an error that says so', async () => {
    expect(await failureOf(tools.run(['/nowhere/grab'], patient))).toMatchObject({
      failure: 'missing',
      message: expect.stringContaining('no such program on this machine, or not the interpreter'),
    });
    expect(await failureOf(tools.run(['/etc/passwd'], patient))).toMatchObject({
      failure: 'unrunnable',
      message: expect.stringContaining('this user may not run it; a program needs "chmod +x"'),
    });
  });

  it('that ignores SIGTERM is killed, and what it has started is killed with it', async () => {
    const text = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);
      const child = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      require('fs').writeFileSync(process.argv[1] + '~', process.pid + ' ' + child.pid);
      require('fs').renameSync(process.argv[1] + '~', process.argv[1]);`;
    const folder = await mkdtemp(join(tmpdir(), 'phorest-tool-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const told = join(folder, 'pids');
    const caller = new AbortController();
    const left = failureOf(tools.run(script(text, told), { ...patient, signal: caller.signal }));
    await vi.waitUntil(() => existsSync(told), patience);
    const pids = (await readFile(told, 'utf8')).split(' ').map(Number);
    expect(pids.map(isThere)).toEqual([true, true]);
    caller.abort(new Error('enough'));
    expect((await left).message).toBe('enough');
    await expect.poll(() => pids.some(isThere), patience).toBe(false);
  });

  it('that leaves something behind which holds its output is over when it has ended', async () => {
    const text = `const child = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: ['ignore', 'inherit', 'inherit'] });
      process.stdout.write(String(child.pid), () => process.exit(0));`;
    const { stdout, code } = await tools.run(script(text), patient);
    expect(code).toBe(0);
    await expect.poll(() => isThere(Number(stdout)), patience).toBe(false);
  });

  it('that writes without end is ended', async () => {
    const text = `const write = () => process.stdout.write('x'.repeat(65536), write); write();`;
    const error = await failureOf(tools.run(script(text), { ...patient, maxOutputBytes: 100_000 }));
    expect(error).toMatchObject({ failure: 'excess' });
    expect(error.message).toMatch(/more than 100000 bytes/);
  });

  it('that has ended in time is not late, and its output is whole, though this process stood still meanwhile', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'phorest-tool-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'pid');
    const text = `require('fs').writeFileSync(process.argv[1], String(process.pid)); process.stdout.write('x'.repeat(50_000));`;
    const run = tools.run(script(text, file), { signal: never, timeoutMs: 1 });
    do Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    while (!hasEnded(file));
    // The system tells of an end in the moment in which it can be seen.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    expect((await run).stdout).toHaveLength(50_000);
  });

  it.each([0, 4, 10, 11, 200_000])('gives all of its output, when %i bytes were expected', async expectedBytes => {
    for (const size of [10, 150_000]) {
      const { stdout } = await tools.run(script(`process.stdout.write('0123456789'.repeat(${size / 10}))`), {
        ...patient,
        expectedBytes,
      });
      expect(String(stdout)).toBe('0123456789'.repeat(size / 10));
    }
  });

  it('that complains without end keeps the beginning and the end of it', async () => {
    const text = `process.stderr.write('first' + 'x'.repeat(1e6) + 'last')`;
    const { stderr } = await tools.run(script(text), patient);
    expect(stderr).toMatch(/^firstx+last$/);
    expect(stderr.length).toBeLessThan(40_000);
  });
});

describe('a program that hangs in a driver', () => {
  it('is left behind after SIGTERM and SIGKILL; a third one for its device is not started', async () => {
    const { tools, runs, release } = standInTools({ grab: () => ({ hangs: 'never' }) });
    const run = (device: string): Promise<ToolError> =>
      failureOf(tools.run(['grab'], { ...soon, timeoutMs: 5, device }));
    expect(await run('video0')).toMatchObject({ failure: 'late' });
    expect(await run('video0')).toMatchObject({ failure: 'late' });
    expect(await run('video0')).toMatchObject({ failure: 'stuck' });
    expect(runs.map(({ signals }) => signals)).toEqual([
      ['SIGTERM', 'SIGKILL'],
      ['SIGTERM', 'SIGKILL'],
    ]);
    // Another device has nothing to do with it.
    expect(await run('video1')).toMatchObject({ failure: 'late' });
    release();
    expect(await run('video0')).toMatchObject({ failure: 'late' });
  });

  it('does not hold up a caller that leaves', async () => {
    const { tools } = standInTools({ grab: () => ({ hangs: 'never' }) });
    const caller = new AbortController();
    const run = failureOf(tools.run(['grab'], { ...patient, signal: caller.signal }));
    caller.abort(new Error('the pipeline ends'));
    expect((await run).message).toBe('the pipeline ends');
  });
});

describe('turns at a device', () => {
  it('come one after the other, also after a failure; other devices do not wait', async () => {
    const tools = new ToolRunner();
    const order: string[] = [];
    const first = Promise.withResolvers<void>();
    const turns = [
      tools.turn('a', never, async () => {
        await first.promise;
        order.push('a1');
        throw new Error('failed');
      }),
      tools.turn('a', never, async () => order.push('a2')),
      tools.turn('b', never, async () => order.push('b')),
    ];
    await turns[2];
    first.resolve();
    await Promise.allSettled(turns);
    expect(order).toEqual(['b', 'a1', 'a2']);
  });

  it('are given up by a caller that leaves while it waits, and are kept in order behind it', async () => {
    const tools = new ToolRunner();
    const first = Promise.withResolvers<void>();
    const order: string[] = [];
    const begun = tools.turn('a', never, () => first.promise);
    const caller = new AbortController();
    const left = failureOf(tools.turn('a', caller.signal, async () => order.push('left')));
    const third = tools.turn('a', never, async () => order.push('third'));
    caller.abort(new Error('it leaves'));
    expect((await left).message).toBe('it leaves');
    expect(order).toEqual([]);
    first.resolve();
    await Promise.all([begun, third]);
    expect(order).toEqual(['third']);
  });
});

it('the first of several programs that is there is found', async () => {
  const { tools } = standInTools({ 'libcamera-still': () => ({}) });
  expect(await tools.find('rpicam-still', 'libcamera-still')).toBe('/bin/libcamera-still');
  expect(await tools.find('rpicam-still')).toBeNull();
});

/** Whether the process whose number stands in a file has ended with all its threads, and nobody has asked for its end yet. */
function hasEnded(file: string): boolean {
  const pid = existsSync(file) && readFileSync(file, 'utf8');
  const status = pid ? readFileSync(`/proc/${pid}/status`, 'utf8') : '';
  return /^State:\s+Z/m.test(status) && /^Threads:\s+1$/m.test(status);
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
