import type { RoiFlag } from '../../model/result.ts';
import type { ChosenFrame, ChosenFrames } from './chosenFrames.ts';

/** With one of these a shift may be that of something else: another peak, noise, half a line. */
export const distrustedFlags: ReadonlySet<string> = new Set([
  'low_signal',
  'edge',
  'two_peaks',
  'lost',
] satisfies RoiFlag[]);

/** Shifts of ROIs against time. */
export interface SeriesCurves {
  /** When each image was taken, as the clock at the camera showed it, ms as if in UTC; in order. */
  times: Float64Array;
  labels: readonly string[];
  /** Of each ROI, px; NaN where there is none, or a flag that makes it another thing. */
  shifts: readonly Float32Array[];
  /** Standard errors, px. */
  sigmas: readonly Float32Array[];
  /** What such a flag has taken out of `shifts`, px. */
  distrusted: readonly Float32Array[];
  /** How many these are. */
  flagged: readonly number[];
  /** Bits of the flags of each ROI. */
  flags: readonly Uint16Array[];
  /** 1 where the shifts of an image are from another reference than those of most images: from another zero. */
  isOther: Uint8Array;
  /** One of so many images was taken. */
  every: number;
}

/**
 * The shifts of some ROIs in at most so many images, one of every few where there are more: each is a value as it was measured, none a mean.
 * @param alsoTake is given each of these images, and its place among them
 * @throws the file system's errors
 */
export async function readCurves(
  frames: ChosenFrames,
  isChosen: (label: string) => boolean,
  most = 4000,
  alsoTake: (frame: ChosenFrame, at: number) => void = () => undefined,
): Promise<SeriesCurves> {
  const every = Math.max(1, Math.ceil(frames.count / most));
  const count = Math.ceil(frames.count / every);
  const labels = frames.labels.filter(isChosen);
  const times = new Float64Array(count).fill(Number.NaN);
  const shifts = labels.map(() => new Float32Array(count).fill(Number.NaN));
  const sigmas = labels.map(() => new Float32Array(count).fill(Number.NaN));
  const distrusted = labels.map(() => new Float32Array(count).fill(Number.NaN));
  const flagBits = labels.map(() => new Uint16Array(count));
  const flagged = labels.map(() => 0);
  const [usual] = [...frames.references].sort(([, a], [, b]) => b - a).map(([reference]) => reference);
  const isOther = new Uint8Array(count);
  let known: readonly string[] | null = null;
  let places: number[] = [];
  let badBits = 0;
  let at = 0;
  for await (const frame of frames.read(every)) {
    const { row, labels: own, flags } = frame;
    if (own !== known) {
      known = own;
      places = labels.map(label => own.indexOf(label));
      badBits = flags.reduce((bits, flag, bit) => (distrustedFlags.has(flag) ? bits | (1 << bit) : bits), 0);
    }
    times[at] = row.local;
    if (frame.reference !== null && frame.reference !== usual) isOther[at] = 1;
    for (const [i, place] of places.entries()) {
      if (place < 0) continue;
      flagBits[i]![at] = row.flags[place]!;
      if (Number.isNaN(row.shifts[place])) continue;
      if ((row.flags[place]! & badBits) !== 0) {
        flagged[i]!++;
        distrusted[i]![at] = row.shifts[place]!;
        continue;
      }
      shifts[i]![at] = row.shifts[place]!;
      sigmas[i]![at] = row.shiftUncertainties[place]!;
    }
    alsoTake(frame, at);
    at++;
  }
  const cut = <T extends Float32Array | Float64Array | Uint8Array | Uint16Array>(values: T): T =>
    values.subarray(0, at) as T;
  return {
    times: cut(times),
    labels,
    shifts: shifts.map(cut),
    sigmas: sigmas.map(cut),
    distrusted: distrusted.map(cut),
    flagged,
    flags: flagBits.map(cut),
    isOther: cut(isOther),
    every,
  };
}
