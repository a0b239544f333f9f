import { frameStatistics } from '../image/frameStatistics.ts';
import type { Pixels } from '../model/frame.ts';
import type { AnalysisMethod } from '../model/method.ts';
import type { ChipShift, FrameStatistics } from '../model/result.ts';
import type { Roi, RoiManifest } from '../model/roi.ts';
import type { InspectedReference, InspectedRow, RoiInspection } from '../model/roiInspection.ts';
import { createChipMovement, followed } from './chipMovement.ts';
import type { RoiEstimate } from './roiEstimate.ts';
import { createOneRoiAnalysis, type FrameAnalysis } from './roiPiece.ts';
import { requireSize } from './roiWalk.ts';
import { rowMethods } from './rowMethods.ts';
import { sampleRoi } from './sampleRoi.ts';
import { decodeReference, type Reference } from './shift/reference.ts';
import type { ComparedBlocks } from './shift/roiShift.ts';

/** A frame that one looks into: the same steps as in the analysis of the whole frame. */
export interface InspectedFrame {
  statistics: FrameStatistics;
  /** How far the chip has moved; null where that is not seen. */
  chipShift: ChipShift | null;
  /** The ROIs where they were sampled. */
  rois: RoiManifest;
  /** @throws RoiOutsideFrameError; Error for a label that no ROI has. */
  inspect(label: string): RoiInspection;
}

/** Prepares a frame to look at its ROIs one by one. @throws RoiOutsideFrameError when the frame has the wrong size */
export function inspectFrame(pixels: Pixels, job: FrameAnalysis): InspectedFrame {
  requireSize(pixels, job.rois);
  const { statistics, saturation } = frameStatistics(pixels);
  const movement = createChipMovement(job.rois)?.(pixels) ?? null;
  const rois = job.followChip === true && movement !== null ? followed(job.rois, movement) : job.rois;
  const own: FrameAnalysis = { ...job, rois };
  const analyse = createOneRoiAnalysis(own);
  const reference = job.reference ? decodeReference(new Uint8Array(job.reference.bytes)) : null;
  return {
    statistics,
    chipShift: movement?.shift ?? null,
    rois,
    inspect: label => {
      const roi = rois.rois.find(each => each.label === label);
      if (!roi) throw new Error(`no ROI has the label ${JSON.stringify(label)}`);
      const { result, estimated, finder } = analyse(pixels, saturation, roi);
      const sampled = new Float64Array(roi.size[0] * roi.size[1]);
      sampleRoi(pixels, roi, rois.imageAngle, sampled);
      return {
        roi,
        method: job.method,
        estimator: job.estimator,
        pixels: sampled,
        saturation: Number.isFinite(saturation) ? saturation : null,
        rows: inspectedRows(roi, job.method, estimated),
        result,
        reference:
          reference && job.reference
            ? inspectedReference(label, job.reference.hash, reference, finder!.compared())
            : null,
      };
    },
  };
}

function inspectedRows({ size: [rows, columns] }: Roi, method: AnalysisMethod, estimated: RoiEstimate): InspectedRow[] {
  const { index, origin } = rowMethods[method]().position;
  const count = estimated.rejections.length;
  // Where no line was found in the ROI as a whole, no row has parameters.
  let used = 0;
  return estimated.rejections.map((rejection, i): InspectedRow => {
    const parameters = rejection === null ? estimated.rows[used++] : undefined;
    return {
      from: (i * rows) / count,
      to: ((i + 1) * rows) / count,
      position: parameters ? parameters[index] - origin : null,
      rejection,
      fit: parameters ? lineOf(method, parameters, columns) : null,
    };
  });
}

/** The fitted line at each column; null for a method that fits none. See `gaussian.ts` and `fano.ts`. */
function lineOf(method: AnalysisMethod, parameters: Float64Array, columns: number): Float64Array | null {
  if (method === 'gaussian') {
    const [amplitude, mu, sigma, offset] = parameters;
    return Float64Array.from(
      { length: columns },
      (_, x) => offset + amplitude * Math.exp(-0.5 * ((x - mu) / sigma) ** 2),
    );
  }
  if (method !== 'fano') return null;
  const [amplitude, asymmetry, resonance, gamma, offset] = parameters;
  return Float64Array.from({ length: columns }, (_, x) => {
    const t = (x - resonance) / gamma;
    return offset + (amplitude * (asymmetry + t) ** 2) / (1 + t * t);
  });
}

function inspectedReference(
  label: string,
  hash: string,
  { darkLevel, rois, shifts }: Reference,
  compared: ComparedBlocks | null,
): InspectedReference | null {
  const known = shifts ? rois.get(label) : undefined;
  if (!known) return null;
  const { position, positionError } = known;
  return { hash, position, positionError, darkLevel, ratio: compared && ratioOf(compared) };
}

/** Means over the groups of rows, of the blocks that can be used in both. */
function ratioOf({ reference: { layout, logs: before }, logs, residuals, trust }: ComparedBlocks) {
  const { count, centres } = layout;
  const empty = (): Float64Array => new Float64Array(count);
  const [frame, reference, measured, fitted] = [empty(), empty(), empty(), empty()];
  const [usable, counted] = [empty(), empty()];
  let [blocks, trusted] = [0, 0];
  for (let at = 0; at < logs.length; at++) {
    const bin = at % count;
    const ratio = logs[at] - before[at];
    if (Number.isNaN(ratio)) continue;
    usable[bin]++;
    blocks++;
    frame[bin] += Math.exp(logs[at]);
    reference[bin] += Math.exp(before[at]);
    measured[bin] += ratio;
    if (!residuals || !trust) continue;
    trusted += trust[at];
    counted[bin]++;
    fitted[bin] += ratio - residuals[at];
  }
  const mean = (sums: Float64Array, of: Float64Array): Float64Array => sums.map((sum, bin) => sum / of[bin]);
  return {
    columns: centres.slice(0, count),
    frame: mean(frame, usable),
    reference: mean(reference, usable),
    measured: mean(measured, usable),
    fitted: residuals && mean(fitted, counted),
    usedShare: trust && trusted / blocks,
  };
}
