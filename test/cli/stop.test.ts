import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../src/cli/commandDefinition.ts';
import { stopPipeline } from '../../src/cli/stopPipeline.ts';
import { ownIdentity } from '../../src/files/processIdentity.ts';

let folder: string;
let said: string[];
let children: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'phorest-stop-'));
  for (const name of ['lab/flags/status', 'lab/logs', 'other/logs']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'my.toml'), '[Paths]\nroot_dir = "lab"\n');
  // Holds a file open, says so, and waits.
  const script = "require('fs').openSync(process.argv[2], 'a'); console.log('ready'); setInterval(() => {}, 1000);";
  for (const name of ['phorest.js', 'victim.js']) writeFileSync(join(folder, name), script);
  said = [];
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function other(program: string, ...words: string[]): Promise<ChildProcess> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  await once(child.stdout!, 'data');
  return child;
}

async function hold(script: string, open: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(folder, script), join(folder, open)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  await once(child.stdout!, 'data');
  return child;
}

const startOf = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
};

const file = (): string => join(folder, 'lab/flags/status/x.json');

function says(pid: unknown, more: object = {}): void {
  const times = { started: new Date().toISOString(), heartbeat: new Date().toISOString() };
  const status = {
    ...ownIdentity,
    pid,
    pid_start: 'pid_start' in more ? 0 : startOf(pid as number),
    ...times,
    stages: {},
    state: 'running',
    ...more,
  };
  writeFileSync(file(), JSON.stringify(status));
}

function stop(now = true): Promise<unknown> {
  const say = (line: string): void => void said.push(line);
  const output = { error: say, line: say, progress: () => undefined } as unknown as CommandContext['output'];
  const environment = { XDG_STATE_HOME: join(folder, 'state') };
  const context = { cwd: folder, environment, config: join(folder, 'my.toml'), root: undefined, output, commands: [] };
  return stopPipeline(context, { now, timeoutMs: 60_000 });
}

const lives = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

describe('stop', () => {
  it('ends a phorest of this experiment', async () => {
    const ours = await hold('phorest.js', 'lab/logs/phorest.log');
    says(ours.pid);
    const ended = once(ours, 'exit');
    await stop();
    await ended;
    expect(ours.signalCode).toBe('SIGTERM');
    expect(said).toEqual([`stopped: process ${ours.pid}`]);
  });

  it.each<[string, string, string, (pid: number) => void, RegExp]>([
    ['with an unknown start time', 'phorest.js', 'lab', pid => says(pid, { pid_start: 0 }), /no pipeline runs/],
    ['with another start time', 'phorest.js', 'lab', pid => says(pid, { pid_start: 1 }), /no pipeline runs/],
    ['that is any program', 'victim.js', 'lab', pid => says(pid), /which is no phorest/],
    ['of another experiment', 'phorest.js', 'other', pid => says(pid), /it is another experiment's/],
    [
      'by a link to what another has written',
      'phorest.js',
      'lab',
      pid => {
        says(pid);
        renameSync(file(), join(folder, 'forged'));
        symlinkSync(join(folder, 'forged'), file());
      },
      /no pipeline runs/,
    ],
  ])('does not signal a process that a forged status names %s', async (_, script, root, forge, why) => {
    const child = await hold(script, `${root}/logs/phorest.log`);
    forge(child.pid!);
    const error = await stop().catch((thrown: Error) => thrown.message);
    expect([...said, error].join('\n')).toMatch(why);
    expect(error).toMatch(/no pipeline runs in/);
    expect(lives(child)).toBe(true);
  });

  it('does not signal a program that has a phorest for its argument, and a file of this experiment open', async () => {
    const log = join(folder, 'lab/logs/phorest');
    writeFileSync(log, 'x\n');
    const script = join(folder, 'victim.js');
    const victims = [
      await other('tail', '-f', log),
      await other(process.execPath, script, join(folder, 'lab/logs/x'), 'phorest.js'),
    ];
    for (const victim of victims) {
      says(victim.pid);
      await expect(stop()).rejects.toThrow(/no pipeline runs in/);
      expect(said.at(-1)).toMatch(/which is no phorest/);
      expect(lives(victim)).toBe(true);
    }
  });

  it('ends a phorest whose folder was removed while it ran, and made anew by it in part', async () => {
    const ours = await hold('phorest.js', 'lab/logs/phorest.log');
    rmSync(join(folder, 'lab'), { recursive: true });
    mkdirSync(join(folder, 'lab/flags/status'), { recursive: true });
    says(ours.pid);
    const ended = once(ours, 'exit');
    await stop();
    await ended;
    expect(said).toEqual([`stopped: process ${ours.pid}`]);
  });

  it('says of a copy that was made while the experiment ran which one the process runs', async () => {
    mkdirSync(join(folder, 'other/data'));
    const child = await hold('phorest.js', 'other/data/metadata_manifest.journal.3.jsonl');
    says(child.pid);
    await expect(stop()).rejects.toThrow(/no pipeline runs in/);
    expect(said.join()).toMatch(
      /process \d+ runs .*\/other: it is another experiment's, and .*\/lab is a copy that was made while/,
    );
    expect(lives(child)).toBe(true);
  });

  it("does not signal the phorest of another experiment that a planted link or lease makes look like this one's", async () => {
    const child = await hold('phorest.js', 'other/logs/phorest.log');
    rmSync(join(folder, 'lab/logs'), { recursive: true });
    symlinkSync(join(folder, 'other/logs'), join(folder, 'lab/logs'));
    says(child.pid);
    const holder = { ...ownIdentity, pid: child.pid, pid_start: startOf(child.pid!) };
    writeFileSync(join(folder, 'lab/flags/stages.json'), JSON.stringify({ collector: holder }));
    await expect(stop()).rejects.toThrow(/no pipeline runs in/);
    expect(said.join()).toMatch(/it is another experiment's/);
    expect(lives(child)).toBe(true);
  });

  it.runIf(process.getuid?.() === 0)(
    'does not believe a status of somebody who is neither root nor the caller',
    async () => {
      // A process of root's, named by the file of another user.
      const child = await hold('phorest.js', 'lab/logs/phorest.log');
      says(child.pid);
      chownSync(file(), 12_345, 12_345);
      await expect(stop()).rejects.toThrow(/no pipeline runs in/);
      expect(said.join('\n')).toMatch(/x\.json belongs to user 12345/);
      expect(lives(child)).toBe(true);
    },
  );

  it.each([0, -1, 1.5, '1', null, 2 ** 60])(
    'signals nobody for the number %j, which is that of no process',
    async pid => {
      for (const start of [0, 1]) {
        says(pid, { pid_start: start });
        await expect(stop()).rejects.toThrow(/no pipeline runs in/);
      }
    },
  );
});
