import type { TimestampSource } from './entry.ts';

/** Pixels of one frame in one channel, row by row, at their native depth. */
export interface Pixels {
  width: number;
  height: number;
  /** Bits a stored value has: 8 or 16. */
  depth: 8 | 16;
  data: Uint8Array | Uint16Array;
}

/** When an image was taken, in the two forms that the manifest keeps. */
export interface Instant {
  /** Local time without zone, to the microsecond: `2025-07-24T13:45:13.569672`. */
  local: string;
  /** The same in UTC: `2025-07-24T12:45:13.569672Z`; null when the zone is unknown. */
  utc: string | null;
  source: TimestampSource;
}

/** What the camera said of a frame; what it did not say is absent. */
export interface FrameMetadata {
  exposure_asked_seconds?: number;
  /** As the camera exposed. */
  exposure_seconds?: number;
  analogue_gain?: number;
  digital_gain?: number;
  /** By the clock of the sensor's machine that runs since its boot. */
  sensor_timestamp_ns?: number;
  frame_wall_clock_ns?: number;
  sensor_temperature_celsius?: number;
}

/** A frame that a camera delivered; it exists only in memory until the collector has written it. */
export interface CapturedFrame {
  kind: 'captured';
  pixels: Pixels;
  taken: Instant;
  cameraIndex: number | string;
  /** Absent: the camera says nothing of its frames. */
  metadata?: FrameMetadata;
}

/** An image file that is already there; it is read, never touched. */
export interface ImportedFrame {
  kind: 'imported';
  /** Folder, absolute. */
  folder: string;
  filename: string;
  taken: Instant;
  /** Milliseconds since the first image of its folder, by the source's best clock; for `--speed`. */
  elapsedMs: number;
  cameraIndex: string;
}

export type SourceFrame = CapturedFrame | ImportedFrame;
