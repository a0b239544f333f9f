import type { Entry } from '../../src/model/entry.ts';
import type { Tally } from './tally.ts';

/** A stretch of a run, by the machine's clock, ms since 1970 UTC. */
export interface Stretch {
  from: number;
  to: number;
}

/**
 * Counts the frames that a camera missed while something else went wrong, into the table `missed_frames` of the last line: one for
 * each interval beyond the first between two frames. By the monotonic time of the frames, whatever the clock did meanwhile.
 *
 * @returns how many frames there were.
 */
export function countMissed(
  name: string,
  entries: readonly Entry[],
  isIn: (entry: Entry) => boolean,
  intervalMs: number,
  tally: Tally,
): number {
  const times = entries
    .filter(isIn)
    .flatMap(({ monotonic_ms: time }) => (time === null ? [] : [time]))
    .sort((a, b) => a - b);
  let missed = 0;
  for (const [i, time] of times.entries())
    if (i > 0) missed += Math.max(0, Math.round((time - times[i - 1]!) / intervalMs) - 1);
  const table = (tally.figures.missed_frames ??= {}) as Record<string, { frames: number; missed: number }>;
  const row = (table[name] ??= { frames: 0, missed: 0 });
  row.frames += times.length;
  row.missed += missed;
  if (missed > 0) tally.problem(`${name}: ${missed} of ${times.length + missed} frames were missed meanwhile`);
  return times.length;
}

/** Whether a frame was taken in a stretch. */
export const takenIn =
  ({ from, to }: Stretch) =>
  ({ timestamp_utc: time }: Entry): boolean =>
    time !== null && Date.parse(time) >= from && Date.parse(time) <= to;
