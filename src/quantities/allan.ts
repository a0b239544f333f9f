import { spreadOfT } from './serialCorrelation.ts';

/** Octaves: averages of up to 2^19 frames. */
const octaves = 20;
/** Averages of each octave that are kept: the newest, and as far back as the one before it in time. */
const kept = 5;

/** What is known of the noise of a series; plain data. */
export interface AllanState {
  /** Sums and counts of values, of the newest averages of each octave. */
  readonly sums: Float64Array;
  readonly counts: Float64Array;
  /** Averages of each octave since the last break. */
  readonly entries: Float64Array;
  /** Sums of the squared differences, and how many. */
  readonly squares: Float64Array;
  readonly differences: Float64Array;
}

/** The noise of averages of so many frames. */
export interface AllanPoint {
  frames: number;
  /** px */
  deviation: number;
  /** Differences that it is the mean of; about the fourth part of them is independent from 4 frames on. */
  differences: number;
}

export const newAllan = (): AllanState => ({
  sums: new Float64Array(octaves * kept),
  counts: new Float64Array(octaves * kept),
  entries: new Float64Array(octaves),
  squares: new Float64Array(octaves),
  differences: new Float64Array(octaves),
});

/** Of each octave: frames, how far apart its averages begin, and how many of them lie between one and the next that it does not overlap. */
const framesOf = Array.from({ length: octaves }, (_, octave) => 2 ** octave);
const strideOf = framesOf.map(frames => Math.max(1, frames / 4));
const lookBack = framesOf.map(frames => Math.min(4, frames));

/**
 * Takes the next frame; NaN where it has no value. An average counts where at least half of its frames have a value.
 *
 * The overlapping Allan deviation (Howe, Allan and Barnes, Proc. 35th Freq. Control Symp. 1 (1981); Riley, NIST Special Publication 1065,
 * section 5.2.4): σ²(m) = ½ ⟨(ȳ(k + m) − ȳ(k))²⟩ with ȳ(k) the mean of m values, in octaves of m. Averages overlap by three quarters or
 * more: an octave is made from the one below it, in memory that does not grow.
 */
export function addToAllan(state: AllanState, value: number): void {
  const { sums, counts, entries, squares, differences } = state;
  const isThere = !Number.isNaN(value);
  let sum = isThere ? value : 0;
  let count = isThere ? 1 : 0;
  for (let octave = 0; octave < octaves; octave++) {
    // A whole number: the remainder of any other takes ten times as long.
    const entry = entries[octave]! | 0;
    entries[octave] = entry + 1;
    const at = octave * kept;
    const back = lookBack[octave]!;
    const now = at + (entry % kept);
    sums[now] = sum;
    counts[now] = count;
    if (entry < back) return;
    const before = at + ((entry - back) % kept);
    const least = framesOf[octave]! / 2;
    if (count >= least && counts[before]! >= least) {
      squares[octave]! += (sum / count - sums[before]! / counts[before]!) ** 2;
      differences[octave]!++;
    }
    // The next octave has an average at every second place of this one, where its own are further apart.
    if ((entry & 1) === 1 && strideOf[octave + 1]! > strideOf[octave]!) return;
    sum += sums[before]!;
    count += counts[before]!;
  }
}

/** No average spans what was before and what comes: a change, or a long pause. */
export function breakAllan({ entries }: AllanState): void {
  entries.fill(0);
}

/** Octaves with at least so many independent differences. */
export function allanDeviations(state: AllanState, independent = 2): AllanPoint[] {
  const points: AllanPoint[] = [];
  for (let octave = 0; octave < octaves; octave++) {
    const differences = state.differences[octave]!;
    if (differences < independent * lookBack[octave]!) continue;
    points.push({ frames: 2 ** octave, deviation: Math.sqrt(state.squares[octave]! / differences / 2), differences });
  }
  return points;
}

function fromAbove({ squares, differences }: AllanState, octave: number, margin: number): number {
  const count = differences[octave]!;
  return Math.sqrt(squares[octave]! / count / 2) * (1 + (margin * lookBack[octave]!) / count);
}

/** A deviation is known from so many independent differences on. */
const known = 4;

/**
 * The deviation of averages of so many frames, from above: it is greater where few differences tell it, and where that octave is not known, the
 * noise is taken to be no smaller than that of shorter averages (1/f). 0 where nothing is known.
 *
 * @param margin by how much greater, over the number of independent differences
 */
export function deviationFromAbove(state: AllanState, frames: number, margin = 10): number {
  let octave = 0;
  while (octave < octaves && framesOf[octave]! <= frames && state.differences[octave]! >= known * lookBack[octave]!)
    octave++;
  if (octave > 0 && (octave === octaves || framesOf[octave]! > frames)) return fromAbove(state, octave - 1, margin);
  let [most, at] = [0, 0];
  for (let each = 0; each < octave; each++) {
    most = Math.max(most, fromAbove(state, each, margin));
    at = framesOf[each]!;
  }
  // Further than anything was seen: as far as the worst drift would lead.
  return at === 0 ? 0 : most * Math.max(1, frames / (4 * at));
}

/**
 * The deviation of averages of so many frames, as well as it is known: wider where few differences tell it ({@link spreadOfT}). Between what is known
 * and so many frames it goes on between white noise and 1/f. 0 where nothing is known.
 */
export function deviationOfMean(state: AllanState, frames: number): number {
  let [deviation, at] = [0, 1];
  for (let octave = 0; octave < octaves && 2 ** octave <= frames; octave++) {
    const differences = state.differences[octave]!;
    const independent = differences / lookBack[octave]!;
    if (independent < 2) break;
    deviation = Math.sqrt(state.squares[octave]! / differences / 2) * spreadOfT(independent);
    at = 2 ** octave;
  }
  return deviation * (at / frames) ** 0.25;
}
