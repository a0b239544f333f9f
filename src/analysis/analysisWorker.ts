import { move, transferableSymbol, valueSymbol } from 'piscina';
import sharp from 'sharp';
import type { AnalysisJob } from '../model/analysisJob.ts';
import { analyseFrame } from './analyseFrame.ts';
import { type AnalysisReply, failureOf } from './analysisReply.ts';
import { decodeFrame } from './decodeFrame.ts';

// A frame is decoded once, so a cache only holds memory; the pool already uses every core it was given.
sharp.cache(false);
sharp.concurrency(1);

/**
 * Task of the analysis pool's worker threads: reads, decodes and analyses one image. Never throws: failures are answers.
 * The reply's buffers are transferred.
 */
export default async function analysisTask(job: AnalysisJob): Promise<unknown> {
  try {
    const started = performance.now();
    const pixels = await decodeFrame(job.path);
    const decoded = performance.now();
    const analysed = analyseFrame(pixels, job);
    const frame = { ...analysed, decodeMs: decoded - started, analyseMs: performance.now() - decoded };
    const reply: AnalysisReply = { frame };
    return move({
      [valueSymbol]: reply,
      [transferableSymbol]: [frame.imageAnalysis.buffer, frame.positions.buffer],
    });
  } catch (error) {
    return { failure: failureOf(error) } satisfies AnalysisReply;
  }
}
