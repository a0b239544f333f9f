import type { SourceFrame } from './frame.ts';

/**
 * Where frames come from: a camera, or a folder of images.
 *
 * Contract: opened when the collector subscribes with its settings; `next` is called by one caller at a time, never
 * after `close`. It resolves with a frame, or with null when no more will come (a camera never ends). A rejection is the
 * source's failure: the collector raises an alarm, closes it, waits and opens a new one. `signal` asks to give up early
 * (a rejection with its reason is right then). `close` frees devices and handles and may be called at any time, once.
 */
export interface FrameSource {
  /** `triggered`: one frame each time the collector's interval comes round. `own`: as fast as there is room for them. */
  readonly pace: 'triggered' | 'own';
  /** Frames to come in all, when it is known; for the progress bar. */
  readonly total: number | null;
  next(signal: AbortSignal): Promise<SourceFrame | null>;
  close(): Promise<void>;
}
