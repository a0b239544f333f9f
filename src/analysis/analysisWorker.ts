import type { MessagePort } from 'node:worker_threads';
import sharp from 'sharp';
import type { AnalysisJob } from '../model/analysisJob.ts';
import type { Pixels } from '../model/frame.ts';
import { type AnalysisReply, type AnalysisTask, failureOf } from './analysisReply.ts';
import { decodeFrame } from './decodeFrame.ts';
import { frameStatistics } from './frameStatistics.ts';
import { createRoiAnalysis, type FrameAnalysis, type RoiPiece } from './roiPiece.ts';
import { createRoiQueue, type RoiQueue } from './roiQueue.ts';
import { assertInside, isWorthSharing, sharePixels, viewShared } from './sharedFrame.ts';

// A frame is decoded once, so a cache only holds memory; the pool already uses every core it was given.
sharp.cache(false);
sharp.concurrency(1);

/**
 * Task of the analysis pool's worker threads: reads, decodes and analyses one image, or helps another thread with the ROIs
 * of one. Never throws: failures are answers.
 */
export default async function analysisTask(task: AnalysisTask): Promise<AnalysisReply> {
  try {
    return 'shared' in task ? help(task) : await analyse(task);
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

async function analyse({ job, port }: Extract<AnalysisTask, { port: unknown }>): Promise<AnalysisReply> {
  const started = performance.now();
  const decoded = await decodeFrame(job.path);
  const decodedAt = performance.now();
  const { width, height, depth } = decoded;
  const { statistics, saturation } = frameStatistics(decoded);
  const isSpread = port !== null && isWorthSharing(job);
  const pieces = isSpread
    ? analyseShared(decoded, saturation, job, port)
    : [createRoiAnalysis(job)(decoded, saturation, 0, job.rois.rois.length)];
  const decodeMs = decodedAt - started;
  const analyseMs = performance.now() - decodedAt;
  return { head: { width, height, depth, statistics, decodeMs, analyseMs }, pieces };
}

function analyseShared(decoded: Pixels, saturation: number, job: AnalysisJob, port: MessagePort): RoiPiece[] {
  assertInside(decoded, job);
  const { width, height, depth } = decoded;
  const { memory, pixels } = sharePixels(decoded);
  const queue = createRoiQueue(job.rois.rois.length);
  port.postMessage({ width, height, depth, pixels: memory, saturation, queue: queue.memory });
  try {
    return analyseRanges(pixels, saturation, job, queue);
  } finally {
    // The next frame of this thread overwrites the memory.
    queue.close();
    queue.helpersLeft();
  }
}

function help({ job, shared }: Extract<AnalysisTask, { shared: unknown }>): AnalysisReply {
  const queue = createRoiQueue(job.rois.rois.length, shared.queue);
  queue.join();
  try {
    return { head: null, pieces: analyseRanges(viewShared(shared), shared.saturation, job, queue) };
  } finally {
    queue.leave();
  }
}

function analyseRanges(pixels: Pixels, saturation: number, job: FrameAnalysis, queue: RoiQueue): RoiPiece[] {
  const analysis = createRoiAnalysis(job);
  const pieces: RoiPiece[] = [];
  for (let range = queue.take(); range !== null; range = queue.take()) {
    pieces.push(analysis(pixels, saturation, range.first, range.end));
  }
  return pieces;
}
