import type { RoiManifest } from './roi.ts';

/** A frame made small enough for a terminal. */
export interface FramePicture {
  /** Path of the image. */
  file: string;
  /** When it was taken, milliseconds since 1970 UTC. */
  at: number;
  /** Of the frame itself, pixels. */
  frameWidth: number;
  frameHeight: number;
  depth: 8 | 16;
  /** Of the frame at its native depth: mean, 95 % − 5 % quantile (counts), share of pixels at full scale (0 to 1). */
  brightness: number;
  contrast: number;
  saturated: number;
  /** Of the small picture, pixels; the frame's aspect ratio is kept. */
  width: number;
  height: number;
  /** Row by row, 0 (black) to 255, stretched to the frame's own range. */
  grey: Uint8Array;
  rois: RoiManifest | null;
}
