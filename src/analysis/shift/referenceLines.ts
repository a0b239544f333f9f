import type { Roi } from '../../model/roi.ts';
import type { Line } from '../joint/jointFit.ts';
import { medianInPlace } from '../nthSmallest.ts';
import { fitCensored } from './censoredFit.ts';
import { fitFanoLines } from './fanoLines.ts';
import { widthAt } from './logLine.ts';
import { isPatterned, type PatternedLine } from './patternErrors.ts';
import {
  type BlockCovariance,
  blockCovariance,
  factorPattern,
  measurePattern,
  type PatternModel,
} from './patternModel.ts';
import type { FittedReference } from './reference.ts';
import { type Expectation, expectation, type ReferenceFit, type ReferenceLine } from './referenceFit.ts';
import { type BlockLayout, coarsest, coarsestMeans } from './shiftBlocks.ts';
import { medianOfNormal } from './shiftFit.ts';

/** A block whose light is below this share of the line's shows nothing, and so many bins beside it are in part as dark. */
const leastLight = 0.02;
const besideDark = 2;

/** ROIs in which the pattern is measured, spread over the chip: of 16 its variance would be known to a third. And those over which such patterns are drawn. */
const measuredRois = 64;
const drawnRois = 16;

/**
 * The information that a reference's line is given, of that which a linear model would have: the line bends where the pattern
 * has pushed it, a Fano line that is fitted by itself with its asymmetry more. Chosen so that two thirds of simulated ROIs lie within the standard error.
 */
const trusted = { gaussian: 0.75, fano: 0.5 };

/** The logarithms of the widths differ by so much at least: a standard deviation. */
const leastSpread = 0.15;

/** What the frames have shown of a ROI that has a line. */
export interface GatheredRoi {
  roi: Roi;
  layout: BlockLayout;
  /** Of the ROI and of its neighbours by a pixel to the right, left, below and above: mean of each block over the frames; NaN where a pixel is saturated. */
  means: readonly Float64Array[];
  /** The same of the ROI with saturated pixels as they are, and of each block the share that has some. */
  clipped: Float64Array;
  hidden: Float64Array;
  /** Block means of each frame; NaN where a pixel is saturated. */
  each: readonly Float32Array[];
  /** Of the typical row, counts. */
  line: Line;
}

/** Of the blocks of a ROI, what can be compared with a frame. */
interface Comparable {
  layout: BlockLayout;
  /** Logarithms of the light; NaN where it is not known. */
  logs: Float32Array;
  byX: Float64Array;
  byY: Float64Array;
  /** Of each frame. */
  each: readonly Float32Array[];
}

interface Prepared {
  roi: Roi;
  comparable: Comparable;
  /** Fewer blocks, which tell as much of the line and cost less. */
  layout: BlockLayout;
  logs: Float32Array;
  /** Of each block the share that is saturated. */
  hidden: Float64Array;
  line: ReferenceLine;
}

/** What ROIs of one size have in common. */
export interface SizeClass {
  covariance: BlockCovariance;
  members: Prepared[];
  pattern: PatternModel;
}

/** By size, with the pattern that they share. ROIs in which no line can be fitted are left out. */
export function sizeClasses(gathered: readonly GatheredRoi[], dark: number, fit: ReferenceFit): SizeClass[] {
  const classes = new Map<string, Omit<SizeClass, 'pattern'>>();
  for (const of of gathered) {
    const prepared = prepare(of, dark, fit);
    if (prepared === null) continue;
    const key = of.roi.size.join('×');
    const size = classes.get(key) ?? { covariance: blockCovariance(prepared.layout), members: [] };
    classes.set(key, size);
    size.members.push(prepared);
  }
  return [...classes.values()].map(size => ({ ...size, pattern: patternOf(size.members, size.covariance, fit) }));
}

/** Some of the lines, spread over all. A fit averages the noise in time; the brightest pixel does not. */
export function patternedLines(sizes: readonly SizeClass[], noise: (of: Prepared) => number): PatternedLine[] {
  const all = sizes.flatMap(({ members, pattern }) => members.map(member => ({ member, pattern })));
  return spread(all, drawnRois).map(({ member, pattern }) => {
    const [rows, cols] = member.roi.size;
    return { rows, cols, line: member.line, pattern, noise: noise(member) };
  });
}

/** Of the typical line, pixels. */
export const widthOf = (sizes: readonly SizeClass[]): number =>
  Math.exp(
    middleOf(
      sizes.flatMap(({ members }) => members),
      ({ line }) => line.parameters[widthAt],
    ),
  );

/** By label. */
export function fitAll(
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
    const alone = ({ logs, hidden, line: start }: Prepared): ReferenceLine | null => {
      const line = isWhole({ logs, hidden })
        ? whole && fit.whitened(layout, logs, [start], whole, all, widths)
        : fitCensored({ fit, layout, logs, hidden, start, pattern, covariance, widths });
      return line && { ...line, information: line.information.map(each => trusted[method] * each) };
    };
    // What is hidden of lines makes what they have in common wrong; where no pattern hides their shapes, nothing of it is needed.
    const shown = members.filter(isWhole);
    const together =
      method === 'fano' && whole !== null && isPatterned(pattern) && 2 * shown.length >= members.length
        ? fitFanoLines({ fit, layout, rois: shown, pattern: whole })
        : [];
    const lines = new Map(together.map((line, place) => [shown[place], line]));
    for (const member of members) {
      const line = lines.get(member) ?? alone(member);
      if (line === null) continue;
      const { each, ...compared } = member.comparable;
      fitted.set(member.roi.label, { ...line, ...compared, noise: noiseOf(member.comparable, dark) });
    }
  }
  return fitted;
}

const isWhole = ({ logs, hidden }: Pick<Prepared, 'logs' | 'hidden'>): boolean =>
  !logs.some(Number.isNaN) && !hidden.some(share => share > 0);

/** Null where no line can be fitted. */
function prepare(
  { roi, layout, means: seen, clipped, hidden, each, line: start }: GatheredRoi,
  dark: number,
  fit: ReferenceFit,
): Prepared | null {
  const coarse = coarsest(layout);
  const isWhole = !seen.some(of => of.some(Number.isNaN));
  const least = dark + leastLight * (Math.max(start.base, start.base + start.height) - dark);
  const lit = litBlocks(layout, clipped, least);
  const means = seen.map(of => of.map((value, at) => (lit[at] ? value : Number.NaN)));
  const coarsen = <T extends Float64Array | Float32Array>(of: T): T => coarsestMeans(layout, of);
  // Where something is saturated, the finer ones leave more of the ROI to be compared.
  const comparable = isWhole
    ? compare(coarse, means.map(coarsen), each.map(coarsen), dark)
    : compare(layout, means, each, dark);
  const light = coarsen(clipped.map((value, at) => (lit[at] ? value : Number.NaN)));
  const logs = Float32Array.from(light, value => Math.log(value - dark));
  const line = fit.plain(coarse, logs, { ...start, base: start.base - dark });
  return line && { roi, comparable, layout: coarse, logs, hidden: coarsen(hidden), line };
}

/** Blocks that show light, and so do those about them: the next ones to a part without light are partly without. */
function litBlocks({ groups, count }: BlockLayout, light: Float64Array, least: number): Uint8Array {
  const lit = new Uint8Array(light.length).fill(1);
  for (const [at, value] of light.entries()) {
    if (value > least) continue;
    const [group, bin] = [Math.floor(at / count), at % count];
    for (let g = Math.max(0, group - 1); g <= Math.min(groups - 1, group + 1); g++)
      lit.fill(0, g * count + Math.max(0, bin - besideDark), g * count + Math.min(count, bin + besideDark + 1));
  }
  return lit;
}

/** The light's logarithm and its gradients. */
function compare(
  layout: BlockLayout,
  [here, right = here, left = here, below = here, above = here]: readonly Float64Array[],
  each: readonly Float32Array[],
  dark: number,
): Comparable {
  const logs = new Float32Array(here.length).fill(Number.NaN);
  const byX = new Float64Array(here.length);
  const byY = new Float64Array(here.length);
  for (let at = 0; at < here.length; at++) {
    const light = here[at] - dark;
    const along = (left[at] - right[at]) / (2 * light);
    const across = (above[at] - below[at]) / (2 * light);
    if (!(light > 0 && Number.isFinite(along + across))) continue;
    logs[at] = Math.log(light);
    // As they will be read back from a file.
    byX[at] = Math.fround(along);
    byY[at] = Math.fround(across);
  }
  return { layout, logs, byX, byY, each };
}

function patternOf(members: readonly Prepared[], covariance: BlockCovariance, fit: ReferenceFit): PatternModel {
  const measurement = measurePattern(members[0].layout, covariance);
  for (const { layout, logs, line } of spread(members, measuredRois)) {
    fit.look(layout, logs, line);
    measurement.add(fit.residuals(), fit.directions());
  }
  return measurement.estimate();
}

/** About so many of them, less than twice, at equal distances. */
export function spread<T>(all: readonly T[], count: number): T[] {
  const stride = Math.max(1, Math.floor(all.length / count));
  return all.filter((_, place) => place % stride === 0);
}

/**
 * Lines of one chip are about as wide as each other: what saturation or a pattern hides of one, the others tell. Their spread is that of
 * the fits less the fits' own errors.
 */
function widthsOf(members: readonly Prepared[], fit: ReferenceFit): Expectation {
  const mean = middleOf(members, ({ line }) => line.parameters[widthAt]);
  const spread = middleOf(members, ({ line }) => Math.abs(line.parameters[widthAt] - mean)) / medianOfNormal;
  const error = middleOf(members, ({ line }) => fit.errorOf(line, widthAt));
  const expected = expectation(members[0].line.parameters.length, null);
  expected.means[widthAt] = mean;
  expected.precisions[widthAt] = 1 / Math.max(leastSpread ** 2, spread ** 2 - error ** 2);
  return expected;
}

/** Median over ROIs. */
function middleOf(members: readonly Prepared[], of: (member: Prepared) => number): number {
  return medianInPlace(Float64Array.from(members, of), 0, members.length);
}

/** Deviation of a pixel's logarithm between the quietest frame and the mean of all, as between a frame and a mean of others: what changes while the reference is taken is no noise. */
export function noiseOf({ each, logs, layout: { pixels } }: Comparable, dark: number): number | null {
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
  return Math.min(...noises) * Math.sqrt((frames + 1) / (frames - 1));
}
