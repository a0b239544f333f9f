import { type RandomStream, randomStream } from '../../src/model/randomStream.ts';
import type { RunFigures, ShiftChange } from '../../src/quantities/quantities.ts';
import type { ValueKind } from '../../src/quantities/seriesState.ts';
import { stepHeights } from '../../src/quantities/stepHeight.ts';
import { type RunState, RunTracker, type TrackedFrame, type TrackSettings } from '../../src/quantities/trackRun.ts';

export interface SimulatedRun {
  frames: number;
  /** s */
  interval?: number;
  labels: readonly string[];
  /** Shift of a ROI, px; `noise` is its own stream. */
  shift: (frame: number, roi: number, noise: RandomStream) => number;
  kind?: (frame: number, roi: number) => ValueKind;
  temperature?: (frame: number) => number;
  reference?: (frame: number) => string | null;
  /** What the ROIs say of their errors, px. */
  sigmas?: (frame: number) => number;
  settings?: Partial<TrackSettings>;
  seed?: number;
  /** Frames that are taken together. */
  block?: number;
  /** The first of the labels that a frame has; absent: all. */
  labelsOf?: (frame: number) => readonly string[];
  /** Goes on from there. */
  state?: RunState;
  from?: number;
}

/** Noise of one value of what most runs simulate, px. */
export const sigma = 0.02;

/** A run through the tracker: its figures and all its changes, in frames of it. */
export function simulate({
  frames,
  interval = 10,
  labels,
  shift,
  kind = () => 'good',
  temperature = () => Number.NaN,
  reference = () => null,
  sigmas: sigmaOf = () => sigma,
  settings,
  seed = 1,
  block = 1,
  labelsOf = () => labels,
  state,
  from = 0,
}: SimulatedRun): { figures: RunFigures; changes: ShiftChange[]; tracker: RunTracker } {
  const tracker = new RunTracker({ windowFrames: 15, groups: [], zero: null, ...settings }, state);
  const noises = labels.map(label => randomStream(seed, label));
  const changes: ShiftChange[] = [];
  const waiting: TrackedFrame[] = [];
  const seen: (readonly string[])[] = [labels];
  for (let frame = from; frame < frames; frame++) {
    const time = frame * interval * 1000;
    const sigmas = new Float64Array(labels.length).fill(sigmaOf(frame));
    const shifts = Float64Array.from(labels, (_, roi) => shift(frame, roi, noises[roi]!));
    const kindOf = (roi: number): ValueKind => kind(frame, roi);
    const beside = { temperature: temperature(frame), reference: reference(frame) };
    const own = labelsOf(frame);
    const known = seen.find(each => each === own || each.join() === own.join()) ?? own;
    if (!seen.includes(known)) seen.push(known);
    waiting.push({ time, local: time, labels: known, shifts, sigmas, kindOf, ...beside });
    if (waiting.length < block && frame + 1 < frames) continue;
    changes.push(...tracker.takeAll(waiting.splice(0)));
  }
  return { figures: tracker.figures('chip'), changes, tracker };
}

/** Noise whose power goes as 1/f over three decades: as much in each octave, with one standard deviation in all (sum of relaxations). */
export function flicker(noise: RandomStream): () => number {
  const octaves = Float64Array.from({ length: 12 }, () => noise.normal());
  return () => {
    let sum = 0;
    for (let i = 0; i < octaves.length; i++) {
      const keep = Math.exp(-(0.5 ** i));
      octaves[i] = keep * octaves[i]! + Math.sqrt(1 - keep * keep) * noise.normal();
      sum += octaves[i]!;
    }
    return sum / Math.sqrt(octaves.length);
  };
}

/** A shift of each ROI from one kind of noise. */
export function noiseOf(
  make: (random: RandomStream) => (frame: number) => number,
): (frame: number, roi: number, random: RandomStream) => number {
  const made: ((frame: number) => number)[] = [];
  return (frame, roi, random) => {
    made[roi] ??= make(random);
    return made[roi]!(frame);
  };
}

/** In how many of 100 ROIs the truth is inside of one error and of two. */
export const shares = (errors: readonly number[]): [number, number] => [
  Math.round((100 * errors.filter(error => error <= 1).length) / errors.length),
  Math.round((100 * errors.filter(error => error <= 2).length) / errors.length),
];

/**
 * Shares of steps of 0.5 px between windows of so many frames on both sides of a step in the middle of a run, and of the changes that were found.
 * @param own what the ROIs say of their errors, px
 */
export function sharesOf(
  make: (random: RandomStream) => (frame: number) => number,
  {
    frames,
    window,
    rois,
    flips = false,
    own = sigma,
  }: { frames: number; window: number; rois: number; flips?: boolean; own?: number },
) {
  const noise = noiseOf(make);
  const labels = Array.from({ length: rois }, (_, i) => `R${i}`);
  const windows = labels.map(() => [[], []] as [number[], number[]]);
  const gap = Math.max(1, Math.floor(window / 10));
  const half = frames / 2;
  const isFlip = (frame: number, roi: number): boolean => flips && roi % 20 === 3 && (frame >> 3) % 3 === 0;
  const { figures, changes } = simulate({
    frames,
    labels,
    kind: (frame, roi) => (isFlip(frame, roi) ? 'two_peaks' : 'good'),
    shift: (frame, roi, random) => {
      const shift = noise(frame, roi, random) + (frame >= half ? 0.5 : 0) + (isFlip(frame, roi) ? 25 : 0);
      const value = isFlip(frame, roi) ? Number.NaN : shift;
      if (frame >= half - gap - window && frame < half - gap) windows[roi]![0].push(value);
      if (frame >= half + gap && frame < half + gap + window) windows[roi]![1].push(value);
      return shift;
    },
  });
  const steps = stepHeights(
    figures.rois.map(({ allan, drift, changeCount }, i) => {
      const [first, second] = windows[i]!.map(shifts => ({ shifts, sigmas: shifts.map(() => own) }));
      const perFrame = drift && (drift.value * figures.interval!) / 3600;
      const run = { allan, drift: perFrame, levels: changeCount + 1, apart: window + 2 * gap };
      return { first: first!, second: second!, run };
    }),
  ).map(step => step!);
  const found = changes.filter(({ time }) => Math.abs(time / 10_000 - half) < 2);
  return {
    steps,
    ofSteps: shares(steps.map(({ height, sigma: error }) => Math.abs(height - 0.5) / error)),
    ofChanges: shares(found.map(({ height, heightSigma }) => Math.abs(height - 0.5) / heightSigma)),
  };
}
