import { type RandomStream, randomStream } from '../../src/model/randomStream.ts';
import type { RunFigures, ShiftChange } from '../../src/quantities/quantities.ts';
import { type RunState, RunTracker, type TrackedFrame, type TrackSettings } from '../../src/quantities/trackRun.ts';
import type { ValueKind } from '../../src/quantities/trackSeries.ts';

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
