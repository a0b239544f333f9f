import type { Entry } from '../../src/model/entry.ts';
import type { EventLine } from '../program/program.ts';
import type { Tally } from './tally.ts';

/** A camera while something else goes wrong. */
export interface Watched {
  /** Frames that were recorded meanwhile. */
  entries: readonly Entry[];
  /** What the pipeline told meanwhile. */
  events: readonly EventLine[];
  intervalMs: number;
}

/** Rounds that are done until one misses nothing. */
const maxRounds = 3;

/**
 * Does a round and counts the frames that its camera missed, into the table `missed_frames` of the last line. A busy machine makes a
 * frame late now and then, a stage that waits for a disk or a share does so each time: so a round that missed some is done
 * again, twice at most, and the last one counts.
 */
export async function withoutMissing(name: string, tally: Tally, round: () => Promise<Watched>): Promise<void> {
  let repeated = 0;
  let counted = countMissed(await round());
  for (; counted.missed > 0 && repeated < maxRounds - 1; repeated++) counted = countMissed(await round());
  const table = (tally.figures.missed_frames ??= {}) as Record<
    string,
    { frames: number; missed: number; repeated: number }
  >;
  table[name] ??= { frames: 0, missed: 0, repeated: 0 };
  table[name].frames += counted.frames;
  table[name].missed += counted.missed;
  table[name].repeated += repeated;
  const { frames, missed } = counted;
  if (frames < 2) tally.problem(`${name}: ${frames} frames were taken meanwhile: that tells nothing`);
  if (missed > 0)
    tally.problem(`${name}: in ${maxRounds} rounds frames were missed, ${missed} of ${frames} in the last`);
}

/**
 * Those that the collector itself says to have missed, or, where these are more, those that lack between the first and the last
 * for one each interval. By the monotonic time of the frames, whatever the clock did.
 */
function countMissed({ entries, events, intervalMs }: Watched): { frames: number; missed: number } {
  const times = entries.flatMap(({ monotonic_ms: time }) => (time === null ? [] : [time]));
  const due = times.length === 0 ? 0 : Math.round((Math.max(...times) - Math.min(...times)) / intervalMs) + 1;
  const told = events.filter(({ stage, kind }) => stage === 'collector' && kind === 'discarded').length;
  return { frames: times.length, missed: Math.max(0, due - times.length, told) };
}
