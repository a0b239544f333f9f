import type { RoiManifest } from './roi.ts';

export interface GreyPicture {
  /** Pixels. */
  width: number;
  height: number;
  /** Row by row, 0 (black) to 255. */
  grey: Uint8Array;
  /** What is drawn over it, a number for each pixel: one of {@link pictureMarks}, 0 for nothing. */
  marks?: Uint8Array;
}

/** What stands out from the greys: outlines of ROIs, fitted lines, pixels at full scale, letters and what is behind them. */
export const pictureMarks = { outline: 1, fit: 2, top: 3, letter: 4, shade: 5 } as const;

/** A rectangle of the frame, in its pixels, which need not be whole. */
export interface FrameRegion {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** How often counts occur in a frame. */
export interface FrameHistogram {
  /** Pixels in equal parts of the range from 0 to `top`. */
  bins: readonly number[];
  /** Full scale of the camera, as far as the frame shows it, counts. */
  top: number;
  /** Count from which on pixels are saturated; null where none are. */
  saturation: number | null;
}

/** A ROI of which pixels are saturated, and their share, 0 to 1. */
export interface SaturatedRoi {
  label: string;
  share: number;
}

/** A frame that somebody holds, or one so many before it (after it, where that is negative). */
export interface HeldFrame {
  /** Path of its image. */
  file: string;
  back: number;
}

/** Which picture somebody wants to see. */
export interface PictureRequest {
  /** So large it may be, pixels. */
  width: number;
  height: number;
  /** 1: the whole frame; else so many times larger. Absent beside other panels: the whole frame, which is read less often there. */
  zoom?: number;
  /** What is in the middle then, as shares of the frame's width and height. */
  centre?: readonly [x: number, y: number];
  /** Absent, or null: always the newest. */
  held?: HeldFrame | null;
}

/** A frame made small enough for a terminal; its aspect ratio is kept, and its greys are stretched to its own range. */
export interface FramePicture extends GreyPicture {
  /** Path of the image. */
  file: string;
  /** When it was taken, milliseconds since 1970 UTC; NaN where nobody knows. */
  at: number;
  /** Of the frame itself, pixels. */
  frameWidth: number;
  frameHeight: number;
  depth: 8 | 16;
  /** Of the frame at its native depth: mean, 95 % − 5 % quantile (counts), share of pixels at full scale (0 to 1). */
  brightness: number;
  contrast: number;
  saturated: number;
  histogram: FrameHistogram;
  rois: RoiManifest | null;
  /** ROIs with saturated pixels, the worst first; null without ROIs. */
  saturatedRois: readonly SaturatedRoi[] | null;
  /** Pixels of this picture that are saturated, 1 for each; null where none are. */
  atTop: Uint8Array | null;
  /** The part of the frame that it shows. */
  region: FrameRegion;
  /** The size that was asked for. */
  size: { width: number; height: number };
  /** Where it stands among the recent frames; null for the newest, which is followed. */
  recent: RecentPlace | null;
}

/** Where a frame stands among recent ones. */
export interface RecentPlace {
  /** As in {@link HeldFrame}, within what there is. */
  back: number;
  /** How many there are before the frame that is held, and after it. */
  before: number;
  after: number;
}
