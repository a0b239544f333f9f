/** Pixels of one frame in one channel, row by row, at their native depth. */
export interface Pixels {
  width: number;
  height: number;
  /** Bits a stored value has: 8 or 16. */
  depth: 8 | 16;
  data: Uint8Array | Uint16Array;
}

/** Where the time of an image comes from, best first. */
export type TimestampSource = 'camera' | 'metadata' | 'name' | 'exif' | 'mtime' | 'estimated';

/** When an image was taken, in the two forms that the manifest keeps. */
export interface Instant {
  /** Local time without zone, to the microsecond: `2025-07-24T13:45:13.569672`. */
  local: string;
  /** The same in UTC: `2025-07-24T12:45:13.569672Z`; null when the zone is unknown. */
  utc: string | null;
  source: TimestampSource;
}

/**
 * What a camera says of a frame that it took. A key is there only where the camera tells it, so that a value is never made up.
 * The manifest keeps it as `camera_data.metadata`.
 */
export interface FrameMetadata {
  /** Seconds that the sensor was asked to be exposed for. */
  exposure_asked_seconds?: number;
  /** Seconds that it was exposed for, by the camera's own account. */
  exposure_seconds?: number;
  analogue_gain?: number;
  digital_gain?: number;
  /** Moment of the exposure by the sensor's clock, nanoseconds since an arbitrary moment of this boot. */
  sensor_timestamp_ns?: number;
  /** Moment of the exposure by the machine's clock, nanoseconds since 1970 UTC; a number keeps it to 0.3 µs. */
  frame_wall_clock_ns?: number;
  sensor_temperature_celsius?: number;
}

/** A frame that a camera delivered; it exists only in memory until the collector has written it. */
export interface CapturedFrame {
  kind: 'captured';
  /** Given away: the camera neither reads nor changes them any more. */
  pixels: Pixels;
  taken: Instant;
  cameraIndex: number | string;
  /** Absent, or without a key: the camera says nothing of its frames. */
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
  /** Of its entry, where the source knows better than by folder, name and time. */
  id?: string;
}

export type SourceFrame = CapturedFrame | ImportedFrame;
