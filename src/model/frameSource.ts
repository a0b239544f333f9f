import type { SourceFrame } from './frame.ts';

/**
 * Where frames come from: a camera, or a folder of images.
 *
 * Contract: opened when the collector subscribes with its settings; `next` is called by one caller at a time, never
 * after `close`. It resolves with a frame, or with null when no more will come (a camera never ends). A rejection is the
 * source's failure: the collector closes it, waits and opens a new one; it raises an alarm when that happens too often in a row
 * (`collector_failure_limit`), or at once for what does not pass by itself ({@link needsSomebody}). `signal` asks to give up early
 * (a rejection with its reason is right then). `close` frees devices and handles and may be called at any time, once.
 */
export interface FrameSource {
  /** `triggered`: one frame each time the collector's interval comes round. `own`: as fast as there is room for them. */
  readonly pace: 'triggered' | 'own';
  /** Frames to come in all, when it is known; for the progress bar. */
  readonly total: number | null;
  next(signal: AbortSignal): Promise<SourceFrame | null>;
  close(): Promise<void>;
  /** Only where somebody else makes the frames, at times of their own. Absent: `next` gives one as soon as it can, until the end. */
  readonly arrivals?: Arrivals;
  /** Only where all frames are known from the beginning, so that one can go through them. */
  readonly recording?: Recording;
}

/** The frames of a source by their numbers, from 1. */
export interface Recording {
  readonly count: number;
  /** Recorded time from the first frame to the last, ms; null where times are known only as frames are read. */
  readonly lengthMs: number | null;
  /** When a frame was taken, ms since 1970 on the face of the frames' own clock; null as above. */
  timeOf(number: number): number | null;
  /** Recorded time from the first frame to this one, ms; null as above. */
  elapsedOf(number: number): number | null;
  /** `next` goes on with this frame. Never called while `next` is under way. */
  seek(number: number): void;
}

/** Whether an error says that somebody must do something: no camera, no program, a camera that another experiment uses. */
export const needsSomebody = (error: Error & { answer?: unknown }): boolean => error.answer === 'alarm';

/** How a source that waits for others says that something has come: nobody hangs in `next` for hours. */
export interface Arrivals {
  /** Whether `next` settles at once: with a frame, or because the source has failed. */
  has(): boolean;
  /** `wake` is called when that may have changed, until it is unsubscribed. */
  subscribe(wake: () => void): { unsubscribe(): void };
  /** Called before all others: tells which images (by their `id`) were taken in before, also by earlier processes. */
  passOver(isTaken: (id: string) => boolean): void;
}
