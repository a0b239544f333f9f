import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { mkdir, open, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Unavailable } from './fault.ts';

const execute = promisify(execFile);

/** Debian's packages: the kernel that runs as a process, what loads its modules, and vfat's own tools. */
const packages = ['user-mode-linux', 'busybox-static', 'dosfstools'];
const memoryBytes = 1200 * 2 ** 20;
const guestScript = fileURLToPath(new URL('./powerCutGuest.sh', import.meta.url));
const program = fileURLToPath(new URL('../../bin/phorest.js', import.meta.url));

/** Fetches the packages into a folder of their own, once; nothing is installed. @throws Unavailable */
export async function guestTools(): Promise<string> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) throw new Unavailable('it needs Linux, and root');
  const folder = join(tmpdir(), 'phorest-user-mode-linux');
  const kernel = join(folder, 'usr/bin/linux.uml');
  if (existsSync(kernel)) return folder;
  try {
    await mkdir(folder, { recursive: true });
    const fetch = (): Promise<unknown> => execute('apt-get', ['download', '-qq', ...packages], { cwd: folder });
    await fetch().catch(async () => {
      await execute('apt-get', ['update', '-qq']);
      await fetch();
    });
    for (const name of await readdir(folder)) {
      if (name.endsWith('.deb')) await execute('dpkg', ['-x', name, '.'], { cwd: folder });
    }
  } catch (error) {
    throw new Unavailable(`user-mode-linux can't be had: ${(error as Error).message.trim().split('\n').at(-1)}`);
  }
  if (!existsSync(kernel)) throw new Unavailable('user-mode-linux has no kernel for this machine');
  return folder;
}

/** A disk image with an empty vfat on it. */
export async function vfatImage(tools: string, path: string, bytes: number): Promise<void> {
  const file = await open(path, 'wx');
  await file.truncate(bytes);
  await file.close();
  await execute(join(tools, 'sbin/mkfs.fat'), ['-F32', path]);
}

export interface GuestOptions {
  tools: string;
  image: string;
  config: string;
  task: 'run' | 'check';
  fsck: boolean;
}

/** A whole machine, with a kernel of its own, in one process: what it has not written when that is killed is gone. */
export class GuestMachine {
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #told: () => void = () => undefined;

  constructor({ tools, image, config, task, fsck }: GuestOptions) {
    const { bavail, bsize } = statfsSync('/dev/shm');
    const settings = {
      mem: String(memoryBytes),
      root: '/dev/root',
      rootfstype: 'hostfs',
      rootflags: '/',
      ubd0: image,
      init: guestScript,
      con: 'null',
      con0: 'null,fd:1',
      guest_tools: tools,
      guest_fsck: fsck ? 'yes' : 'no',
      guest_node: process.execPath,
      guest_program: program,
      guest_config: config,
      guest_task: task,
    };
    const words = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
    this.#process = spawn(join(tools, 'usr/bin/linux.uml'), [...words, 'rw', 'quiet'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
      // Its memory is a file.
      env: { ...process.env, TMPDIR: bavail * bsize > memoryBytes ? '/dev/shm' : tmpdir() },
    });
    this.#ended = new Promise(resolve => this.#process.once('close', resolve));
    createInterface({ input: this.#process.stdout! }).on('line', line => {
      this.lines.push(line);
      this.#told();
    });
  }

  /** Resolves when a line that fits has come. @throws Error when the machine ends before, or it takes too long */
  async until(what: string, fits: (line: string) => boolean, patienceMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(this.#failure(`did not tell of ${what} in time`)), patienceMs);
    void this.#ended.then(() => (this.lines.some(fits) ? resolve() : reject(this.#failure(`ended without ${what}`))));
    this.#told = () => {
      if (this.lines.some(fits)) resolve();
    };
    this.#told();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#told = () => undefined;
    }
  }

  /** Cuts its power. */
  async cut(): Promise<void> {
    try {
      process.kill(-this.#process.pid!, 'SIGKILL');
    } catch {
      // It has ended.
    }
    await this.#ended;
  }

  #failure(what: string): Error {
    return new Error(`the machine ${what}: ${this.lines.slice(-8).join(' | ')}`);
  }
}
