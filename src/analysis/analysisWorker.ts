import { workerData } from 'piscina';
import sharp from 'sharp';
import { decodeFrame } from '../image/decodeFrame.ts';
import { viewPixels } from '../image/frameTarget.ts';
import { imageMemory } from '../image/imageMemory.ts';
import { readImageFile } from '../image/readImageFile.ts';
import { analyseTogether } from './analyseTogether.ts';
import { type AnalysisReply, type AnalysisTask, failureOf, type WorkerSettings } from './analysisReply.ts';
import { createChipMovement, followed } from './chipMovement.ts';
import { createFrameIntake } from './frameIntake.ts';
import { createRoiAnalysis } from './roiPiece.ts';
import { createRoiQueue } from './roiQueue.ts';
import { makeReference } from './shift/referenceTask.ts';

// A frame is decoded once, so a cache only holds memory; the pool already uses every core it was given.
sharp.cache(false);
sharp.concurrency(1);

const { imageBytes = imageMemory() }: WorkerSettings = workerData ?? {};

/**
 * Task of the analysis pool's worker threads: reads, decodes and analyses one image (or analyses the pixels that it is given), or helps another thread with the ROIs
 * of one. Never throws: failures are answers.
 */
export default async function analysisTask(task: AnalysisTask): Promise<AnalysisReply> {
  try {
    if ('reference' in task) return { reference: await makeReference(task.reference, imageBytes) };
    return 'shared' in task ? help(task) : await analyse(task);
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

async function analyse({ job, port }: Extract<AnalysisTask, { port: unknown }>): Promise<AnalysisReply> {
  const started = performance.now();
  const see = createChipMovement(job.rois);
  // Where regions follow the chip, nobody can begin with them before the whole frame was seen.
  const follows = job.followChip === true && see !== null;
  const intake = createFrameIntake(job, follows ? null : port);
  try {
    const pixels = job.pixels
      ? intake.adopt(job.pixels)
      : await decodeFrame(readImageFile(job.path, imageBytes), job.path, intake, imageBytes);
    const { width, height, depth } = pixels;
    const { statistics, saturation } = intake.survey();
    const decodedAt = performance.now();
    const queue = intake.queue();
    const movement = see?.(pixels) ?? null;
    const chipShift = see === null ? {} : { chipShift: movement?.shift ?? null };
    const own = follows && movement !== null ? { ...job, rois: followed(job.rois, movement) } : job;
    const share =
      queue === null
        ? { pieces: [createRoiAnalysis(own)(pixels, saturation, 0, job.rois.rois.length)], provisional: [] }
        : analyseTogether(pixels, job, queue);
    const decodeMs = decodedAt - started;
    const analyseMs = performance.now() - decodedAt;
    return {
      head: { width, height, depth, statistics, ...chipShift, decodeMs, analyseMs },
      isAlone: queue === null,
      ...share,
    };
  } finally {
    // The next frame of this thread overwrites the memory.
    intake.withdraw();
  }
}

function help({ job, shared }: Extract<AnalysisTask, { shared: unknown }>): AnalysisReply {
  const queue = createRoiQueue(job.rois.rois.length, shared.queue);
  queue.join();
  try {
    return { head: null, isAlone: false, ...analyseTogether(viewPixels(shared, shared.pixels), job, queue) };
  } finally {
    queue.leave();
  }
}
