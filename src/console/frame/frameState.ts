import type { HeldFrame } from '../../model/framePicture.ts';

/** What of the console's state is the frame page's own. */
export interface FrameState {
  /** Draw the ROIs, their names, and the fitted lines over the frame. */
  outlines: boolean;
  names: boolean;
  fits: boolean;
  histogram: boolean;
  /** 1: the whole frame. */
  zoom: number;
  /** What is in the middle, as shares of the frame's sides. */
  centre: readonly [x: number, y: number];
  /** Null: the newest frame is followed. */
  held: HeldFrame | null;
  /** Where the mouse was while it drags the picture, columns and rows of the panel. */
  drag: { x: number; y: number } | null;
}

export const initialFrame: FrameState = {
  outlines: true,
  names: true,
  fits: true,
  histogram: true,
  zoom: 1,
  centre: [0.5, 0.5],
  held: null,
  drag: null,
};
