import type { MessagePort } from 'node:worker_threads';
import type { AnalysisPart, AnalysisTask } from '../../src/analysis/analysisReply.ts';
import type { FrameAnalysis } from '../../src/analysis/roiPiece.ts';
import { createRoiQueue, type RoiQueue } from '../../src/analysis/roiQueue.ts';
import type { SharedFrame } from '../../src/analysis/sharedFrame.ts';

/**
 * A worker for tests of the pool: the path of the job says what befalls its thread. One that begins with `share` offers its
 * ROIs to helpers, and takes none itself; the label of its first ROI says what befalls them.
 */
export default async function act(task: AnalysisTask): Promise<unknown> {
  if ('reference' in task) throw new Error('no test makes a reference here');
  if ('shared' in task) return help(task.job, task.shared);
  const { job, port } = task;
  switch (job.path) {
    case 'share':
      return shareAll(job, port!);
    case 'share and exit':
      share(job, port!, queue => {
        while (queue.left() === job.rois.rois.length);
      });
      return process.exit(3);
    default:
      return befall(job.path);
  }
}

function befall(what: string): unknown {
  switch (what) {
    case 'exit':
      return process.exit(3);
    case 'throw later':
      setImmediate(() => {
        throw new Error('out of nowhere');
      });
      return new Promise(() => undefined);
    case 'spin':
      for (;;);
    case 'hoard': {
      const hoard: object[] = [];
      for (;;) hoard.push({ more: hoard.length });
    }
    default:
      return { head: {}, isAlone: true, pieces: [pieceOf(0, 1)], provisional: [] };
  }
}

const pieceOf = (first: number, end: number) => ({
  first,
  json: '',
  positions: Array.from({ length: end - first }, () => first),
  seen: Array.from({ length: end - first }, () => true),
  rowsFitted: 0,
  rowsRejected: {},
});

function share(job: FrameAnalysis, port: MessagePort, meanwhile: (queue: RoiQueue) => void): void {
  const queue = createRoiQueue(job.rois.rois.length);
  const frame: SharedFrame = {
    width: 1,
    height: 1,
    depth: 8,
    pixels: new SharedArrayBuffer(1),
    queue: queue.memory,
  };
  port.postMessage(frame);
  meanwhile(queue);
}

/** Ends only when helpers have taken everything and left. */
function shareAll(job: FrameAnalysis, port: MessagePort) {
  share(job, port, queue => {
    while (queue.left() > 0);
    queue.helpersLeft();
  });
  return { head: {}, isAlone: false, pieces: [], provisional: [] };
}

async function help(job: FrameAnalysis, shared: SharedFrame): Promise<AnalysisPart> {
  const queue = createRoiQueue(job.rois.rois.length, shared.queue);
  queue.join();
  const pieces = [];
  for (let range = queue.take(); range !== null; range = queue.take()) {
    pieces.push(pieceOf(range.first, range.end));
    const label = job.rois.rois[0]!.label;
    if (label === 'wait for rows') queue.waitForRows(1);
    else if (label === 'wait for the level') queue.waitForSaturation();
    else if (label !== 'answer') await befall(label);
  }
  queue.leave();
  return { head: null, isAlone: false, pieces, provisional: [] };
}
