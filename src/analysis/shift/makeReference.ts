import type { Pixels } from '../../model/frame.ts';
import type { AnalysisMethod } from '../../model/method.ts';
import type { Roi, RoiManifest } from '../../model/roi.ts';
import type { Line } from '../joint/jointFit.ts';
import { fanoShape, gaussianShape, type JointShape } from '../joint/jointShape.ts';
import { binWidth, createRoiBins } from '../joint/roiBins.ts';
import { createRoiEstimator } from '../joint/roiEstimator.ts';
import { medianInPlace } from '../nthSmallest.ts';
import type { RoiEstimator } from '../roiEstimate.ts';
import { estimateDarkLevel } from './darkLevel.ts';
import { positionAt, widthAt } from './logLine.ts';
import { drawPatternErrors, type PatternErrors } from './patternErrors.ts';
import type { FittedReference, Reference, ReferenceRoi } from './reference.ts';
import { createReferenceFit } from './referenceFit.ts';
import { fitAll, type GatheredRoi, noiseOf, patternedLines, sizeClasses, spread, widthOf } from './referenceLines.ts';
import { type BlockLayout, blockLayout, blockMeans, hiddenShares } from './shiftBlocks.ts';

export interface ReferenceOptions {
  rois: RoiManifest;
  method: AnalysisMethod;
  /** What positions are found with, in single frames. */
  estimator: RoiEstimator;
  /** False: it is only measured how far the pattern pulls positions. */
  shifts: boolean;
  /** Counts without light; null: estimated from the frames. */
  darkLevel: number | null;
}

/** Adds up frames to a reference. */
export interface ReferenceBuilder {
  /**
   * ROIs of a frame that show a line.
   *
   * @param saturation count from which a pixel is saturated
   * @param rois where the regions lie in this frame; the same ones, in the same order
   * @throws RoiOutsideFrameError
   */
  count(pixels: Pixels, saturation: number, rois: RoiManifest): number;
  /** Places of the frames, by their counts, that are good: they show about as many lines as the best. */
  good(counts: readonly number[]): number[];
  /** Takes a frame into the reference. */
  add(pixels: Pixels, saturation: number, rois: RoiManifest): void;
  finish(): Reference;
}

/** A frame is good that shows so many of the lines that the best one shows. */
const goodShare = 0.5;
/** And those that tell the dark level. */
const darkRois = 48;
/**
 * By so much the errors that are drawn for methods that fit no line are too small: the waves of a pattern that are longer than a ROI are in part
 * taken for the line where the pattern is measured, and these methods feel them most. Chosen on simulated ROIs, as above.
 */
const unfittedErrors = 1.25;
/** Steps whose differences of positions are tried where nothing better than these is known, and else, widths. */
const steps = [0, 0.1, 0.3, 1, 3];
const farSteps = [3];
/** A line that lies so far from where the frames alone have it, in widths, is another one: one of the two is wrong. */
const elsewhere = 1.6;
/** Movements of a ROI by a pixel, by which the mean frame's gradients are taken. */
const moves = [
  [0, 0],
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
] as const;

interface Gathering {
  roi: Roi;
  layout: BlockLayout | null;
  /** Of each movement, block means summed over the frames; NaN where a pixel is saturated. */
  sums: Float64Array[];
  /** As of `GatheredRoi`, summed over the frames. */
  clipped: Float64Array;
  hidden: Float64Array;
  each: Float32Array[];
  positions: number[];
  errors: number[];
  /** Of the line in each frame that has one. */
  lines: Line[];
}

export function createReferenceBuilder(options: ReferenceOptions): ReferenceBuilder {
  const { rois, method, estimator, shifts, darkLevel } = options;
  const isFitted = method === 'gaussian' || method === 'fano';
  // Methods that fit no line need one all the same, to tell the pattern from it.
  const shape = method === 'fano' ? fanoShape : gaussianShape;
  const fitLine = createRoiEstimator(method === 'fano' ? 'fano' : 'gaussian');
  const movesTaken = isFitted && shifts ? moves : moves.slice(0, 1);
  const bins = createRoiBins();
  const gathered: Gathering[] = rois.rois.map(roi => ({
    roi,
    layout: null,
    sums: [],
    clipped: new Float64Array(0),
    hidden: new Float64Array(0),
    each: [],
    positions: [],
    errors: [],
    lines: [],
  }));
  let frames = 0;

  /** Block means of a ROI, moved by whole pixels where the frame has room for that. */
  function blocksOf(
    pixels: Pixels,
    roi: Roi,
    imageAngle: number,
    [down, right]: readonly [number, number],
    saturation: number,
  ): Float64Array {
    const [row, col] = roi.coords;
    const [rows, cols] = roi.size;
    const top = Math.max(0, Math.min(pixels.height - rows, row + down));
    const left = Math.max(0, Math.min(pixels.width - cols, col + (roi.flip ? -right : right)));
    bins.fill(pixels, { ...roi, coords: [top, left] }, imageAngle, binWidth(cols), saturation);
    const layout = blockLayout(bins);
    const out = new Float64Array(layout.pixels.length);
    blockMeans(bins, layout, out);
    return out;
  }

  const mean = (sums: Float64Array): Float64Array => sums.map(sum => sum / frames);

  return {
    count: (pixels, saturation, { rois: here, imageAngle }) =>
      here.filter(roi => estimator(pixels, roi, imageAngle, saturation).position !== null).length,

    good(counts) {
      const most = counts.reduce((best, count) => Math.max(best, count), 1);
      return counts.flatMap((count, place) => (count >= goodShare * most ? [place] : []));
    },

    add(pixels, saturation, { rois: here, imageAngle }) {
      frames++;
      for (const [i, gathering] of gathered.entries()) {
        const { sums, each, positions, errors, lines } = gathering;
        const alone = estimator(pixels, here[i], imageAngle, saturation);
        if (alone.position !== null && !alone.flags.includes('lost')) {
          positions.push(alone.position);
          errors.push(alone.uncertainty ?? 0);
        }
        const { position, rows } = fitLine(pixels, here[i], imageAngle, saturation);
        if (position !== null) lines.push(medianLine(shape, rows, position));
        for (const [k, move] of movesTaken.entries()) {
          const blocks = blocksOf(pixels, here[i], imageAngle, move, saturation);
          if (k === 0) {
            gathering.layout ??= blockLayout(bins);
            each.push(Float32Array.from(blocks));
            gathering.hidden = sumOf(gathering.hidden, hiddenShares(bins, gathering.layout));
            const clipped = bins.saturated > 0 ? blocksOf(pixels, here[i], imageAngle, move, Infinity) : blocks;
            gathering.clipped = sumOf(gathering.clipped, clipped);
          }
          sums[k] = sumOf(sums[k] ?? nothing, blocks);
        }
      }
    },

    finish() {
      const isUsable = ({ length }: readonly unknown[]): boolean => length > frames / 2;
      const withLine = gathered.flatMap((of): GatheredRoi[] =>
        of.layout !== null && isUsable(of.lines)
          ? [
              {
                ...{ roi: of.roi, layout: of.layout, each: of.each, line: middleLine(of.lines) },
                ...{ means: of.sums.map(mean), clipped: mean(of.clipped), hidden: mean(of.hidden) },
              },
            ]
          : [],
      );
      const dark = darkLevel ?? estimateDarkLevel(spread(withLine, darkRois), shape.kernel);
      const fit = createReferenceFit(shape.kernel);
      const sizes = sizeClasses(withLine, dark, fit);
      const drawn = patternedLines(sizes, ({ comparable }) => (isFitted ? 0 : (noiseOf(comparable, dark) ?? 0)));
      const pattern = drawPatternErrors(drawn, shape.kernel, estimator, isFitted ? farSteps : steps);
      const source = { darkLevel: dark, darkSource: darkLevel === null ? 'estimated' : 'configured' } as const;
      const fitted = isFitted && shifts ? fitAll(sizes, dark, fit, method) : new Map<string, FittedReference>();
      const found = gathered.flatMap((of): [string, ReferenceRoi][] => {
        const { roi, positions } = of;
        const line = fitted.get(roi.label) ?? null;
        if (!isUsable(positions) || (isFitted && shifts && line === null)) return [];
        const alone = meanPosition(of);
        if (line === null) return [[roi.label, { ...alone, alone, fit: null }]];
        const position = line.parameters[positionAt];
        if (Math.abs(position - alone.position) > elsewhere * Math.exp(line.parameters[widthAt])) return [];
        return [[roi.label, { position, positionError: fit.errorOf(line, positionAt), alone, fit: line }]];
      });
      return {
        method,
        ...source,
        shifts,
        pattern: pattern && { ...(isFitted ? pattern : scaled(pattern, unfittedErrors)), width: widthOf(sizes) },
        rois: new Map(found),
      };
    },
  };
}

const nothing = new Float64Array(0);

/** Of two of the same length, or of the second alone where the first is empty. */
const sumOf = (sums: Float64Array, more: Float64Array): Float64Array =>
  sums.length === 0 ? more : sums.map((sum, at) => sum + more[at]);

const middleLine = (lines: readonly Line[]): Line =>
  lines.toSorted((a, b) => a.position - b.position)[lines.length >> 1];

const scaled = (errors: PatternErrors, by: number): PatternErrors => ({
  ...errors,
  position: by * errors.position,
  differences: errors.differences.map(error => by * error),
});

/** The line whose parameters are the medians over the rows. */
function medianLine(shape: JointShape, rows: readonly Float64Array[], position: number): Line {
  const medians = Float64Array.from(rows[0], (_, k) =>
    medianInPlace(
      Float64Array.from(rows, row => row[k]),
      0,
      rows.length,
    ),
  );
  return { ...shape.lineOf(medians), position };
}

function meanPosition({ positions, errors }: Gathering): { position: number; positionError: number } {
  const position = positions.reduce((sum, each) => sum + each, 0) / positions.length;
  const mean = Math.hypot(...errors) / errors.length;
  const scatter = Math.sqrt(
    positions.reduce((sum, each) => sum + (each - position) ** 2, 0) /
      Math.max(1, positions.length - 1) /
      positions.length,
  );
  return { position, positionError: Math.max(mean, scatter) };
}
