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

/**
 * Counts the frames that a camera missed, into the table `missed_frames` of the last line: those that the collector itself says to
 * have missed, or, where these are more, those that lack between the first and the last for one each interval. By the monotonic
 * time of the frames, whatever the clock did.
 */
export function countMissed(name: string, { entries, events, intervalMs }: Watched, tally: Tally): void {
  const times = entries.flatMap(({ monotonic_ms: time }) => (time === null ? [] : [time]));
  const due = times.length === 0 ? 0 : Math.round((Math.max(...times) - Math.min(...times)) / intervalMs) + 1;
  const told = events.filter(({ stage, kind }) => stage === 'collector' && kind === 'discarded').length;
  const missed = Math.max(0, due - times.length, told);
  const table = (tally.figures.missed_frames ??= {}) as Record<string, { frames: number; missed: number }>;
  table[name] ??= { frames: 0, missed: 0 };
  table[name].frames += times.length;
  table[name].missed += missed;
  if (times.length < 2) tally.problem(`${name}: ${times.length} frames were taken meanwhile: that tells nothing`);
  if (missed > 0) tally.problem(`${name}: ${missed} of ${due} frames were missed meanwhile`);
}
