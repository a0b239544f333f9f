import { fileURLToPath } from 'node:url';
import { isMarkedAsUntransferable, MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { AnalysedFrame, AnalysisJob, MadeReference, ReferenceJob } from '../model/analysisJob.ts';
import {
  type AnalysisPart,
  type AnalysisReply,
  type AnalysisTask,
  errorOf,
  type WorkerSettings,
} from './analysisReply.ts';
import { type FrameHead, joinPieces, joinShares } from './joinPieces.ts';
import { createRoiQueue } from './roiQueue.ts';
import { createSemaphore } from './semaphore.ts';
import type { SharedFrame } from './sharedFrame.ts';
import { WorkerDiedError } from './workerDiedError.ts';

/**
 * Worker threads that read, decode and analyse images.
 *
 * Each frame has a thread, its owner, which decodes it and analyses its ROIs. Threads that no other frame waits for help with
 * the ROIs of a large one: the owner decodes it to where all threads see it, they begin with the ROIs whose rows are there, and
 * all take ranges of ROIs until none is left. The result is the same, byte for byte, with any number of threads.
 *
 * Contract: `analyse` may be called at any time until `close` or `destroy`; more calls than there are threads wait their
 * turn. Its promise rejects with
 * - `BadImageError` or `RoiOutsideFrameError`: the item's own failure;
 * - a system error (`code` `ENOENT`, `EIO`, …): the file could not be read;
 * - `WorkerDiedError`: a thread ended or ran out of memory with this item; another takes its place;
 * - the reason of `signal` (an `AbortError`) at once when that aborts; the item's threads are ended, whatever they are at;
 * - any other `Error`: the analysis itself is at fault, or its threads do not start.
 */
export interface AnalysisPool {
  /** Threads at most; each starts when it is first needed. */
  readonly size: number;
  analyse(job: AnalysisJob, signal?: AbortSignal): Promise<AnalysedFrame>;
  /** What shifts are measured from; rejects as `analyse` does. */
  makeReference(job: ReferenceJob, signal?: AbortSignal): Promise<MadeReference>;
  /** Takes no more, and resolves when all that was taken has been answered and the threads have ended. */
  close(): Promise<void>;
  /** Ends the threads now; what was not answered yet rejects with an `AbortError`. */
  destroy(): Promise<void>;
}

export interface AnalysisPoolOptions {
  /** Threads, at least 1. */
  workers: number;
  /**
   * Most memory that one thread's JavaScript objects may take, MiB, and as much again the image that it decodes. Absent:
   * Node's own limit, and what an image may take anywhere.
   */
  memoryLimitMb?: number;
  /** Module of the task, if not the analysis of this program. */
  worker?: URL;
}

type FrameTask = Exclude<AnalysisTask, { reference: unknown }>;

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
    workerData: (memoryLimitMb === undefined ? {} : { imageBytes: memoryLimitMb * 2 ** 20 }) satisfies WorkerSettings,
    ...(memoryLimitMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryLimitMb } }),
  });
  const jobs = new Map<AbortController, Promise<unknown>>();
  /** Frames whose ROIs other threads may take, oldest first. */
  const shared = new Set<() => boolean>();
  const turns = createSemaphore(workers, spread);
  let closed: Promise<void> | null = null;

  const abortAll = (reason: unknown): void => {
    for (const controller of jobs.keys()) controller.abort(reason);
  };
  // Piscina would let what waits for such a thread wait for ever.
  pool.on('error', (cause: Error) => {
    abortAll(new Error(`the analysis threads do not start: ${cause.message}`, { cause }));
  });

  /** Gives turns that no frame waits for to frames that can use them. */
  function spread(): void {
    for (const helpWith of shared) while (helpWith());
  }

  /** Runs one task of a job, with a turn that was taken for it. @throws what `AnalysisPool` says */
  async function perform(path: string, task: FrameTask, signal: AbortSignal): Promise<AnalysisPart> {
    return (await runTask(path, task, signal)) as AnalysisPart;
  }

  async function runTask(
    path: string,
    task: AnalysisTask,
    signal: AbortSignal,
  ): Promise<Exclude<AnalysisReply, { failure: unknown }>> {
    try {
      const reply: AnalysisReply = await pool
        .run(task, { signal, transferList: transferred(task) })
        .catch((error: Error) => {
          // A worker answers its failures: what rejects is an abort, or the end of the thread.
          signal.throwIfAborted();
          throw new WorkerDiedError(path, error.message, { cause: error });
        });
      if ('failure' in reply) throw errorOf(reply.failure);
      return reply;
    } finally {
      turns.give();
    }
  }

  async function run(job: AnalysisJob, controller: AbortController): Promise<AnalysedFrame> {
    const { signal } = controller;
    await turns.take(signal);
    const rois = job.rois.rois.length;
    const parts: Promise<AnalysisPart>[] = [];
    let helpWith = (): boolean => false;
    const { port1: receiver, port2: port } = new MessageChannel();
    receiver.on('message', (frame: SharedFrame) => {
      const { path: _path, pixels: _pixels, ...analysis } = job;
      const queue = createRoiQueue(rois, frame.queue);
      helpWith = () => {
        if (signal.aborted || queue.left() === 0 || !turns.takeSpare()) return false;
        const part = perform(job.path, { job: analysis, shared: frame }, signal);
        // The frame's owner waits for a helper that is gone: both end.
        part.catch((error: unknown) => controller.abort(error));
        parts.push(part);
        return true;
      };
      shared.add(helpWith);
      spread();
      // Once the owner has ended without closing it, helpers are not to go on.
      void parts[0]?.catch(() => queue.close());
    });
    try {
      parts.push(perform(job.path, { job, port: workers > 1 ? port : null }, signal));
      const own = await (parts[0] as Promise<AnalysisPart>);
      shared.delete(helpWith);
      const all = await Promise.all(parts);
      return joinPieces(own.head as FrameHead, joinShares(own.isAlone ? [own] : all), rois);
    } finally {
      shared.delete(helpWith);
      receiver.removeAllListeners('message').close();
      // A turn is not free before its thread is.
      await Promise.allSettled(parts);
    }
  }

  /** What is answered before the pool closes, and ends when the signal or the pool says so. */
  async function tracked<T>(
    path: string,
    work: (controller: AbortController) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    signal?.throwIfAborted();
    if (closed !== null) throw new Error(`${path}: not analysed, because the analysis pool is closed`);
    const controller = new AbortController();
    const forward = (): void => controller.abort(signal?.reason);
    signal?.addEventListener('abort', forward, { once: true });
    const result = work(controller);
    jobs.set(controller, result);
    try {
      return await result;
    } finally {
      jobs.delete(controller);
      signal?.removeEventListener('abort', forward);
    }
  }

  return {
    size: workers,

    analyse: (job, signal) => tracked(job.path, controller => run(job, controller), signal),

    makeReference: (job, signal) =>
      tracked(
        job.paths[0],
        async controller => {
          await turns.take(controller.signal);
          const reply = await runTask(job.paths[0], { reference: job }, controller.signal);
          return (reply as { reference: MadeReference }).reference;
        },
        signal,
      ),

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

/** What goes to a thread, and is not copied: its port, and the pixels where they have their memory for themselves. */
function transferred(task: AnalysisTask): (MessagePort | ArrayBuffer)[] {
  if (!('port' in task)) return [];
  const { buffer, byteLength } = task.job.pixels?.data ?? {};
  const isWhole =
    buffer instanceof ArrayBuffer && buffer.byteLength === byteLength && !isMarkedAsUntransferable(buffer);
  return [...(task.port === null ? [] : [task.port]), ...(isWhole ? [buffer] : [])];
}
