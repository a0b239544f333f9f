import type { RoiFlag } from '../../model/result.ts';
import { lowSignal, type RoiEstimate, type RoiEstimator, saturatedShare } from '../roiEstimate.ts';
import type { JointLine, Line } from './jointFit.ts';
import { fanoShape, gaussianShape, symmetricFanoShape } from './jointShape.ts';
import { createLineSearch, type LineSearch } from './lineSearch.ts';
import { binWidth, createRoiBins, type RoiBins } from './roiBins.ts';
import { createRowBlocks } from './rowBlocks.ts';
import { createRowScreen } from './rowScreen.ts';

/** A line narrower than so many bins is fitted again to narrower ones. */
const minBinsOfWidth = 2;
/** Height of the line over its standard error below which there is none. */
const noSignal = 7;
/** A fit that rests on less of the ROI than this has found something else than what most of it shows. */
const minUsedShare = 0.5;
/**
 * Standard error of the position, in widths, above which it says nothing: what is left then is the far flank of a line that
 * has left the ROI, or a slope. Lines at the border stay below 0.06, weak ones too.
 */
const minSharpness = 0.12;
/** Half widths between a Fano line's extremum and the border within which its asymmetry is in question … */
const borderReach = 1.5;
/** … and by how much the misfit of a Gaussian line may then be greater, in variances, to be preferred. */
const preference = 10;

/**
 * Estimator `roi`: one fit to all pixels of a ROI. See docs/analysis.md.
 *
 * The position is the mean over the ROI's rows, also over those that can't be used.
 *
 * @param observe sees each ROI as it is sampled first
 */
export function createRoiEstimator(
  method: 'gaussian' | 'fano',
  observe: (bins: RoiBins) => void = () => undefined,
): RoiEstimator {
  const bins = createRoiBins();
  const screen = createRowScreen();
  const blocks = createRowBlocks();
  const main = createLineSearch(method === 'fano' ? fanoShape : gaussianShape);
  const symmetric = method === 'fano' ? createLineSearch(symmetricFanoShape) : null;

  /** The line, and the search that has found it. */
  function find(): { line: JointLine; by: LineSearch } | null {
    const line = main.find(bins, screen, blocks);
    if (symmetric === null) return line && { line, by: main };
    if (line !== null && !isNearBorder(line, bins.cols)) return { line, by: main };
    const other = symmetric.find(bins, screen, blocks);
    if (other === null || !isPlausible(other, bins.cols)) return line && { line, by: main };
    if (line === null || !isPlausible(line, bins.cols)) return { line: other, by: symmetric };
    const agree = Math.abs(extremumOf(line) - other.position) < line.width;
    return agree && other.misfit < line.misfit + preference ? { line: other, by: symmetric } : { line, by: main };
  }

  return (pixels, roi, angle, saturation) => {
    const [rows, cols] = roi.size;
    let found: ReturnType<typeof find> = null;
    for (let width = binWidth(cols); ; width >>= 1) {
      bins.fill(pixels, roi, angle, width, saturation);
      if (width === binWidth(cols)) observe(bins);
      const used = screen.screen(bins);
      blocks.fill(bins, screen.rejections);
      found = used > 0 ? find() : null;
      // What is not found may be too narrow for these bins.
      const isResolved = found !== null && isPlausible(found.line, cols) && found.line.width >= minBinsOfWidth * width;
      if (isResolved || width === 1) break;
    }
    const flags: RoiFlag[] = bins.saturated >= saturatedShare * rows * cols ? ['saturated'] : [];
    if (found === null || !isPlausible(found.line, cols)) return lost(screen.rejections, flags);
    const { line, by } = found;
    const { parameters, signal } = by.rows(bins, screen, blocks);
    if (signal < lowSignal) flags.push('low_signal');
    if (line.position < line.width || line.position > cols - 1 - line.width) flags.push('edge');
    if (hasSecondPeak(screen.profile, bins.count, line, bins.width)) flags.push('two_peaks');
    return {
      position: line.position,
      uncertainty: line.positionError,
      chiSquared: line.chiSquared,
      flags,
      rows: parameters,
      rejections: screen.rejections,
    };
  };
}

function lost(rejections: RoiEstimate['rejections'], flags: readonly RoiFlag[]): RoiEstimate {
  return {
    position: null,
    uncertainty: null,
    chiSquared: null,
    flags: ['lost', ...flags],
    rows: [],
    rejections: rejections.map(rejection => rejection ?? 'no_convergence'),
  };
}

/** Whether there is a line, and in the ROI. */
function isPlausible(
  { height, heightError, position, positionError, width, usedShare }: JointLine,
  cols: number,
): boolean {
  const isSeen = Math.abs(height) > noSignal * heightError && usedShare > minUsedShare;
  const isLine = width >= 0.3 && width <= cols && positionError < minSharpness * width;
  return isSeen && isLine && position >= -0.5 && position <= cols - 0.5;
}

/** Where a Fano line is farthest from its base. */
const extremumOf = ({ position, width, asymmetry }: JointLine): number => position + width * Math.tan(asymmetry / 2);

function isNearBorder(line: JointLine, cols: number): boolean {
  const extremum = extremumOf(line);
  return Math.min(extremum, cols - 1 - extremum) < borderReach * line.width;
}

/** Share of the line's height that another peak must rise from the valley between, to be one. */
const risingShare = 0.4;

/**
 * Whether the typical row has another peak as well: one that stands apart from the line by more than its width and rises
 * from the lowest point between the two by a good part of the line's height. Of a dip, the same upside down.
 *
 * @param binWidth pixels of a bin of the profile
 */
function hasSecondPeak(profile: Float64Array, count: number, line: Line, binWidth: number): boolean {
  const sign = line.height < 0 ? -1 : 1;
  const rise = risingShare * Math.abs(line.height);
  const centre = Math.min(count - 1, Math.max(0, Math.round((line.position - (binWidth - 1) / 2) / binWidth)));
  const apart = line.width / binWidth;
  for (const step of [1, -1]) {
    let valley = Number.POSITIVE_INFINITY;
    // The median of three neighbours: one hot column is no peak.
    for (let bin = centre; bin > 0 && bin < count - 1; bin += step) {
      const value = sign * middleOf(profile[bin - 1], profile[bin], profile[bin + 1]);
      if (Math.abs(bin - centre) > apart && value > valley + rise) return true;
      if (value < valley) valley = value;
    }
  }
  return false;
}

const middleOf = (a: number, b: number, c: number): number => Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
