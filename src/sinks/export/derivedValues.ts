import { robustSlope } from '../../quantities/robustSlope.ts';
import { sortedMedian } from '../../quantities/sortedMedian.ts';
import { pairsOf } from '../../quantities/trackRun.ts';
import { trackedFrame } from '../quantities/trackedFrame.ts';
import type { ChosenFrame } from '../series/chosenFrames.ts';
import type { DerivedValue } from './roiValues.ts';

/** What follows from the shifts of an image and of those before it, for one ROI; NaN where there is none. Values with a flag that takes them out do not count. */
export interface DerivedValues {
  of(name: DerivedValue, frame: ChosenFrame, roi: number): number;
}

export interface DerivedOptions {
  /** Frames of the rolling median and slope. */
  windowFrames: number;
  /** What `rezeroed` counts from, px; a ROI that is not in it has none. */
  zeros: ReadonlyMap<string, number>;
}

/** The newest shifts of a ROI, and when they were, h. */
interface Window {
  hours: number[];
  shifts: number[];
}

/** Images are asked for in order of time. */
export function derivedValues({ windowFrames, zeros }: DerivedOptions): DerivedValues {
  const windows = new Map<string, Window>();
  let current: ChosenFrame | null = null;
  let shifts: Float64Array = new Float64Array(0);
  let partners: readonly (readonly [number, number] | null)[] = [];
  let labels: readonly string[] | null = null;
  const take = (frame: ChosenFrame): void => {
    const { row, ...header } = frame;
    const tracked = trackedFrame(row, header, '');
    if (frame.labels !== labels) {
      labels = frame.labels;
      const pairs = pairsOf(labels);
      partners = labels.map((_, i) => {
        const pair = pairs.find(({ first, second }) => first === i || second === i);
        return pair ? [pair.first, pair.second] : null;
      });
    }
    shifts = Float64Array.from(row.shifts, (shift, i) => (tracked.kindOf(i) === 'good' ? shift : Number.NaN));
    for (const [i, label] of frame.labels.entries()) {
      const window = windows.get(label) ?? { hours: [], shifts: [] };
      windows.set(label, window);
      window.hours.push(tracked.time / 3_600_000);
      window.shifts.push(shifts[i]!);
      if (window.shifts.length > windowFrames) {
        window.hours.shift();
        window.shifts.shift();
      }
    }
    current = frame;
  };
  const valuesOf = ({ hours, shifts: all }: Window): { x: number[]; y: number[] } => {
    const there = all.flatMap((shift, i) => (Number.isNaN(shift) ? [] : [i]));
    return { x: there.map(i => hours[i]! - hours.at(-1)!), y: there.map(i => all[i]!) };
  };
  return {
    of(name, frame, roi) {
      if (frame !== current) take(frame);
      const label = frame.labels[roi]!;
      if (name === 'rezeroed') return shifts[roi]! - (zeros.get(label) ?? Number.NaN);
      if (name === 'resonance' || name === 'movement') {
        const pair = partners[roi];
        if (!pair) return Number.NaN;
        const [first, second] = [shifts[pair[0]]!, shifts[pair[1]]!];
        return (name === 'resonance' ? first + second : first - second) / 2;
      }
      const { x, y } = valuesOf(windows.get(label)!);
      if (name === 'median') return y.length > 0 ? sortedMedian(Float64Array.from(y).sort(), y.length) : Number.NaN;
      const slope = robustSlope(x, y);
      return (name === 'slope' ? slope?.value : slope?.sigma) ?? Number.NaN;
    },
  };
}
