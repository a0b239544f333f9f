import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { reaches, roiExtent } from '../../src/analysis/analyseTogether.ts';
import type { AnalysisPart } from '../../src/analysis/analysisReply.ts';
import { joinPieces, joinShares } from '../../src/analysis/joinPieces.ts';
import { createRoiAnalysis, type FrameAnalysis } from '../../src/analysis/roiPiece.ts';
import { createRoiQueue, type RoiQueue } from '../../src/analysis/roiQueue.ts';
import { frameStatistics } from '../../src/image/frameStatistics.ts';
import { viewPixels } from '../../src/image/frameTarget.ts';
import { type Estimator, estimators } from '../../src/model/method.ts';
import { analyseFrame } from '../world/analyseFrame.ts';

const width = 200;
const height = 300;
const shape = { width, height, depth: 8 } as const;
const rois = Array.from({ length: 12 }, (_, i) => ({
  label: `R${i}`,
  flip: i % 3 === 1,
  // Not in the order of their rows.
  coords: [20 + 20 * ((i * 5) % 12), 20] as [number, number],
  size: [18, 150] as [number, number],
}));
const job = (estimator: Estimator, imageAngle = 1.5): FrameAnalysis => ({
  rois: { rois, imageAngle },
  method: 'gaussian',
  estimator,
  numberOfSubRois: 0,
  keepValues: false,
});

/** A line in all ROIs. Where it is too bright for the camera it is cut off at 255. */
function frame(brightRows: number) {
  const pixels = viewPixels(shape, new ArrayBuffer(width * height));
  for (let i = 0; i < pixels.data.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    const peak = y < brightRows ? 400 : 150;
    pixels.data[i] = Math.min(255, 20 + peak * Math.exp(-((x - 90) ** 2) / 800) + ((i * 7919) % 13));
  }
  return pixels;
}

const workers: Worker[] = [];
afterEach(() => Promise.all(workers.splice(0).map(worker => worker.terminate())));

/** A helper of a frame of which nothing is there yet, and which holds something else. */
function helped(analysis: FrameAnalysis) {
  const memory = new SharedArrayBuffer(width * height);
  const pixels = viewPixels(shape, memory);
  pixels.data.fill(99);
  const queue = createRoiQueue(rois.length);
  const shared = { ...shape, pixels: memory, queue: queue.memory };
  const workerData = { job: analysis, shared };
  const worker = new Worker(new URL('./helpingWorker.ts', import.meta.url), { workerData, execArgv: [] });
  workers.push(worker);
  const reply = once(worker, 'message').then(([part]) => part as AnalysisPart);
  // One that dies says why, at once: nobody would take its ROIs.
  reply.catch(() => queue.close());
  return { pixels, queue, reply };
}

/** Rejects when the helper has died. */
async function leftIs({ queue, reply }: { queue: RoiQueue; reply: Promise<unknown> }, count: number): Promise<void> {
  while (queue.left() > count) await Promise.race([reply, new Promise(resolve => setTimeout(resolve, 1))]);
}

const head = { ...shape, decodeMs: 0, analyseMs: 0 };

describe.each(estimators)('%s: a helper that is ahead of the decoder', estimator => {
  test.each([
    ['no pixel saturated', 0],
    ['some ROIs saturated', 130],
    ['all saturated', height],
  ])('gives what is given with the whole frame: %s', async (_, brightRows) => {
    const whole = frame(brightRows);
    const analysis = job(estimator);
    const { statistics, saturation } = frameStatistics(whole);
    expect(saturation).toBe(brightRows === 0 ? Number.POSITIVE_INFINITY : 255);
    const { pixels, queue, reply } = helped(analysis);
    for (let rows = 20; rows <= height; rows += 20) {
      pixels.data.set(whole.data.subarray((rows - 20) * width, rows * width), (rows - 20) * width);
      queue.rowsDone(rows);
    }
    await leftIs({ queue, reply }, 0);
    queue.allDone(saturation);
    const part = await reply;
    const {
      decodeMs: _decode,
      analyseMs: _analyse,
      ...joined
    } = joinPieces({ ...head, statistics }, joinShares([part]), rois.length);
    expect(joined).toEqual(analyseFrame(whole, analysis));
    // The last range may have been analysed after the level was known.
    expect(part.provisional.length).toBeGreaterThanOrEqual(rois.length - 2);
    const saturated = rois.filter(roi => reaches(whole, roiExtent(whole, roi, 1.5), 255)).length;
    expect(part.pieces.length).toBeLessThanOrEqual(saturated + 2);
    if (brightRows === height) expect(saturated).toBe(rois.length);
    else if (brightRows > 0) expect(saturated).toBeGreaterThan(2);
  });

  test('leaves when the frame never comes', async () => {
    const { queue, reply } = helped(job(estimator));
    queue.rowsDone(100);
    await leftIs({ queue, reply }, rois.length - 2);
    queue.close();
    queue.helpersLeft();
    expect(await reply).toMatchObject({ pieces: [] });
  });

  test('leaves when all ROIs were there, but not the rest of the frame', async () => {
    const { queue, reply } = helped(job(estimator));
    queue.rowsDone(height - 1);
    await leftIs({ queue, reply }, 0);
    queue.close();
    expect(await reply).toMatchObject({ pieces: [] });
  });
});

describe.each(estimators)('%s: what a ROI gives depends on', estimator => {
  test.each([0, 0.6, -7, 45, 90, 180])('no pixel outside of its extent, turned by %d°', angle => {
    const whole = frame(130);
    const box = { label: 'A', flip: true, coords: [100, 60] as [number, number], size: [20, 80] as [number, number] };
    const analysis = { ...job(estimator), rois: { rois: [box], imageAngle: angle } };
    const { top, bottom, left, right } = roiExtent(whole, box, angle);
    const elsewhere = { ...whole, data: whole.data.slice() };
    for (let i = 0; i < elsewhere.data.length; i++) {
      const [x, y] = [i % width, Math.floor(i / width)];
      if (x < left || x >= right || y < top || y >= bottom) elsewhere.data[i] = 255 - elsewhere.data[i];
    }
    const analyse = createRoiAnalysis(analysis);
    expect(analyse(elsewhere, 255, 0, 1)).toEqual(analyse(whole, 255, 0, 1));
  });

  test('the saturation level only when a pixel in its extent is as bright', () => {
    const whole = frame(0);
    const brightest = Math.max(...whole.data);
    const analyse = createRoiAnalysis(job(estimator));
    expect(analyse(whole, brightest + 1, 0, 12)).toEqual(analyse(whole, Number.POSITIVE_INFINITY, 0, 12));
    expect(analyse(whole, brightest - 20, 0, 12)).not.toEqual(analyse(whole, Number.POSITIVE_INFINITY, 0, 12));
  });
});
