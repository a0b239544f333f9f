import type { FrameMetadata, Pixels } from '../../model/frame.ts';

/** What a frame is taken with; each number in the unit of the camera's own tool, unless the camera's file says otherwise. */
export interface CaptureSettings {
  exposure: number;
  gain: number;
  brightness: number;
  contrast: number;
}

/** A frame as the camera's tool gave it. */
export interface Shot {
  pixels: Pixels;
  /** What the tool said of the frame; what it did not say is absent. */
  metadata: FrameMetadata;
  /** What is odd about a frame that is whole all the same, as the rest of a sentence about the camera; it is said once. */
  oddity?: string;
}

/**
 * A camera behind a tool. `openCameraSource` makes a `FrameSource` of it.
 *
 * Contract: `capture` takes one frame with these settings, and resolves with the whole frame or rejects with a `CameraError` that says what
 * was found and what to do; a torn frame is never given. It keeps to a deadline of its own, and ends early with the signal's reason. It
 * may be called again after a rejection. Only one is on its way for a `device` at a time: `ToolRunner.turn` sees to it, also for two cameras
 * that are one device with two settings. Nothing stays open between two captures.
 */
export interface Camera {
  /** How messages call it: `camera 0 (libcamera)`. */
  readonly name: string;
  /** What can't do two things at a time: a device file, or the name of a stack. */
  readonly device: string;
  /** The programs that it works with: one of them must be on this machine. */
  readonly programs: readonly string[];
  /** Uniform or overexposed frames that may be thrown away before the first one that counts, as it settles. */
  readonly settlingFrames: number;
  /**
   * The device by a name that is the same whoever asks: two experiments of this machine that want one camera are told apart by it. It may
   * ask the tool. Rejects as `capture` does.
   */
  identity(signal: AbortSignal): Promise<string>;
  /** What else than a program this machine lacks for it, as a sentence that says what to do; null: nothing. Absent: it needs nothing else. */
  lacks?(signal: AbortSignal): Promise<string | null>;
  capture(settings: CaptureSettings, signal: AbortSignal): Promise<Shot>;
}
