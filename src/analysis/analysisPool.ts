import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { AnalysedFrame, AnalysisJob } from '../model/analysisJob.ts';
import { type AnalysisReply, errorOf } from './analysisReply.ts';
import { WorkerDiedError } from './workerDiedError.ts';

/**
 * Worker threads that read, decode and analyse images.
 *
 * Contract: `analyse` may be called at any time until `close` or `destroy`; more calls than there are threads wait their
 * turn. Its promise rejects with
 * - `BadImageError` or `RoiOutsideFrameError`: the item's own failure;
 * - a system error (`code` `ENOENT`, `EIO`, …): the file could not be read;
 * - `WorkerDiedError`: the thread ended or ran out of memory with this item; another takes its place;
 * - the reason of `signal` (an `AbortError`) at once when that aborts; the thread is ended, whatever it is at;
 * - any other `Error`: the analysis itself is at fault, or its threads do not start.
 */
export interface AnalysisPool {
  /** Threads at most; each starts when it is first needed. */
  readonly size: number;
  analyse(job: AnalysisJob, signal?: AbortSignal): Promise<AnalysedFrame>;
  /** Takes no more, and resolves when all that was taken has been answered and the threads have ended. */
  close(): Promise<void>;
  /** Ends the threads now; what was not answered yet rejects with an `AbortError`. */
  destroy(): Promise<void>;
}

export interface AnalysisPoolOptions {
  /** Threads, at least 1. */
  workers: number;
  /** Most memory that one thread's JavaScript objects may take, MiB (pixels are outside of it). Absent: Node's own limit. */
  memoryLimitMb?: number;
  /** Module of the task, if not the analysis of this program. */
  worker?: URL;
}

// Worker modules are named by a string, which no compiler rewrites: it ends as this module does.
const analysisWorker = new URL(`./analysisWorker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);

export function createAnalysisPool(options: AnalysisPoolOptions): AnalysisPool {
  const { workers, memoryLimitMb, worker = analysisWorker } = options;
  const pool = new Piscina({
    filename: fileURLToPath(worker),
    // Started on demand, piscina tells a thread that can't start (an `error` event) from one that dies with an item.
    minThreads: 0,
    maxThreads: workers,
    idleTimeout: Number.POSITIVE_INFINITY,
    // The parent's own flags (a test runner's, an inspector's) are not for the threads.
    execArgv: [],
    ...(memoryLimitMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryLimitMb } }),
  });
  const jobs = new Map<AbortController, Promise<AnalysedFrame>>();
  const turns = createTurns(workers);
  let closed: Promise<void> | null = null;

  const abortAll = (reason: unknown): void => {
    for (const controller of jobs.keys()) controller.abort(reason);
  };
  // Piscina would let what waits for such a thread wait for ever.
  pool.on('error', (cause: Error) => {
    abortAll(new Error(`the analysis threads do not start: ${cause.message}`, { cause }));
  });

  const run = async (job: AnalysisJob, signal: AbortSignal): Promise<AnalysedFrame> => {
    await turns.take(signal);
    try {
      const reply: AnalysisReply = await pool.run(job, { signal });
      if ('failure' in reply) throw new AnsweredFailure(errorOf(reply.failure));
      return reply.frame;
    } catch (error) {
      if (error instanceof AnsweredFailure) throw error.failure;
      // A worker answers its failures: what rejects instead is an abort, or the end of the thread.
      signal.throwIfAborted();
      throw new WorkerDiedError(job.path, (error as Error).message, { cause: error });
    } finally {
      turns.give();
    }
  };

  return {
    size: workers,

    async analyse(job, signal) {
      signal?.throwIfAborted();
      if (closed !== null) throw new Error(`${job.path}: not analysed, because the analysis pool is closed`);
      const controller = new AbortController();
      const forward = (): void => controller.abort(signal?.reason);
      signal?.addEventListener('abort', forward, { once: true });
      const result = run(job, controller.signal);
      jobs.set(controller, result);
      try {
        return await result;
      } finally {
        jobs.delete(controller);
        signal?.removeEventListener('abort', forward);
      }
    },

    close() {
      closed ??= Promise.allSettled(jobs.values()).then(() => pool.destroy());
      return closed;
    },

    destroy() {
      abortAll(new DOMException('the analysis pool was stopped', 'AbortError'));
      closed = pool.destroy();
      return closed;
    },
  };
}

/** Sets what a worker answered apart from what piscina throws. */
class AnsweredFailure {
  readonly failure: Error;

  constructor(failure: Error) {
    this.failure = failure;
  }
}

/** As many turns as there are threads, in order of asking: piscina starts a new thread only when a job is handed to it. */
function createTurns(count: number) {
  let free = count;
  const waiting: (() => void)[] = [];

  return {
    /** Resolves when it is one's turn; rejects, without one, with the signal's reason. */
    async take(signal: AbortSignal): Promise<void> {
      if (free > 0) {
        free--;
        return;
      }
      await new Promise<void>((resolve, reject) => {
        const begin = (): void => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const leave = (): void => {
          waiting.splice(waiting.indexOf(begin), 1);
          reject(signal.reason);
        };
        waiting.push(begin);
        signal.addEventListener('abort', leave, { once: true });
      });
    },
    give(): void {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    },
  };
}
