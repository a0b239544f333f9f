import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface PlotTask {
  /** File with the bytes of a `PlotSeries`. */
  seriesPath: string;
  /** PNG to write. */
  picturePath: string;
  title: string;
}

/** What the process says at its end. */
export interface PlotAnswer {
  error: string | null;
}

export interface PlotProcessOptions {
  signal?: AbortSignal;
  /** The process is killed when it takes longer, ms. */
  timeoutMs?: number;
  /** Most memory for its JavaScript objects, MB. */
  memoryMb?: number;
  /** The program; for tests. */
  entry?: URL;
}

const ownEntry = new URL(`./plotEntry.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
const longestComplaint = 2000;

/**
 * Draws the plot in a process of its own, which takes echarts and its memory with it when it ends. Resolves when the
 * picture is in place. On abort, and after the time allowed, the process is killed.
 *
 * @throws Error that says what went wrong there; the signal's reason on abort.
 */
export function drawInProcess(task: PlotTask, options: PlotProcessOptions = {}): Promise<void> {
  const { signal, timeoutMs = 120_000, memoryMb = 768, entry = ownEntry } = options;
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
    let answer: PlotAnswer | null = null;
    let complaint = '';
    let killedBecause: unknown = null;
    const kill = (reason: unknown): void => {
      killedBecause ??= reason;
      child.kill('SIGKILL');
    };
    const onAbort = (): void => kill(signal?.reason);
    const timer = setTimeout(() => kill(plotError(task, `it took longer than ${timeoutMs / 1000} s`)), timeoutMs);
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
      answer = message as PlotAnswer;
    });
    child.once('error', error => settle(() => reject(plotError(task, `its process: ${error.message}`, error))));
    child.once('close', (code, killSignal) =>
      settle(() => {
        if (killedBecause !== null) reject(killedBecause);
        else if (answer === null) reject(plotError(task, `its process ended with ${killSignal ?? code} ${complaint}`));
        else if (answer.error !== null) reject(plotError(task, answer.error));
        else resolve();
      }),
    );
    // A failure to send is a process that is gone: `close` says why.
    child.send(task, () => undefined);
  });
}

function plotError({ picturePath }: PlotTask, reason: string, cause?: unknown): Error {
  return new Error(`${picturePath} was not drawn: ${reason.trim()}`, { cause });
}
