import { mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { isRunning } from '../../src/files/processIdentity.ts';

/** In the environment of all that a test starts: the test's file. */
export const testFileVariable = 'PHOREST_TEST_FILE';

/** Settings of whoever runs the tests, which would reach the program. */
const ofTheMachine = [
  ...['NO_COLOR', 'COLORTERM', 'COLUMNS', 'LINES', 'TMUX', 'EDITOR', 'VISUAL'],
  ...['PHOREST_CONFIG', 'NOTIFY_SOCKET', 'WATCHDOG_USEC', 'SUDO_USER', 'XDG_CONFIG_HOME'],
];
/** A file system in memory has to have so much room, bytes. */
const enoughRoom = 4 * 2 ** 30;
/** What a test has ended with its last step, or what is ending by itself, is gone after so long on a busy machine, ms. */
const endedMs = 30_000;

/**
 * One folder for all temporary files of the run, in memory where there is room and nobody has named another (`TMPDIR=/var/tmp npm test`):
 * most tests that write files wait for the disk, not for the program. After the last test the run fails when a program that a test has
 * started still runs, and names the test's file.
 */
export default function wholeRun(): () => Promise<void> {
  const place = process.env.TMPDIR ?? memoryFolder() ?? tmpdir();
  removeLeft(place);
  const folder = mkdtempSync(join(place, `phorest-tests-${process.pid}-`));
  process.env.TMPDIR = folder;
  // Tests say themselves what their terminal is, which editor there is, who has started them, and in which time zone.
  for (const name of ofTheMachine) delete process.env[name];
  process.env.TERM = 'xterm-256color';
  process.env.TZ = 'UTC';
  // What the program remembers of experiments is not for the home of whoever runs the tests.
  process.env.XDG_STATE_HOME = join(folder, 'state');
  const home = join(homedir(), '.local', 'state', 'phorest');
  // Threads and processes that tests start load what was compiled before, as those of the program do.
  process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '../../node_modules/.cache/phorest');
  return async () => {
    const left = await leftPrograms(folder);
    const remembered = rememberedOf(folder, home);
    for (const { pid } of left) process.kill(pid, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    if (left.length > 0) {
      const each = left.map(({ pid, file, command }) => `  ${relative('.', file)}: process ${pid}, ${command}`);
      throw new Error(`programs that tests have started were still running after the last test:\n${each.join('\n')}`);
    }
    if (remembered.length > 0) {
      throw new Error(
        `tests have written what the program remembers into ${home}: give them XDG_STATE_HOME\n${remembered.join('\n')}`,
      );
    }
  };
}

/** What tests of this run have left there, which they must not: its text. It is removed. */
function rememberedOf(folder: string, home: string): string[] {
  const list = (at: string): string[] => {
    try {
      return readdirSync(at)
        .filter(name => name.endsWith('.json'))
        .map(name => join(at, name));
    } catch {
      return [];
    }
  };
  return [...list(home), ...list(join(home, 'experiments'))].flatMap(file => {
    try {
      const text = readFileSync(file, 'utf8');
      if (!text.includes(folder)) return [];
      rmSync(file, { force: true });
      return [text];
    } catch {
      // Another process was quicker.
      return [];
    }
  });
}

/** Folders of runs that were killed: in memory they would stay until the machine is started anew. */
function removeLeft(place: string): void {
  for (const name of readdirSync(place)) {
    const pid = /^phorest-tests-(\d+)-/.exec(name)?.[1];
    if (!pid || isRunning(Number(pid))) continue;
    try {
      rmSync(join(place, name), { recursive: true, force: true });
    } catch (error) {
      // A killed test may have left something mounted there, or it is another user's: that fails no test of this run.
      process.stderr.write(`${join(place, name)} of a run that was killed could not be removed: ${String(error)}\n`);
    }
  }
}

function memoryFolder(): string | null {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize >= enoughRoom ? '/dev/shm' : null;
  } catch {
    return null;
  }
}

interface LeftProgram {
  pid: number;
  command: string;
  /** Of the tests. */
  file: string;
}

async function leftPrograms(folder: string): Promise<LeftProgram[]> {
  const begun = performance.now();
  for (;;) {
    const left = programsOf(folder);
    if (left.length === 0 || performance.now() - begun > endedMs) return left;
    await pass(50);
  }
}

/** What has this folder and a test's file in the environment that it was started with. */
function programsOf(folder: string): LeftProgram[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap(name => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const variables = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
      const file = variables.find(variable => variable.startsWith(`${testFileVariable}=`));
      if (!file || !variables.includes(`TMPDIR=${folder}`)) return [];
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      // One that has ended and whose parent has not asked for its end has no command any more.
      return command === '' ? [] : [{ pid: Number(name), command, file: file.slice(testFileVariable.length + 1) }];
    } catch {
      // It has ended meanwhile, or belongs to somebody else.
      return [];
    }
  });
}
