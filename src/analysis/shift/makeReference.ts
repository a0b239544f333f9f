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
import { drawPatternErrors, type PatternErrors, type PatternedLine } from './patternErrors.ts';
import {
  type BlockCovariance,
  blockCovariance,
  factorPattern,
  measurePattern,
  type PatternModel,
} from './patternModel.ts';
import type { FittedReference, Reference, ReferenceRoi } from './reference.ts';
import {
  createReferenceFit,
  type ExpectedWidth,
  type ReferenceFit,
  type ReferenceLine,
  usedBlocks,
} from './referenceFit.ts';
import { type BlockLayout, blockLayout, blockMeans, coarser, coarserMeans } from './shiftBlocks.ts';
import { medianOfNormal } from './shiftFit.ts';

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
/** A block whose light is below this share of the brightest shows nothing. */
const leastLight = 0.02;
/** ROIs in which the pattern is measured, spread over the chip, and over which such patterns are drawn. */
const measuredRois = 16;
/**
 * The information that a reference's line is given, of that which a linear model would have: the line bends where the pattern
 * has pushed it, a Fano line with its asymmetry more. Chosen so that two thirds of simulated ROIs lie within the standard error.
 */
const trusted = { gaussian: 0.75, fano: 0.5 };
/**
 * By so much the errors that are drawn for methods that fit no line are too small: the waves of a pattern that are longer than a ROI are in part
 * taken for the line where the pattern is measured, and these methods feel them most. Chosen on simulated ROIs, as above.
 */
const unfittedErrors = 1.25;
/** The logarithms of the widths differ by so much at least: a standard deviation. */
const leastSpread = 0.15;
/** Steps whose differences of positions are tried where nothing better than these is known, and else, widths. */
const steps = [0, 0.1, 0.3, 1, 3];
const farSteps = [3];
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
  /** Of each movement, block means summed over the frames. */
  sums: Float64Array[];
  /** Block means of each frame. */
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
          }
          const sum = sums[k];
          if (sum === undefined) sums.push(blocks);
          else for (let at = 0; at < sum.length; at++) sum[at] += blocks[at];
        }
      }
    },

    finish() {
      for (const { sums } of gathered)
        for (const sum of sums) for (let at = 0; at < sum.length; at++) sum[at] /= frames;
      for (const gathering of gathered) coarsen(gathering);
      const isUsable = ({ length }: readonly unknown[]): boolean => length > frames / 2;
      const withLine = gathered.filter(({ lines }) => isUsable(lines));
      const dark = darkLevel ?? darkLevelOf(withLine);
      const fit = createReferenceFit(shape.kernel);
      const sizes = sizeClasses(withLine, dark, fit);
      const noise = (of: Prepared): number => (isFitted ? 0 : (noiseOf(of.gathering, of.logs, dark, of.layout) ?? 0));
      const drawn = patternedLines(sizes, noise);
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

/** Fewer blocks tell as much and cost less. Where something is saturated, the finer ones leave more of the ROI. */
function coarsen(gathering: Gathering): void {
  const { layout, sums, each } = gathering;
  if (layout === null || coarser(layout) === layout || sums.some(sum => sum.some(Number.isNaN))) return;
  gathering.layout = coarser(layout);
  gathering.sums = sums.map(sum => coarserMeans(layout, sum));
  gathering.each = each.map(blocks => coarserMeans(layout, blocks));
}

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

function darkLevelOf(gathered: readonly Gathering[]): number {
  const light: number[] = [];
  const bends: number[] = [];
  for (const { layout, sums } of gathered) {
    const [means] = sums;
    const { groups, count } = layout as BlockLayout;
    for (let group = 0; group < groups; group++) {
      for (let at = group * count + 1; at < (group + 1) * count - 1; at++) {
        const bend = Math.abs(means[at - 1] - 2 * means[at] + means[at + 1]);
        if (Number.isNaN(bend)) continue;
        light.push(means[at]);
        bends.push(bend);
      }
    }
  }
  return estimateDarkLevel(Float64Array.from(light), Float64Array.from(bends));
}

interface Prepared {
  gathering: Gathering;
  layout: BlockLayout;
  logs: Float32Array;
  byX: Float64Array;
  byY: Float64Array;
  line: ReferenceLine;
}

/** What ROIs of one size have in common. */
interface SizeClass {
  covariance: BlockCovariance;
  members: Prepared[];
  pattern: PatternModel;
}

/** By size, with the pattern that they share. ROIs in which no line can be fitted are left out. */
function sizeClasses(gathered: readonly Gathering[], dark: number, fit: ReferenceFit): SizeClass[] {
  const classes = new Map<string, Omit<SizeClass, 'pattern'>>();
  for (const gathering of gathered) {
    const prepared = prepare(gathering, dark, fit);
    if (prepared === null) continue;
    const key = `${gathering.roi.size.join('×')} ${prepared.layout.groups}`;
    const size = classes.get(key) ?? { covariance: blockCovariance(prepared.layout), members: [] };
    classes.set(key, size);
    size.members.push(prepared);
  }
  return [...classes.values()].map(size => ({ ...size, pattern: patternOf(size.members, size.covariance, fit) }));
}

/** Some of the lines, spread over all. A fit averages the noise in time; the brightest pixel does not. */
function patternedLines(sizes: readonly SizeClass[], noise: (of: Prepared) => number): PatternedLine[] {
  const all = sizes.flatMap(({ members, pattern }) => members.map(member => ({ member, pattern })));
  return spread(all).map(({ member, pattern }) => {
    const [rows, cols] = member.gathering.roi.size;
    return { rows, cols, line: member.line, pattern, noise: noise(member) };
  });
}

const scaled = (errors: PatternErrors, by: number): PatternErrors => ({
  ...errors,
  position: by * errors.position,
  differences: errors.differences.map(error => by * error),
});

const widthOf = (sizes: readonly SizeClass[]): number =>
  Math.exp(
    middleOf(
      sizes.flatMap(({ members }) => members),
      ({ line }) => line.parameters[widthAt],
    ),
  );

function fitAll(
  sizes: readonly SizeClass[],
  dark: number,
  fit: ReferenceFit,
  method: 'gaussian' | 'fano',
): Map<string, FittedReference> {
  const fitted = new Map<string, FittedReference>();
  for (const { covariance, members, pattern } of sizes) {
    const [{ layout }] = members;
    const widths = widthsOf(members, fit);
    const all = Int32Array.from({ length: layout.pixels.length }, (_, at) => at);
    const whole = factorPattern(pattern, covariance, layout, all);
    for (const member of members) {
      const blocks = usedBlocks(member.logs);
      const factor = blocks.length === all.length ? whole : factorPattern(pattern, covariance, layout, blocks);
      const line = factor && fit.whitened(layout, member.logs, member.line, factor, blocks, widths);
      if (line === null) continue;
      for (let i = 0; i < line.information.length; i++) line.information[i] *= trusted[method];
      const { logs, byX, byY, gathering } = member;
      const noise = noiseOf(gathering, logs, dark, layout);
      fitted.set(gathering.roi.label, { ...line, layout, logs, byX, byY, noise });
    }
  }
  return fitted;
}

/** The light's logarithm and its gradients; null where no line can be fitted to them. */
function prepare(gathering: Gathering, dark: number, fit: ReferenceFit): Prepared | null {
  const { sums, lines } = gathering;
  const layout = gathering.layout as BlockLayout;
  const [here, right = here, left = here, below = here, above = here] = sums;
  let brightest = 0;
  for (const value of here) if (value - dark > brightest) brightest = value - dark;
  const blocks = here.length;
  const logs = new Float32Array(blocks);
  const byX = new Float64Array(blocks);
  const byY = new Float64Array(blocks);
  for (let at = 0; at < blocks; at++) {
    const light = here[at] - dark;
    byX[at] = (left[at] - right[at]) / (2 * light);
    byY[at] = (above[at] - below[at]) / (2 * light);
    if (light > leastLight * brightest && Number.isFinite(byX[at] + byY[at])) logs[at] = Math.log(light);
    else {
      logs[at] = Number.NaN;
      byX[at] = 0;
      byY[at] = 0;
    }
  }
  // As they will be read back from a file.
  byX.set(Float32Array.from(byX));
  byY.set(Float32Array.from(byY));
  const [start] = lines.toSorted((a, b) => a.position - b.position).slice(lines.length >> 1);
  const line = fit.plain(layout, logs, { ...start, base: start.base - dark });
  return line && { gathering, layout, logs, byX, byY, line };
}

function patternOf(members: readonly Prepared[], covariance: BlockCovariance, fit: ReferenceFit): PatternModel {
  const measurement = measurePattern(members[0].layout, covariance);
  for (const { layout, logs, line } of spread(members)) {
    fit.look(layout, logs, line);
    measurement.add(fit.residuals(), fit.project);
  }
  return measurement.estimate();
}

/** At most about {@link measuredRois} of them, at equal distances. */
function spread<T>(all: readonly T[]): T[] {
  const stride = Math.max(1, Math.floor(all.length / measuredRois));
  return all.filter((_, place) => place % stride === 0);
}

/**
 * Lines of one chip are about as wide as each other: what saturation or a pattern hides of one, the others tell. Their spread is that of
 * the fits less the fits' own errors.
 */
function widthsOf(members: readonly Prepared[], fit: ReferenceFit): ExpectedWidth {
  const mean = middleOf(members, ({ line }) => line.parameters[widthAt]);
  const spread = middleOf(members, ({ line }) => Math.abs(line.parameters[widthAt] - mean)) / medianOfNormal;
  const error = middleOf(members, ({ line }) => fit.errorOf(line, widthAt));
  return { mean, deviation: Math.max(leastSpread, Math.sqrt(Math.max(0, spread ** 2 - error ** 2))) };
}

/** Median over ROIs. */
function middleOf(members: readonly Prepared[], of: (member: Prepared) => number): number {
  return medianInPlace(Float64Array.from(members, of), 0, members.length);
}

/** Deviation of a pixel's logarithm between a frame and the mean of all, as between a frame and a mean of others. */
function noiseOf({ each }: Gathering, logs: Float32Array, dark: number, { pixels }: BlockLayout): number | null {
  const frames = each.length;
  if (frames < 2) return null;
  const noises = each.map(blocks => {
    const ratios = Float64Array.from(
      blocks,
      (value, at) => Math.log(Math.max(value - dark, Number.MIN_VALUE)) - logs[at],
    );
    const used = ratios.filter(ratio => !Number.isNaN(ratio));
    const middle = medianInPlace(used, 0, used.length);
    const deviations = Float64Array.from(
      ratios,
      (ratio, at) => Math.abs(ratio - middle) * Math.sqrt(pixels[at]),
    ).filter(deviation => !Number.isNaN(deviation));
    return medianInPlace(deviations, 0, deviations.length) / medianOfNormal;
  });
  // A frame is part of the mean: of the variance between it and a mean of others it shows (n − 1)/(n + 1).
  return medianInPlace(Float64Array.from(noises), 0, noises.length) * Math.sqrt((frames + 1) / (frames - 1));
}
