import type { Tally } from './tally.ts';

/** What a fault is given to work with. */
export interface FaultContext {
  /** From 0 to 1; the same for the same seed. */
  readonly random: () => number;
  readonly tally: Tally;
  /** How many are still wanted of it. */
  readonly wanted: number;
  /** Length of the whole run: some faults last longer in a long one. */
  readonly minutes: number;
  /** An empty folder, removed after the round. */
  folder(): Promise<string>;
  say(message: string): void;
}

/** A kind of fault. A new one is a file and a line in the registry. */
export interface Fault {
  /** Key under which it is counted. */
  readonly name: string;
  /** Part of the time that it is given, against the others'. */
  readonly weight: number;
  /** How many are wanted in ten minutes, and in the longest run (240 minutes). */
  readonly wanted: readonly [short: number, full: number];
  /**
   * One round: does some of it, checks what must be true afterwards, and counts what did happen. Called until enough were
   * counted or its time is over.
   * @throws Unavailable where this machine can't do it; any other error counts as one.
   */
  round(context: FaultContext): Promise<void>;
}

/** The machine can't do it: nothing is counted, and the reason is told. */
export class Unavailable extends Error {
  override name = 'Unavailable';
}
