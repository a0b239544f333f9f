import type { MessagePort } from 'node:worker_threads';
import { createSurvey, type FrameSurvey, type SurveyInParts } from '../image/frameStatistics.ts';
import { type FrameTarget, viewPixels } from '../image/frameTarget.ts';
import type { Pixels } from '../model/frame.ts';
import { RoiOutsideFrameError } from './roiOutsideFrameError.ts';
import type { FrameAnalysis } from './roiPiece.ts';
import { createRoiQueue, type RoiQueue } from './roiQueue.ts';
import { requireSize, roiWalk } from './roiWalk.ts';
import { frameMemory, isWorthSharing, type SharedFrame } from './sharedFrame.ts';

/**
 * Takes a frame from its decoder: surveys the rows as they come, while they are in the core's cache, and offers a frame that is
 * large to helpers as soon as its size is known.
 *
 * Contract: one for each frame; the pixels lie in memory of this thread that the next frame overwrites. After `survey`, `queue`
 * says whether helpers may be at work. `withdraw` must be called at the end, whatever happened.
 */
export interface FrameIntake extends FrameTarget {
  /** Of the whole frame; helpers are told its saturation level. */
  survey(): FrameSurvey;
  /** Null: no helper has been asked, or none is to be heeded. */
  queue(): RoiQueue | null;
  /** Sends helpers away and blocks this thread until they have gone. */
  withdraw(): void;
}

/** @param port takes a `SharedFrame` when helpers may come; null: there are none */
export function createFrameIntake(job: FrameAnalysis, port: MessagePort | null): FrameIntake {
  let pixels: Pixels | null = null;
  let parts: SurveyInParts | null = null;
  let queue: RoiQueue | null = null;
  let done = 0;
  let mayShare = port !== null && isWorthSharing(job);

  function share(frame: Pixels, memory: SharedArrayBuffer): void {
    // One offer a frame: a decoder that has begun and failed is followed by one that gives the frame as a whole.
    mayShare = false;
    const { width, height, depth } = frame;
    queue = createRoiQueue(job.rois.rois.length);
    const offer: SharedFrame = { width, height, depth, pixels: memory, queue: queue.memory };
    port?.postMessage(offer);
  }

  const intake: FrameIntake = {
    begin(shape) {
      intake.withdraw();
      const memory = frameMemory(shape);
      pixels = viewPixels(shape, memory);
      parts = createSurvey(shape.depth);
      done = 0;
      if (mayShare && areInside(pixels, job)) share(pixels, memory);
      return pixels;
    },
    rowsDone(count) {
      if (pixels === null || parts === null) return;
      parts.add(pixels.data.subarray(done * pixels.width, count * pixels.width));
      done = count;
      queue?.rowsDone(count);
    },
    adopt(whole) {
      if (mayShare) intake.begin(whole).data.set(whole.data);
      else {
        intake.withdraw();
        pixels = whole;
        parts = createSurvey(whole.depth);
        done = 0;
      }
      intake.rowsDone(whole.height);
      return pixels as Pixels;
    },
    survey() {
      if (parts === null) throw new Error('a frame is surveyed before it is there');
      const survey = parts.survey();
      queue?.allDone(survey.saturation);
      return survey;
    },
    queue: () => queue,
    withdraw() {
      queue?.close();
      queue?.helpersLeft();
      queue = null;
    },
  };
  return intake;
}

/** Whether all ROIs lie in the frame. If not, its owner finds the first that does not, as it would alone. */
function areInside(pixels: Pixels, { rois: manifest }: FrameAnalysis): boolean {
  try {
    requireSize(pixels, manifest);
    for (const roi of manifest.rois) roiWalk(pixels, roi, manifest.imageAngle);
    return true;
  } catch (error) {
    if (error instanceof RoiOutsideFrameError) return false;
    throw error;
  }
}
