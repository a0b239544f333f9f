/**
 * Runs programs of other people: the one way in which this program does so for a device or a question to the system.
 *
 * A program gets its words as they are; no shell reads them. It runs in a process group of its own, so that a terminal's Ctrl-C does not
 * reach it, and what it has started is ended with it. Its words come in English (`LC_ALL=C`). It is ended when it takes too long, says
 * too much, or its caller has left: SIGTERM, then SIGKILL. One that does not end even then (it hangs in a driver, state D) is left
 * behind: nothing waits for its exit. Two such are all that a device gets.
 */

import { type ChildProcess, spawn as nodeSpawn, type SpawnOptions } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { duration } from '../model/quantity.ts';
import { livenessOf, ownIdentity } from './processIdentity.ts';

export interface ToolOptions {
  /** The caller has left: the program is ended, and the signal's reason is thrown. */
  signal: AbortSignal;
  /** So long it may take, ms. */
  timeoutMs: number;
  /** What it may write to its standard output, bytes. */
  maxOutputBytes?: number;
  /** What it will write there, bytes, where that is known: large output is put in place as it comes, and not moved again. */
  expectedBytes?: number;
  /** The device that it works with: programs that can't be ended are counted by it. Absent: the program's own name. */
  device?: string;
  /** Where it runs; absent: where this process does. */
  folder?: string;
  /** Variables beside those of this process. */
  environment?: Readonly<Record<string, string>>;
}

export interface ToolOutput {
  /** Exit code; null when a signal has ended it. */
  code: number | null;
  endedBy: NodeJS.Signals | null;
  stdout: Buffer;
  /** Its beginning and its end, where it is long. */
  stderr: string;
}

/**
 * Why there is no output. `missing`: no such program. `unrunnable`: it is there and can't be started. `late`: it took too long.
 * `excess`: it wrote too much. `stuck`: earlier ones for this device can't be ended, so that none was started.
 */
export type ToolFailure = 'missing' | 'unrunnable' | 'late' | 'excess' | 'stuck';

export class ToolError extends Error {
  readonly failure: ToolFailure;
  /** For alarms: `tool_late` and so on. */
  readonly code: string;
  /** What the program had said so far. */
  readonly stderr: string;

  constructor(
    failure: ToolFailure,
    message: string,
    { stderr = '', cause }: { stderr?: string; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.name = 'ToolError';
    this.failure = failure;
    this.code = `tool_${failure}`;
    this.stderr = stderr;
  }
}

/** How programs are started and ended; tests have their own. */
export interface ToolSystem {
  spawn(program: string, words: readonly string[], options: SpawnOptions): ChildProcess;
  /** Sends a signal to a group of processes. @throws Error when there is none */
  kill(group: number, signal: NodeJS.Signals): void;
  isProgram(path: string): Promise<boolean>;
  searchPath(): string;
  /** Between SIGTERM and SIGKILL, and between that and giving up, ms. */
  graceMs: number;
}

/** By it a program that outlived the process which started it is known: that was killed, and could not end it. */
const ownerVariable = 'PHOREST_TOOL_OF';
const ownerText = `${ownIdentity.pid} ${ownIdentity.pid_start}`;
/** Longer timers of Node end at once. */
const longestTimerMs = 2 ** 31 - 1;
const defaultMaxOutputBytes = 16 * 2 ** 20;
/** Of standard error so much is kept of the beginning, and as much of the end, characters. */
const keptErrors = 16_384;
/** What a program has started may hold its output open after its end, ms. */
const closeMs = 1_000;
/** Programs that can't be ended, for one device. */
const maxLeftBehind = 2;

const ownSystem: ToolSystem = {
  spawn: (program, words, options) => nodeSpawn(program, words, options),
  kill: (group, signal) => process.kill(-group, signal),
  isProgram: path =>
    access(path, constants.X_OK).then(
      () => true,
      () => false,
    ),
  searchPath: () => process.env.PATH ?? '',
  graceMs: 2_000,
};

/** One for a process: it knows which programs it has left behind, and whose turn it is at a device. */
export class ToolRunner {
  readonly #system: ToolSystem;
  /** Those that did not end, by device. */
  readonly #leftBehind = new Map<string, Set<ChildProcess>>();
  /** The end of the last turn at each device. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(system: Partial<ToolSystem> = {}) {
    this.#system = { ...ownSystem, ...system };
  }

  /** The first of these programs that is there, with its path; null: none. A name with a slash is a path. */
  async find(...names: readonly string[]): Promise<string | null> {
    const folders = this.#system.searchPath().split(delimiter).filter(isAbsolute);
    for (const name of names) {
      const places = name.includes('/') ? [name] : folders.map(folder => join(folder, name));
      for (const place of places) if (await this.#system.isProgram(place)) return place;
    }
    return null;
  }

  /**
   * Runs a task when all that came before it for this device are over: settings of one must not meet the frame of another.
   * @throws the signal's reason when it is aborted before its turn
   */
  async turn<T>(device: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(device) ?? Promise.resolve();
    const { promise: own, resolve: onEnd } = Promise.withResolvers<void>();
    const tail = before.then(() => own);
    this.#turns.set(device, tail);
    try {
      await untilAborted(before, signal);
      return await task();
    } finally {
      onEnd();
      if (this.#turns.get(device) === tail) this.#turns.delete(device);
    }
  }

  /**
   * Runs a program with its arguments. Resolves when it has ended, whatever its exit code.
   * @throws ToolError, or the signal's reason
   */
  run([program = '', ...words]: readonly string[], options: ToolOptions): Promise<ToolOutput> {
    const { signal, timeoutMs, device = program, folder, environment } = options;
    const { maxOutputBytes = defaultMaxOutputBytes, expectedBytes = 0 } = options;
    if (signal.aborted) return Promise.reject(signal.reason);
    const stuck = this.#leftBehind.get(device);
    if (stuck && stuck.size >= maxLeftBehind) return Promise.reject(tooManyStuck(device, stuck));
    return new Promise((resolve, reject) => {
      const child = this.#system.spawn(program, words, {
        shell: false,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, LC_ALL: 'C', [ownerVariable]: ownerText, ...environment },
        ...(folder !== undefined && { cwd: folder }),
      });
      const output = collectOutput(child, { maxBytes: maxOutputBytes, expectedBytes }, () =>
        end(error('excess', `it wrote more than ${maxOutputBytes} bytes, and was ended`)),
      );
      const error = (failure: ToolFailure, what: string, cause?: unknown): ToolError =>
        new ToolError(failure, `${program}: ${what}`, { stderr: output.stderr(), cause });
      let reason: { thrown: unknown } | null = null;
      let next: NodeJS.Timeout | undefined;
      let soon: NodeJS.Immediate | undefined;
      const cancel = (): void => {
        clearTimeout(next);
        clearImmediate(soon);
      };
      /** What the program has said and done while this process stood still is heard first. */
      const after = (ms: number, what: () => void): void => {
        cancel();
        next = setTimeout(
          () => {
            soon = setImmediate(what);
          },
          Math.min(ms, longestTimerMs),
        );
      };
      const send = (name: NodeJS.Signals): void => {
        try {
          if (child.pid !== undefined) this.#system.kill(child.pid, name);
        } catch {
          // It has ended in this moment, and says so itself.
        }
      };
      const end = (thrown: unknown): void => {
        if (reason) return;
        reason = { thrown };
        send('SIGTERM');
        after(this.#system.graceMs, () => {
          send('SIGKILL');
          after(this.#system.graceMs, () => {
            this.#leaveBehind(device, child);
            settle();
          });
        });
      };
      const onAbort = (): void => end(signal.reason);
      const settle = (ended?: Pick<ToolOutput, 'code' | 'endedBy'>): void => {
        cancel();
        signal.removeEventListener('abort', onAbort);
        child.stdout?.destroy();
        child.stderr?.destroy();
        if (reason) reject(reason.thrown);
        else if (ended) resolve({ ...ended, stdout: output.stdout(), stderr: output.stderr() });
      };
      after(timeoutMs, () => end(error('late', `it took longer than ${duration(timeoutMs)}, and was ended`)));
      signal.addEventListener('abort', onAbort, { once: true });
      child.once('error', (cause: NodeJS.ErrnoException) => {
        reason ??= {
          thrown:
            cause.code === 'ENOENT'
              ? error(
                  'missing',
                  `there is no such program on this machine${program.includes('/') ? orInterpreter : ''}`,
                  cause,
                )
              : error('unrunnable', `it can't be started: ${unrunnable[cause.code ?? ''] ?? cause.message}`, cause),
        };
        settle();
      });
      child.once('exit', (code: number | null, endedBy: NodeJS.Signals | null) => {
        const ended = { code, endedBy };
        child.once('close', () => settle(ended));
        after(closeMs, () => {
          send('SIGKILL');
          settle(ended);
        });
      });
    });
  }

  #leaveBehind(device: string, child: ChildProcess): void {
    const stuck = this.#leftBehind.get(device) ?? new Set();
    this.#leftBehind.set(device, stuck.add(child));
    child.once('exit', () => stuck.delete(child));
    child.unref();
  }
}

/** Whether a program was started by a process of ours that is gone. @param environment of the program: `/proc/<pid>/environ` */
export function isAbandoned(environment: string): boolean {
  const owner = environment.split('\0').find(each => each.startsWith(`${ownerVariable}=`));
  const [pid = 0, start = 0] =
    owner
      ?.slice(ownerVariable.length + 1)
      .split(' ')
      .map(Number) ?? [];
  return owner !== undefined && livenessOf({ ...ownIdentity, pid, pid_start: start }) === 'gone';
}

function tooManyStuck(device: string, stuck: ReadonlySet<ChildProcess>): ToolError {
  const processes = [...stuck].map(({ pid }) => pid).join(' and ');
  return new ToolError(
    'stuck',
    `${device}: processes ${processes} hang in the driver and can not be ended, so that no further one is started: ` +
      'power cycle the device (unplug it, or switch this machine off and on; a restart may hang too)',
  );
}

/** The system says of a script and of its interpreter alike that there is none. */
const orInterpreter =
  ', or not the interpreter that its first line (#!) names (a file saved under Windows ends that line with one character too many)';
const unrunnable: Readonly<Record<string, string>> = {
  EACCES: 'this user may not run it; a program needs "chmod +x"',
  ENOEXEC: 'it is no program of this machine; a script begins with a line such as #!/bin/sh',
};

interface Collected {
  stdout(): Buffer;
  stderr(): string;
}

/** What a program writes, within bounds. */
function collectOutput(
  child: ChildProcess,
  { maxBytes, expectedBytes }: { maxBytes: number; expectedBytes: number },
  onExcess: () => void,
): Collected {
  let kept: Buffer | null = null;
  /** What has come beyond the bytes that were expected. */
  const chunks: Buffer[] = [];
  let size = 0;
  let first = '';
  let last = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    if (size + chunk.length > maxBytes) return onExcess();
    // Not before it writes: a program that hangs takes no memory.
    kept ??= Buffer.allocUnsafeSlow(expectedBytes);
    const fitting = chunk.copy(kept, size);
    if (fitting < chunk.length) chunks.push(chunk.subarray(fitting));
    size += chunk.length;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const room = keptErrors - first.length;
    first += text.slice(0, room);
    last = (last + text.slice(room)).slice(-keptErrors);
  });
  return {
    stdout: () => {
      const expected = kept?.subarray(0, size) ?? Buffer.alloc(0);
      return chunks.length === 0 ? expected : Buffer.concat([expected, ...chunks]);
    },
    stderr: () => first + last,
  };
}

function untilAborted(before: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    void before.then(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}
