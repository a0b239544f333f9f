import type { RoiManifest } from './roi.ts';

/** A grey picture. */
export interface GreyPicture {
  /** Pixels. */
  width: number;
  height: number;
  /** Row by row, 0 (black) to 255. */
  grey: Uint8Array;
}

/** A frame made small enough for a terminal; its aspect ratio is kept, and its greys are stretched to its own range. */
export interface FramePicture extends GreyPicture {
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
  rois: RoiManifest | null;
}
