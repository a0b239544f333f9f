import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { duration } from '../model/quantity.ts';
import {
  readyReply,
  type ShareCall,
  type ShareCalls,
  type ShareChildOptions,
  type ShareQuestion,
  type ShareReply,
} from './shareCalls.ts';
import { errorOf, ShareError, ShareHungError } from './shareError.ts';

/** A share as the stage sees it. */
export interface Share {
  /**
   * The first call, and the first after a process was lost, is `enter`: others reject as what was lost did.
   *
   * Rejects with
   * - a `ShareError`: what the share, or a file of this machine, said (`side` tells which);
   * - a `ShareNotMountedError`: it is not the share that was used before;
   * - a `ShareHungError`: this call, or another one of the same process, made no progress for too long;
   * - the reason of `signal` at once when that aborts; the process may still be at it until `close`.
   */
  call<K extends ShareCall>(
    call: K,
    request: ShareCalls[K]['request'],
    signal: AbortSignal,
  ): Promise<ShareCalls[K]['answer']>;
  /** Ends the process, whatever it is at; calls that are not answered reject. Never waits for one that hangs. */
  close(): Promise<void>;
}

export interface ShareOptions {
  /** The share's folder, absolute. */
  root: string;
  /** To and from the share, all calls together; 0: no limit. */
  bytesPerSecond: number;
  /** What was written is not read back. Absent: it is. */
  trustWrite?: boolean;
  /** A call that shows no progress for so long hangs, ms. */
  deadlineMs: number;
  /** Module whose `files` stand in for the share's own; for tests. */
  filesModule?: string;
}

/** Opens shares, and keeps count of the processes that could not be ended. */
export interface Shares {
  /** One at a time. The process is started by the first call. */
  open(options: ShareOptions): Share;
  /** Processes that were given up and have not ended yet. */
  readonly abandoned: number;
}

export interface SharesOptions {
  /** Starts the process; for tests. */
  start?: (options: ShareChildOptions) => ChildProcess;
}

/** A process whose call never returns may be unkillable: more than so many are not left behind. */
const maxAbandoned = 2;
/** A call seems to hang also when this process itself was suspended: what has come meanwhile is looked at first, ms. */
const longestGraceMs = 500;
/** Node itself starts within this, ms. */
const startingMs = 60_000;
/** A process that is at nothing ends well within this, ms. */
const endingMs = 1000;
const longestComplaint = 2000;

/** Everything that touches the share happens in a child process, which can be left behind when a call never returns. */
export function createShares({ start = startShareChild }: SharesOptions = {}): Shares {
  const abandoned = new Set<ChildProcess>();
  const end = (child: ChildProcess): void => {
    abandoned.add(child);
    child.once('exit', () => abandoned.delete(child));
    child.kill('SIGKILL');
    // It must not keep this process alive either.
    child.unref();
    child.channel?.unref();
    if (child.connected) child.disconnect();
  };
  /** Resolves when another process may be started. */
  const room = async (signal: AbortSignal): Promise<void> => {
    while (abandoned.size >= maxAbandoned) {
      const ends = [...abandoned].map(child => once(child, 'exit', { signal }));
      await Promise.race(ends).catch(() => signal.throwIfAborted());
    }
  };
  return {
    open: options => new ChildShare(options, start, room, end),
    get abandoned() {
      return abandoned.size;
    },
  };
}

interface PendingCall {
  resolve: (answer: never) => void;
  reject: (error: unknown) => void;
  /** It has made progress. */
  renew: () => void;
  /** It is over. */
  free: () => void;
}

class ChildShare implements Share {
  readonly #options: ShareOptions;
  readonly #start: (options: ShareChildOptions) => ChildProcess;
  readonly #room: (signal: AbortSignal) => Promise<void>;
  readonly #end: (child: ChildProcess) => void;
  readonly #pending = new Map<number, PendingCall>();
  readonly #closed = new AbortController();
  #child: ChildProcess | null = null;
  #starting: Promise<ChildProcess> | null = null;
  #complaint = '';
  #calls = 0;
  /** Why there is no process any more; the next one begins by entering the share. */
  #lost: unknown = null;

  constructor(
    options: ShareOptions,
    start: (options: ShareChildOptions) => ChildProcess,
    room: (signal: AbortSignal) => Promise<void>,
    end: (child: ChildProcess) => void,
  ) {
    this.#options = options;
    this.#start = start;
    this.#room = room;
    this.#end = end;
  }

  async call<K extends ShareCall>(
    call: K,
    request: ShareCalls[K]['request'],
    signal: AbortSignal,
  ): Promise<ShareCalls[K]['answer']> {
    signal.throwIfAborted();
    if (this.#lost !== null && call !== 'enter') throw this.#lost;
    const child = await this.#running(signal);
    signal.throwIfAborted();
    this.#closed.signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<ShareCalls[K]['answer']>();
    const id = this.#calls++;
    const hung = (): void => {
      const { root, deadlineMs } = this.#options;
      const message = `${root} does not answer: a call (${call}) made no progress for ${duration(deadlineMs)}`;
      this.#fail(child, new ShareHungError(message, { code: 'ESHAREHUNG', path: root }));
    };
    const deadline = this.#deadline(hung);
    const abort = (): void => {
      this.#pending.delete(id);
      free();
      reject(signal.reason);
    };
    const free = (): void => {
      deadline.end();
      signal.removeEventListener('abort', abort);
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#pending.set(id, { resolve, reject, renew: deadline.renew, free });
    const question: ShareQuestion<K> = { id, call, request };
    // A failure to send is a process that is gone: its end says why.
    child.send(question, () => undefined);
    return promise;
  }

  async close(): Promise<void> {
    const { root } = this.#options;
    this.#closed.abort(new ShareError(`the share ${root} is closed`, { code: 'ESHARECLOSED', path: root }));
    const child = this.#child;
    const isIdle = this.#pending.size === 0;
    if (!child) return;
    this.#fail(child, this.#closed.signal.reason);
    if (!isIdle || child.exitCode !== null || child.signalCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, endingMs);
    child.once('exit', () => resolve());
    await promise;
    clearTimeout(timer);
  }

  /** Calls `hung` when nothing has renewed it for the deadline. */
  #deadline(hung: () => void): { renew: () => void; end: () => void } {
    const { deadlineMs } = this.#options;
    let isSuspect = false;
    const timer = setTimeout(() => {
      isSuspect = true;
      grace = setTimeout(hung, Math.min(longestGraceMs, deadlineMs));
    }, deadlineMs);
    let grace: NodeJS.Timeout | undefined;
    return {
      renew: () => {
        if (isSuspect) clearTimeout(grace);
        isSuspect = false;
        timer.refresh();
      },
      end: () => {
        clearTimeout(timer);
        clearTimeout(grace);
      },
    };
  }

  async #running(signal: AbortSignal): Promise<ChildProcess> {
    if (this.#child && !this.#starting) return this.#child;
    // For all that ask meanwhile: only the end of the share ends it.
    this.#starting ??= this.#begin().finally(() => {
      this.#starting = null;
    });
    this.#starting.catch(() => undefined);
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = (): void => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([this.#starting, left]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  async #begin(): Promise<ChildProcess> {
    await this.#room(this.#closed.signal);
    this.#closed.signal.throwIfAborted();
    const { root, bytesPerSecond, trustWrite = false, filesModule = null } = this.#options;
    const child = this.#start({ root, bytesPerSecond, trustWrite, filesModule });
    this.#child = child;
    this.#lost = null;
    this.#complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-longestComplaint);
    });
    (child.stderr as { unref?: () => void } | null)?.unref?.();
    child.on('message', message => this.#hear(message as ShareReply));
    const gone = (why: string): void =>
      this.#fail(child, new ShareError(`the process that copies to ${root} ended: ${why}`, { code: 'ESHAREPROCESS' }));
    child.once('error', error => gone(error.message));
    child.once('exit', (code, killedBy) => gone(`${killedBy ?? code} ${this.#complaint}`.trim()));
    // A busy machine takes its time to start a process: the share has no part in that.
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => gone(`it did not start within ${duration(startingMs)}`), startingMs);
    const free = (): void => clearTimeout(timer);
    this.#pending.set(readyReply, { resolve, reject, renew: () => undefined, free });
    await ready;
    return child;
  }

  #hear({ id, answer, failure }: ShareReply): void {
    const call = this.#pending.get(id);
    if (!call) return;
    if (answer === undefined && failure === undefined) {
      call.renew();
      return;
    }
    this.#pending.delete(id);
    call.free();
    if (failure) call.reject(errorOf(failure));
    else call.resolve(answer as never);
  }

  /** Gives a process up, with all that was asked of it. */
  #fail(child: ChildProcess, reason: unknown): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#lost = reason;
    child.removeAllListeners('message');
    for (const { reject, free } of this.#pending.values()) {
      free();
      reject(reason);
    }
    this.#pending.clear();
    if (child.exitCode === null && child.signalCode === null) this.#end(child);
  }
}

// Named by a string, which no compiler rewrites: it ends as this module does.
const entry = new URL(`./shareChild.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);

/** Starts the process that touches the share. */
export function startShareChild(options: ShareChildOptions): ChildProcess {
  return fork(fileURLToPath(entry), [JSON.stringify(options)], {
    // Nothing of our own flags (a test runner's loader, an inspector's port) goes to the child.
    execArgv: ['--max-old-space-size=96'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
    // A terminal's Ctrl-C is for the pipeline, which finishes what it can.
    detached: true,
  });
}
