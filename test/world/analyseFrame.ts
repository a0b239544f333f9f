import { joinPieces } from '../../src/analysis/joinPieces.ts';
import { createRoiAnalysis, type FrameAnalysis } from '../../src/analysis/roiPiece.ts';
import { frameStatistics } from '../../src/image/frameStatistics.ts';
import type { AnalysedFrame } from '../../src/model/analysisJob.ts';
import type { Pixels } from '../../src/model/frame.ts';

/**
 * Analyses every ROI of a decoded frame, in manifest order. Pure, in this thread, in one piece; the analysis pool does the
 * same with many.
 *
 * No number in the result is NaN or infinite. A ROI without a line stands in the result with `position` and `uncertainty`
 * null, the flag `lost`, and no parameters.
 *
 * @throws RoiOutsideFrameError when an ROI reaches out of the frame: the manifest is for images of another size
 */
export function analyseFrame(pixels: Pixels, job: FrameAnalysis): Omit<AnalysedFrame, 'decodeMs' | 'analyseMs'> {
  const { width, height, depth } = pixels;
  const { statistics, saturation } = frameStatistics(pixels);
  const count = job.rois.rois.length;
  const piece = createRoiAnalysis(job)(pixels, saturation, 0, count);
  const head = { width, height, depth, statistics, decodeMs: 0, analyseMs: 0 };
  const { decodeMs: _decode, analyseMs: _analyse, ...frame } = joinPieces(head, [piece], count);
  return frame;
}
