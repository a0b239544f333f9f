import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { duration } from '../../model/quantity.ts';

/** What the process says at its end. */
export type DrawAnswer<R> = { result: R } | { error: string };

export interface DrawProcessOptions {
  signal?: AbortSignal;
  /** The process is killed when it takes longer, ms. */
  timeoutMs?: number;
  /** Most memory for its JavaScript objects, MB. */
  memoryMb?: number;
}

const longestComplaint = 2000;

const svgEntry = new URL(`./svgEntry.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);

/** SVG → PNG bytes, in a process of its own: as {@link runDrawProcess}. */
export function drawSvg(svg: string, options: DrawProcessOptions = {}): Promise<Uint8Array> {
  return runDrawProcess(svgEntry, { svg }, options);
}

/**
 * Runs a program that draws in a process of its own, which takes its memory with it when it ends: the libraries that draw keep
 * what they once had, a part for each thread that ever called them. On abort, and after the time allowed, the process is killed.
 *
 * @param entry the program; it answers with `answerTask`
 * @throws Error that says what went wrong there; the signal's reason on abort.
 */
export function runDrawProcess<T extends object, R>(
  entry: URL,
  task: T,
  { signal, timeoutMs = 120_000, memoryMb = 768 }: DrawProcessOptions = {},
): Promise<R> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    // Nothing of our own flags (a test runner's loader, an inspector's port) goes to the child.
    const child = fork(fileURLToPath(entry), [], {
      execArgv: [`--max-old-space-size=${memoryMb}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
      // A terminal's Ctrl-C is for the pipeline, which draws once more before it ends.
      detached: true,
    });
    let answer: DrawAnswer<R> | null = null;
    let complaint = '';
    let killedBecause: unknown = null;
    const kill = (reason: unknown): void => {
      killedBecause ??= reason;
      child.kill('SIGKILL');
    };
    const onAbort = (): void => kill(signal?.reason);
    const timer = setTimeout(() => kill(new Error(`it took longer than ${duration(timeoutMs)}`)), timeoutMs);
    const settle = (outcome: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      outcome();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-longestComplaint);
    });
    child.on('message', message => {
      answer = message as DrawAnswer<R>;
    });
    child.once('error', cause => settle(() => reject(new Error(`its process: ${cause.message}`, { cause }))));
    child.once('close', (code, killSignal) =>
      settle(() => {
        if (killedBecause !== null) reject(killedBecause);
        else if (answer === null) reject(new Error(`its process ended with ${killSignal ?? code} ${complaint}`.trim()));
        else if ('error' in answer) reject(new Error(answer.error));
        else resolve(answer.result);
      }),
    );
    // A failure to send is a process that is gone: `close` says why.
    child.send(task, () => undefined);
  });
}
