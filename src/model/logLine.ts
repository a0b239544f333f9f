import type { EventLevel } from './event.ts';

/** A line of the log as people read it. */
export interface LogLine {
  /** Milliseconds since 1970 UTC. */
  at: number;
  level: EventLevel;
  /** The stage that speaks, or `config`, `pipeline`. */
  source: string;
  /** One line, without control characters. */
  text: string;
  /** All that the event has besides, as JSON; left out where there is nothing. */
  fields?: string;
  /** Of an alarm that is raised or has ended: `source` is its stage. */
  alarm?: { state: 'raised' | 'over'; key: string; message: string };
}
