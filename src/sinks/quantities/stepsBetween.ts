import type { SeriesFigures } from '../../quantities/quantities.ts';
import { type StepHeight, stepHeights } from '../../quantities/stepHeight.ts';
import type { ChosenFrames, FrameSpan } from '../series/chosenFrames.ts';
import { trackedFrame } from './trackedFrame.ts';

export type Span = FrameSpan;

export interface StepFigures {
  name: string;
  /** Null where a window has too few values. */
  step: StepHeight | null;
}

/**
 * The steps of ROIs between two spans of time. Values that are flagged do not count. What all ROIs tell of the noise counts for each: give all of them.
 *
 * @param interval between frames, s
 * @throws the file system's errors
 */
export async function stepsBetween(
  frames: ChosenFrames,
  spans: readonly [Span, Span],
  rois: readonly Pick<SeriesFigures, 'name' | 'allan' | 'drift' | 'changeCount'>[],
  interval: number | null,
): Promise<StepFigures[]> {
  const windows = spans.map(() => rois.map(() => ({ shifts: [] as number[], sigmas: [] as number[] })));
  // The middles of both, in frames.
  const sums = spans.map(() => ({ sum: 0, count: 0 }));
  let at = 0;
  let known: readonly string[] | null = null;
  let places: number[] = [];
  for await (const { row, ...header } of frames.read()) {
    const which = spans.findIndex(({ from, end }) => row.local >= from && row.local < end);
    at++;
    if (which < 0) continue;
    if (header.labels !== known) {
      known = header.labels;
      places = rois.map(({ name }) => header.labels.indexOf(name));
    }
    sums[which]!.sum += at;
    sums[which]!.count++;
    const { shifts, sigmas, kindOf } = trackedFrame(row, header, '');
    for (const [i, place] of places.entries()) {
      const isGood = place >= 0 && kindOf(place) === 'good';
      windows[which]![i]!.shifts.push(isGood ? shifts[place]! : Number.NaN);
      windows[which]![i]!.sigmas.push(isGood ? sigmas[place]! : Number.NaN);
    }
  }
  const [middle, last] = sums.map(({ sum, count }) => sum / count);
  const steps = stepHeights(
    rois.map(({ allan, drift, changeCount }, i) => {
      const perFrame = drift && interval !== null ? (drift.value * interval) / 3600 : null;
      const run = { allan, drift: perFrame, levels: changeCount + 1, apart: last! - middle! };
      return { first: windows[0]![i]!, second: windows[1]![i]!, run };
    }),
  );
  return rois.map(({ name }, i) => ({ name, step: steps[i]! }));
}
